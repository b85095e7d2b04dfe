"""Reads PostgreSQL's csvlog, which has 22 columns in version 8.3 and 26 in version 14.

A value in quotes may have newlines, so a record may take several lines. ``native/postgresql_csv.c`` does the same in C.
"""

import re
from typing import Final

from puppylog.formats import native
from puppylog.formats.address import split_address
from puppylog.formats.members import list_numbers, list_texts
from puppylog.formats.postgresql.head import PARTS, SEVERITIES, STAMP, Field, Head, Level, read_stamp_until
from puppylog.formats.postgresql.stderr import add_head
from puppylog.formats.rows import MAX_RECORD_BYTES, Member, Rows, RowsBuilder, rows_from_buffers

_NO_TIME: Final = "no time and comma at the start"
_TIME_RANGE: Final = "time out of range"
_OPEN_QUOTE: Final = "an unclosed quote"
_COLUMNS: Final = "not 22 to 32 columns"

REASONS: Final = (_NO_TIME, _TIME_RANGE, _OPEN_QUOTE, _COLUMNS)
"""Why a line is rejected, in the order of the numbers in ``native/enums.h``."""

_MIN_COLUMNS, _MAX_COLUMNS = 22, 32
_CONNECTION_FROM, _ERROR_SEVERITY, _MESSAGE = 4, 11, 13
_FIELDS: Final = {
    1: Field.USER,
    2: Field.DATABASE,
    3: Field.PID,
    5: Field.SESSION,
    6: Field.LINE,
    7: Field.TAG,
    8: Field.START,
    9: Field.VXID,
    10: Field.XID,
    12: Field.CODE,
    22: Field.APP,
    23: Field.BACKEND,
    24: Field.LEADER,
    25: Field.QUERY_ID,
}
"""The columns that are fields of a prefix."""

_AFTER: Final = (
    *("detail", "hint", "internal_query", "internal_query_position"),
    *("context", "statement", "statement_position", "location"),
)
"""The attributes that the columns after the message are."""

_VALUE = re.compile(rb'(?:"((?:[^"]|"")*+)"|((?!")[^,\n]*?))(,|\r?\n)')
_UNKNOWN: Final = {"", "-", "[unknown]", "[local]"}


def read_csvlog(text: bytes | memoryview, *, joins: bool = True) -> Rows:
    """Return the rows of lines of the log; see `puppylog.formats.line_format.Reader`.

    Args:
        text: as in `puppylog.formats.line_format.Reader`.
        joins: whether a line that does not begin a record belongs to the record before; otherwise it is rejected.
    """
    if native.lines is not None:
        return rows_from_buffers(native.lines.postgresql_csv(text, joins), REASONS)
    builder = RowsBuilder(bytes(text))
    until = 0  # lines before this offset belong to the record that was read last
    for at, line in builder.iter_lines():
        stamp = STAMP.match(line.decode())
        if at < until:
            builder.continued += 1
        elif stamp is not None and line.startswith(b",", stamp.end()):
            until = _read_record(builder, at, stamp[0])
        elif joins:
            builder.continue_(at, line)
        else:
            builder.reject(at, _NO_TIME)
    return builder.build()


def _read_record(builder: RowsBuilder, at: int, stamp: str) -> int:
    """Add or reject the record that begins at the offset ``at``; return the offset of its end, or 0."""
    time = read_stamp_until(stamp, 0, len(stamp))
    columns, end = _split(builder.text, at)
    if time is None:
        builder.reject(at, _TIME_RANGE)
        return 0
    if not end or len(columns) < _MIN_COLUMNS:
        builder.reject(at, _COLUMNS if end or len(columns) == _MAX_COLUMNS else _OPEN_QUOTE)
        return 0
    word = columns[_ERROR_SEVERITY]
    head = Head(Level(word if word in SEVERITIES or word in PARTS else "", 0), time)
    head.values = {field: columns[place] for place, field in _FIELDS.items() if place < len(columns)}
    remote = columns[_CONNECTION_FROM]
    client = (None, "") if remote in _UNKNOWN else split_address(remote)
    add_head(builder, at, head, columns[_MESSAGE], client=client, more=_list_after(columns))
    return end


def _split(text: bytes, at: int) -> tuple[list[str], int]:
    """Return the columns of the record at the offset ``at``, and the offset of its end; 0 if it does not end."""
    limit = min(len(text), at + MAX_RECORD_BYTES)
    columns: list[str] = []
    while len(columns) < _MAX_COLUMNS:
        value = _VALUE.match(text, at, limit)
        if value is None:
            break
        quoted = value[1]
        columns.append((value[2] if quoted is None else quoted.replace(b'""', b'"')).decode())
        at = value.end()
        if value[3] != b",":
            return columns, at
    return columns, 0


def _list_after(columns: list[str]) -> list[Member]:
    members: list[Member] = []
    for key, value in zip(_AFTER, columns[_MESSAGE + 1 :], strict=False):
        members += list_numbers((key, value)) if key.endswith("position") else list_texts((key, value))
    return members
