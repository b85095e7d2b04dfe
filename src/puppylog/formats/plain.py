"""The format ``plain``, which fits every line: the line is the message. Blank lines and headers make no record.

A line that is indented, closes a bracket, or continues a stack trace belongs to the record before.

If a line begins with the head of an application's record, its time and its level are those of the record; see
`puppylog.formats.app_head`. They stay in the message, too. ``native/plain.c`` does the same in C.
"""

from typing import Final

from puppylog.formats import native
from puppylog.formats.app import read_head, read_head_behind, severity_members, severity_of
from puppylog.formats.continuation import is_continuation
from puppylog.formats.dating import Dating
from puppylog.formats.headers import is_header
from puppylog.formats.members import list_texts
from puppylog.formats.rows import Rows, RowsBuilder, rows_from_buffers

REASONS: Final = ()
"""There is no reason to reject a line: every line fits."""


def read_plain(text: bytes | memoryview, dating: Dating | None = None, *, joins: bool = False) -> Rows:
    """Return the rows of lines of any kind.

    Args:
        text: see `puppylog.formats.line_format.Reader`.
        dating: what the stamps before have shown; is updated. None: nothing, and stamps without a year are not times.
        joins: whether lines that continue a record are joined to the record before; otherwise they are records.
    """
    known = dating if dating is not None else Dating()
    if native.lines is not None:
        rows, *shown = native.lines.plain(text, *known.for_native(), joins)
        known.take(*shown)
        return rows_from_buffers(rows, REASONS)
    builder = RowsBuilder(bytes(text))
    for at, line in builder.iter_lines():
        written = line.decode()
        if is_header(written):
            builder.skip(at, len(line) + 1)
        elif joins and is_continuation(written):
            builder.continue_(at, line)
        else:
            _add_record(builder, at, written, known)
    return builder.build()


def _add_record(builder: RowsBuilder, at: int, line: str, dating: Dating) -> None:
    head = read_head(line, dating) or read_head_behind(line, dating)
    if head is None:
        builder.add(at, columns={"message": line})
        return
    builder.ambiguous_zones += bool(head.zone_name)
    builder.add(
        at,
        head.ts_us,
        is_local=head.is_local,
        members=[*severity_members(head), *list_texts(("zone", head.zone_name))],
        columns={"message": line, "severity": severity_of(head)},
    )
