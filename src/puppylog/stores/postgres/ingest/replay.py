"""Replaces rejected lines by records: one transaction deletes the lines and stores the records.

The transaction first deletes the lines. The deletion returns the lines that were still rejected, and no other
transaction can still delete these lines. Only records of these lines are stored. If the server refuses a record, the
transaction is rolled back and repeated without its line. This line stays rejected, with the cause as its reason.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.model.record import NO_REJECTS, Parsed
from puppylog.stores.base import Replayed, Reread
from puppylog.stores.postgres.ingest.append import Days, Rows, copy_records, make_days, note_times
from puppylog.stores.postgres.ingest.touched import days_of
from puppylog.stores.postgres.sessions.session import Session
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores.postgres", "replay.sql")


def replay(session: Session, days: Days, lines: Sequence[Reread]) -> Replayed:
    """Store the records of the lines that are still rejected, and delete these lines, in one transaction."""
    make_days(session, days, days_of(part.records for part in lines))
    causes: dict[int, dict[int, str]] = defaultdict(dict)  # by file and offset of the line
    while True:
        try:
            with session.transaction():
                return _replay(session, lines, causes)
        except _Refused as refused:
            for file_id, found in refused.causes.items():
                causes[file_id] |= found


class _Refused(Exception):
    """The server refuses records of these lines: causes by file and offset of the line."""

    def __init__(self, causes: Mapping[int, Mapping[int, str]]) -> None:
        super().__init__()
        self.causes = causes


def _replay(session: Session, lines: Sequence[Reread], causes: Mapping[int, Mapping[int, str]]) -> Replayed:
    session.run(_QUERIES["take_turn"])
    kept: list[Reread] = []
    asked = found = 0
    for part in lines:
        wanted = pc.unique(part.line_offsets)
        refused = _array(causes.get(part.file_id, ()))
        wanted = wanted.filter(pc.invert(pc.is_in(wanted, refused)))
        taken = _take_lines(session, part, wanted)
        kept.append(_keep(part, taken))
        asked, found = asked + len(wanted), found + len(taken)
    _store(session, kept)
    return Replayed(lines=found, missed=asked - found, refused=_note_causes(session, lines, causes))


def _take_lines(session: Session, part: Reread, wanted: pa.Array) -> pa.Array:
    values = {"stream_id": part.stream_id, "file_id": part.file_id, "line_offsets": wanted.to_pylist()}
    return _array(row["line_offset"] for row in session.rows(_QUERIES["take_lines"], values))


def _keep(part: Reread, line_offsets: pa.Array) -> Reread:
    """Return only the records of the lines at these offsets."""
    chosen = pc.is_in(part.line_offsets, line_offsets)
    return Reread(part.stream_id, part.file_id, part.records.filter(chosen), part.line_offsets.filter(chosen))


def _store(session: Session, kept: Sequence[Reread]) -> None:
    rows = [_rows_of(part) for part in kept]
    refused = copy_records(session, rows)
    if not refused:
        note_times(session, rows)
        return
    rejected_at = {
        (part.file_id, record): line
        for part in kept
        for record, line in zip(part.records["line_offset"].to_pylist(), part.line_offsets.to_pylist(), strict=True)
    }
    causes: dict[int, dict[int, str]] = defaultdict(dict)
    for row in refused:
        (reject,) = row.parsed.rejects.to_pylist()
        causes[row.file_id][rejected_at[row.file_id, reject["line_offset"]]] = reject["reason"]
    raise _Refused(causes)


def _note_causes(
    session: Session, lines: Sequence[Reread], causes: Mapping[int, Mapping[int, str]]
) -> Mapping[str, int]:
    """Store the causes as the reasons of the refused lines; return the number of lines by cause."""
    counts = Counter[str]()
    for stream_id, file_id in {(part.stream_id, part.file_id): None for part in lines}:
        offsets: dict[str, list[int]] = defaultdict(list)
        for line_offset, cause in causes.get(file_id, {}).items():
            offsets[cause].append(line_offset)
        for cause, found in offsets.items():
            values = {"stream_id": stream_id, "file_id": file_id, "line_offsets": found, "reason": cause}
            counts[cause] += session.run(_QUERIES["note_cause"], values)
    return dict(counts)


def _rows_of(part: Reread) -> Rows:
    return Rows(part.stream_id, part.file_id, Parsed(part.records, NO_REJECTS))


def _array(numbers: Iterable[int]) -> pa.Array:
    return pa.array(list(numbers), pa.int64())
