"""The format ``plain``, which fits every line: the line is the message. Blank lines and headers make no record.

A line that is indented, closes a bracket, or continues a stack trace belongs to the record before.

If a line begins with a date and a time, in brackets or without, they are the time of the record. A word like ``ERROR``
or ``[error]`` directly after the time is the severity. Both stay in the message, too.
"""

import re
from typing import Final

from puppylog.formats import clock, native
from puppylog.formats.headers import is_header
from puppylog.formats.rows import NO_TIME, Member, Rows, RowsBuilder, rows_from_buffers
from puppylog.formats.severity import severity_columns

REASONS: Final = ()
"""There is no reason to reject a line: every line fits."""

_STAMP = re.compile(
    r"[\[(]?([0-9]{4}[-/][0-9]{2}[-/][0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]++)?+"
    r"(?:[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?| [+-][0-9]{4})?+)(?![0-9A-Za-z])( (?:UTC|GMT)(?![0-9A-Za-z]))?"
)
_CONTINUATION = re.compile(r"[ \t)\]}]|Caused by: |Suppressed: |\.\.\. [0-9]+ ")
_WORD = re.compile(r"[])]?[ \t|\[(-]*([A-Za-z]{3,13})(?![0-9A-Za-z_-])")


def read_plain(text: bytes | memoryview, *, joins: bool = False) -> Rows:
    """Return the rows of lines of any kind.

    Args:
        text: see `puppylog.formats.line_format.Reader`.
        joins: whether lines that continue a record are joined to the record before; otherwise they are records.
    """
    if native.lines is not None:
        return rows_from_buffers(native.lines.plain(text, joins), REASONS)
    builder = RowsBuilder(bytes(text))
    for at, line in builder.iter_lines():
        written = line.decode()
        if is_header(written):
            builder.skip(at, len(line) + 1)
        elif joins and _CONTINUATION.match(written):
            builder.continue_(at, line)
        else:
            _add_record(builder, at, written)
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
