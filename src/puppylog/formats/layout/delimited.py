"""The fields of a W3C extended log's line: parted by tabs where there is one, or else by blanks.

A value in quotes may hold either, and a quote of its own written twice. The blanks of a user agent are written as ``+``
between blanks (IIS), as ``%20`` between tabs (CloudFront), and read as blanks again. Of two ``+`` the second was one
all along (``compatible;++http://…``); of percent escapes, those of visible ASCII are resolved.
"""

import re
from typing import Final

from puppylog.formats.layout.program import Kind, Program, Reason
from puppylog.formats.layout.record import Mismatch, Record

_QUOTED: Final = re.compile(rb'"((?:[^"]|"")*)"')
_ESCAPED: Final = re.compile(rb"%(2[0-9A-Fa-f]|[3-6][0-9A-Fa-f]|7[0-9A-Ea-e])")


def read_delimited(program: Program, line: bytes, record: Record) -> None:
    """Take the values of a line.

    Raises:
        Mismatch: they are not as many as there are fields, or one is not as its kind demands.
    """
    delimiter = b"\t" if b"\t" in line else b" "
    values = _split(line, delimiter, len(program.steps))
    for step, (at, value, is_quoted) in zip(program.steps, values, strict=True):
        text = decode_agent(value, delimiter) if step.kind is Kind.AGENT and not is_quoted else value
        try:
            record.take(step, text)
        except Mismatch as mismatch:
            raise Mismatch(mismatch.reason, at) from None


def _split(line: bytes, delimiter: bytes, count: int) -> list[tuple[int, bytes, bool]]:
    """Return where each value starts, what it is, and whether it stood in quotes."""
    values: list[tuple[int, bytes, bool]] = []
    at = 0
    while len(values) < count:
        if at > len(line):
            raise Mismatch(Reason.FEWER, len(line))
        if line.startswith(b'"', at):
            match = _QUOTED.match(line, at)
            if match is None or (match.end() < len(line) and not line.startswith(delimiter, match.end())):
                raise Mismatch(Reason.OPEN_QUOTE, at)
            values.append((at, match[1].replace(b'""', b'"'), True))
            at = match.end() + 1
        else:
            end = line.find(delimiter, at)
            end = end if end >= 0 else len(line)
            values.append((at, line[at:end], False))
            at = end + 1
    if line[at:] not in {b"", delimiter}:
        raise Mismatch(Reason.MORE_FIELDS, at)
    return values


def decode_agent(text: bytes, delimiter: bytes) -> bytes:
    """Return a user agent with its blanks."""
    if delimiter == b"\t":
        return _ESCAPED.sub(lambda match: bytes([int(match[1], 16)]), text)
    return re.sub(rb"\+(\+*)", rb" \1", text)
