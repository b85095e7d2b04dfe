"""The format ``plain``, which fits every line: the line is the message. Empty lines make no record.

If a line begins with a date and a time, in brackets or without, they are the time of the record. A word like ``ERROR``
or ``[error]`` directly after the time is the severity. Both stay in the message, too.
"""

import re
from typing import Final

from puppylog.formats import clock, native
from puppylog.formats.rows import NO_TIME, Member, Rows, RowsBuilder, rows_from_buffers
from puppylog.formats.severity import severity_columns

REASONS: Final = ()
"""There is no reason to reject a line: every line fits."""

_STAMP = re.compile(
    r"[\[(]?([0-9]{4}[-/][0-9]{2}[-/][0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]++)?+"
    r"(?:[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?| [+-][0-9]{4})?+)(?![0-9A-Za-z])( (?:UTC|GMT)(?![0-9A-Za-z]))?"
)
_WORD = re.compile(r"[])]?[ \t|\[(-]*([A-Za-z]{3,13})(?![0-9A-Za-z_-])")


def read_plain(text: bytes | memoryview) -> Rows:
    """Return the rows of lines of any kind; see `puppylog.formats.line_format.Reader`."""
    if native.lines is not None:
        return rows_from_buffers(native.lines.plain(text), REASONS)
    builder = RowsBuilder(bytes(text))
    for at, line in builder.iter_lines():
        _add_record(builder, at, line.decode())
    return builder.build()


def _add_record(builder: RowsBuilder, at: int, line: str) -> None:
    match = _STAMP.match(line)
    stamp = _parse(match[1]) if match else None
    if match is None or stamp is None:
        builder.add(at, NO_TIME, columns={"message": line})
        return
    severity, members = _find_severity(line, match.end())
    columns = {"message": line, "severity": severity}
    builder.add(at, stamp.us, is_local=stamp.is_local and not match[2], members=members, columns=columns)


def _parse(text: str) -> clock.Stamp | None:
    try:
        return clock.parse_iso(text)
    except clock.OutOfRange:
        return None


def _find_severity(line: str, at: int) -> tuple[str | None, list[Member]]:
    """Return the severity at the index ``at`` of the line, and its attributes.

    It is a word in capitals, or a word in square brackets.
    """
    match = _WORD.match(line, at)
    if match is None:
        return None, []
    is_bracketed = line[match.start(1) - 1] == "[" and line.startswith("]", match.end())
    return severity_columns(match[1]) if is_bracketed or match[1].isupper() else (None, [])
