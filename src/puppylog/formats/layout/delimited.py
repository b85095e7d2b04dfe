"""Reads the fields of a line of a W3C extended log: separated by tabs if the line has a tab, otherwise by blanks.

A value in quotes may contain both, and quotes that are doubled. Servers replace the blanks of a user agent: with ``+``
in lines with blanks (IIS), with ``%20`` in lines with tabs (CloudFront). They become blanks again. In ``++`` the first
``+`` is a blank and the second one is a plus (``compatible;++http://…``). Only percent escapes of ASCII characters are
decoded.
"""

import re
from typing import Final

from puppylog.formats.layout.program import Kind, Program, Reason
from puppylog.formats.layout.record import Mismatch, Record

_QUOTED: Final = re.compile(rb'"((?:[^"]|"")*)"')
_ESCAPED: Final = re.compile(rb"%(2[0-9A-Fa-f]|[3-6][0-9A-Fa-f]|7[0-9A-Ea-e])")


def read_delimited(program: Program, line: bytes, record: Record) -> None:
    """Read the values of a line into ``record``.

    Raises:
        Mismatch: the line has more or fewer values than fields, or a value does not have the form of its kind.
    """
    delimiter = b"\t" if b"\t" in line else b" "
    values = _split(line, delimiter, len(program.steps))
    for step, (at, value, is_quoted) in zip(program.steps, values, strict=True):
        text = decode_agent(value, delimiter) if step.kind is Kind.AGENT and not is_quoted else value
        try:
            record.add_value(step, text)
        except Mismatch as mismatch:
            raise Mismatch(mismatch.reason, at) from None


def _split(line: bytes, delimiter: bytes, count: int) -> list[tuple[int, bytes, bool]]:
    """Return the offset in bytes of each value, the value, and whether it was in quotes."""
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
    """Return a user agent with the blanks that the server has replaced."""
    if delimiter == b"\t":
        return _ESCAPED.sub(lambda match: bytes([int(match[1], 16)]), text)
    return re.sub(rb"\+(\+*)", rb" \1", text)
