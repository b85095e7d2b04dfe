"""The ingest transaction: it commits rows and positions together, and only if each file is at the start of its move.

This check stores each line exactly once. A committed batch has moved its files past the start of their moves, so the
same batch cannot be committed again, even if a client does not know after a crash that it was committed.

If the server refuses a row because of its values, the rows are halved until the row is found. Each half has its own
savepoint, so that the good halves stay. The refused row becomes a rejected line.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import groupby
from typing import Any, Final

import pyarrow as pa

from puppylog.errors import StoreUnavailable
from puppylog.model.record import REJECTS, Parsed
from puppylog.model.request import KEPT_S, ReceivedRequest
from puppylog.model.stream import Move
from puppylog.stores.base import Appended
from puppylog.stores.postgres.ingest import pgcopy
from puppylog.stores.postgres.ingest.touched import days_of, ranges_of
from puppylog.stores.postgres.sessions.failures import RowRefused
from puppylog.stores.postgres.sessions.session import Session
from puppylog.stores.queries import load_queries
from puppylog.stores.received_requests import refuse_repeated
from puppylog.stores.streams import find_files, refuse_moved_file, refuse_unknown_file

_QUERIES = load_queries("puppylog.stores.postgres", "ingest.sql")
_COPY_RECORDS: Final = _QUERIES["copy_records"].format(columns=", ".join(pgcopy.RECORD_COLUMNS))
_COPY_REJECTS: Final = _QUERIES["copy_rejects"].format(columns=", ".join(pgcopy.REJECT_COLUMNS))
_EPOCH: Final = date(1970, 1, 1)
# The rows that are encoded at once. With fewer, calls into Arrow cost more; with more, the data leave the CPU cache.
_PIECE_ROWS: Final = 16_384


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of one file, with the lines that they were parsed from."""

    stream_id: int
    file_id: int
    parsed: Parsed
    encoded: tuple[Any, ...] | None = None  # the records in COPY format, if they have been encoded already

    @property
    def records(self) -> pa.RecordBatch:
        return self.parsed.records


@dataclass(slots=True)
class Days:
    """The days whose partitions this process has created or found. Used under the lock of the ingest link."""

    are_needed: bool  # False if TimescaleDB creates chunks by itself
    known: set[int] = field(default_factory=set)  # days since the epoch


def append(
    session: Session, days: Days, moves: Sequence[Move], requests: Sequence[ReceivedRequest], rows: Sequence[Rows]
) -> Appended:
    """Append rows and requests, and move positions, in one transaction.

    Raises:
        StreamBusy: the position of a file is not the start of its move.
        RequestRepeated: the store has one of the requests.
    """
    make_days(session, days, days_of(part.records for part in rows))
    stream_ids = _streams_of(session, moves, rows)
    with session.transaction():
        for move in moves:
            _move_position(session, stream_ids[move.file_id], move)
        if requests:
            _add_requests(session, requests)
        refused = copy_records(session, rows)
        rejected = copy_rejects(session, rows, refused)
        note_times(session, rows)
    records = sum(part.records.num_rows for part in rows)
    return Appended(
        records=records - len(refused),
        rejects=rejected,
        refused=len(refused),
        refused_by_stream=Counter(part.stream_id for part in refused),
    )


def make_days(session: Session, days: Days, wanted: set[int]) -> None:
    """Create the partitions of days, given as days since the epoch, unless this process knows that they exist.

    Call this before the ingest transaction, which must not hold the locks of new partitions.
    """
    if not days.are_needed:
        return
    new = wanted - days.known
    if not new:
        return
    try:
        session.run(
            _QUERIES["make_days"], {"days": [_EPOCH + timedelta(days=day) for day in sorted(new) if day < 2_900_000]}
        )
    except StoreUnavailable:
        if session.is_broken:
            raise
        return  # Citus found a deadlock: the records go into the default partition, and the jobs move them later
    days.known |= new


def _streams_of(session: Session, moves: Sequence[Move], rows: Sequence[Rows]) -> dict[int, int]:
    """Return the stream of each file that moves, by file id."""
    streams = {part.file_id: part.stream_id for part in rows}
    unknown = [move.file_id for move in moves if move.file_id not in streams]
    if unknown:
        streams |= {file_id: file.stream_id for file_id, file in find_files(session, unknown).items()}
    for move in moves:
        if move.file_id not in streams:
            refuse_unknown_file(move.file_id)
    return streams


def _move_position(session: Session, stream_id: int, move: Move) -> None:
    byte_offset = session.value(
        _QUERIES["move_position"],
        {
            "stream_id": stream_id,
            "file_id": move.file_id,
            "since": move.start,
            "until": move.end,
            "head_size": move.fingerprint.head_size,
            "head_hash": move.fingerprint.head_hash,
            "marker_size": move.fingerprint.marker_size,
            "marker_hash": move.fingerprint.marker_hash,
            "finished": move.finished,
            "context": move.context,
        },
    )
    if byte_offset is not None:
        refuse_moved_file(move, byte_offset)


