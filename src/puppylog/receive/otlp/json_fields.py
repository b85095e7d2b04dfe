"""Reads fields of OTLP in JSON whose form is not the same with all senders."""

import re
from base64 import b64decode
from typing import Final

from puppylog.receive.otlp.members import NONE, Members, write_text
from puppylog.receive.otlp.severity import NAMES, NUMBERS_PER_NAME

TRACE_BYTES: Final = 16
SPAN_BYTES: Final = 8
TIMES: Final = range(1 << 64)
DEEPEST: Final = 90
"""The depth of lists and maps in a value. The format ``json`` reads 100, and a line has some of its own."""

_INTEGER: Final = re.compile("-?[0-9]{1,20}")
_SEVERITY: Final = re.compile(f"SEVERITY_NUMBER_({'|'.join(NAMES)})([2-4]?)", re.IGNORECASE)


def to_integer(value: object) -> int | None:
    """Return an integer that is written as a number or as a text; None for other values."""
    match value:
        case bool():
            return None
        case int():
            return value
        case str() if _INTEGER.fullmatch(value):
            return int(value)
        case float() if value.is_integer():
            return int(value)
    return None


def read_severity_number(value: object) -> int:
    """Return a number from an enumeration's number or name; 0 if it is neither."""
    if isinstance(value, str) and (match := _SEVERITY.fullmatch(value)):
        return NAMES.index(match[1].lower()) * NUMBERS_PER_NAME + int(match[2] or 1)
    number = to_integer(value)
    return 0 if number is None else number


def write_id(name: str, text: str, size: int) -> Members:
    """Return the member for an id; none if it is absent.

    OTLP demands hex, but some senders write base64, as JSON of protobuf has it. Other texts are kept as they are.

    Args:
        name: of the member.
        text: as it was sent.
        size: of the id in bytes.
    """
    if not text.strip("0"):
        return NONE
    if len(text) != 2 * size:
        try:
            decoded = b64decode(text, validate=True)
        except ValueError:
            decoded = b""
        if len(decoded) == size:
            return write_text(name, decoded.hex()) if any(decoded) else NONE
    return write_text(name, text.lower())
