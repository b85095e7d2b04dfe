"""Reads the fields of a line of a W3C extended log.

They are separated by tabs if the line has a tab, otherwise by runs of blanks; in logs of Exchange by commas. A value in
quotes may contain them all, and quotes that are doubled. Servers replace the blanks of a user agent: with ``+`` in
lines with blanks (IIS), with ``%20`` in lines with tabs (CloudFront). They become blanks again. In ``++`` the first
``+`` is a blank and the second one is a plus (``compatible;++http://…``). Only percent escapes of ASCII characters are
decoded, also those that are escaped again (``%2520``).
"""

import re
from typing import Final

from puppylog.formats.layout.program import Kind, Program, Reason
from puppylog.formats.layout.record import Mismatch, Record

_QUOTED: Final = re.compile(rb'"((?:[^"]|"")*)"')
_ESCAPED: Final = re.compile(rb"%(?:25)?(2[0-9A-Fa-f]|[3-6][0-9A-Fa-f]|7[0-9A-Ea-e])")


def read_delimited(program: Program, line: bytes, record: Record) -> None:
    """Read the values of a line into ``record``.

    Raises:
        Mismatch: the line has more or fewer values than fields, or a value does not have the form of its kind.
    """
    delimiter = program.prefix or (b"\t" if b"\t" in line else b" ")
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
    at = _skip_run(line, 0, delimiter)
    while len(values) < count:
        if at > len(line):
            raise Mismatch(Reason.FEWER, len(line))
        if line.startswith(b'"', at):
            match = _QUOTED.match(line, at)
            if match is None or (match.end() < len(line) and not line.startswith(delimiter, match.end())):
                raise Mismatch(Reason.OPEN_QUOTE, at)
            values.append((at, match[1].replace(b'""', b'"'), True))
            at = _skip_run(line, match.end() + 1, delimiter)
        else:
            end = line.find(delimiter, at)
            end = end if end >= 0 else len(line)
            values.append((at, line[at:end], False))
            at = _skip_run(line, end + 1, delimiter)
    if line[at:] not in {b"", delimiter}:
        raise Mismatch(Reason.MORE_FIELDS, at)
    return values


def _skip_run(line: bytes, at: int, delimiter: bytes) -> int:
    """Return the index after blanks; a tab or a comma is not part of a run."""
    while delimiter == b" " and line.startswith(b" ", at):
        at += 1
    return at


def decode_agent(text: bytes, delimiter: bytes) -> bytes:
    """Return a user agent with the blanks that the server has replaced."""
    if delimiter == b"\t":
        return _ESCAPED.sub(lambda match: bytes([int(match[1], 16)]), text)
    return re.sub(rb"\+(\+*)", rb" \1", text) if delimiter == b" " else text