def _add_requests(session: Session, requests: Sequence[ReceivedRequest]) -> None:
    """Store requests in the caller's transaction; raise RequestRepeated if the store has one of them."""
    columns = {"digests": [each.digest for each in requests], "answers": [each.answer for each in requests]}
    repeated = session.value(_QUERIES["add_requests"], {**columns, "kept_s": KEPT_S})
    if repeated is not None:
        refuse_repeated(repeated)


def find_requests(session: Session, digests: Sequence[str]) -> dict[str, ReceivedRequest]:
    """Return those of the requests that were committed within the last KEPT_S seconds, by digest."""
    rows = session.rows(_QUERIES["find_requests"], {"digests": list(digests), "kept_s": KEPT_S})
    return {row["digest"]: ReceivedRequest(**row) for row in rows}


def copy_records(session: Session, rows: Sequence[Rows]) -> list[Rows]:
    """Copy the records to the server; return those that the server refuses, as rejected lines."""
    parts = [part for part in rows if part.records.num_rows]
    if not parts:
        return []
    try:
        with session.transaction():
            session.copy(_COPY_RECORDS, _encode(parts, _encode_records))
    except RowRefused as refusal:
        if sum(part.records.num_rows for part in parts) == 1:
            return [_rejected(parts[0], refusal.cause)]
        first, second = _halve(parts)
        return [*copy_records(session, first), *copy_records(session, second)]
    return []


def copy_rejects(session: Session, rows: Sequence[Rows], refused: Sequence[Rows]) -> int:
    """Copy the rejected lines of ``rows``, and those that `copy_records` has returned; return their number."""
    parts = [part for part in (*rows, *refused) if part.parsed.rejects.num_rows]
    if parts:
        session.copy(_COPY_REJECTS, _encode_rejects(parts))
    return sum(part.parsed.rejects.num_rows for part in parts)


def _halve(parts: list[Rows]) -> tuple[list[Rows], list[Rows]]:
    if len(parts) > 1:
        return parts[: len(parts) // 2], parts[len(parts) // 2 :]
    (part,) = parts
    middle = part.records.num_rows // 2
    return [_slice(part, 0, middle)], [_slice(part, middle, part.records.num_rows - middle)]


def _slice(part: Rows, start: int, count: int) -> Rows:
    parsed = part.parsed
    return Rows(part.stream_id, part.file_id, replace(parsed, records=parsed.records.slice(start, count)))


def _rejected(part: Rows, cause: str) -> Rows:
    """Return the single record of ``part`` as a rejected line, with the line that it was parsed from."""
    offset = part.records.column("line_offset")[0].as_py()
    line = {"line_offset": offset, "reason": f"the store refuses it: {cause}", "line": part.parsed.line_at(offset)}
    rejects = pa.RecordBatch.from_pylist([line], schema=REJECTS)
    return Rows(part.stream_id, part.file_id, Parsed(part.records.slice(0, 0), rejects))


def note_times(session: Session, rows: Sequence[Rows]) -> None:
    """Store invalidations for the times of the records, within the caller's transaction."""
    by_stream = sorted(rows, key=lambda part: part.stream_id)
    touched = [
        found
        for stream_id, parts in groupby(by_stream, key=lambda part: part.stream_id)
        for found in ranges_of(stream_id, [part.records for part in parts])
    ]
    if touched:
        streams, lows, highs = (list(column) for column in zip(*touched, strict=True))
        session.run(_QUERIES["invalidate"], {"stream_ids": streams, "low_us": lows, "high_us": highs})


def _encode(parts: Sequence[Rows], encode: Callable[[Rows], Iterator[Any]]) -> Iterator[Any]:
    yield pgcopy.HEADER
    for part in parts:
        yield from encode(part)
    yield pgcopy.TRAILER


def make_ready(part: Rows) -> Rows:
    """Return the same rows with their records encoded, so that a commit only has to send them."""
    return replace(part, encoded=tuple(_encode_records(part)))


def _encode_records(part: Rows) -> Iterator[Any]:
    if part.encoded is not None:
        yield from part.encoded
        return
    for start in range(0, part.records.num_rows, _PIECE_ROWS):
        yield pgcopy.encode_records(part.stream_id, part.file_id, part.records.slice(start, _PIECE_ROWS))


def _encode_rejects(parts: Sequence[Rows]) -> Iterator[Any]:
    def encode(part: Rows) -> Iterator[Any]:
        yield pgcopy.encode_rejects(part.stream_id, part.file_id, part.parsed.rejects)

    return _encode(parts, encode)
