"""The ingest transaction: it commits rows and positions together, and only if each file is at the start of its move.

This check stores each line exactly once. A committed batch has moved its files past the start of their moves, so the
same batch cannot be committed again, even if a client does not know after a crash that it was committed.
"""

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

import pyarrow as pa

from puppylog.model.request import ReceivedRequest
from puppylog.model.stream import Move
from puppylog.stores.base import Appended
from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.duckdb.engine.database import Engine
from puppylog.stores.duckdb.engine.frozen import LateRecordsError, add_late_records
from puppylog.stores.duckdb.engine.received_requests import add_requests
from puppylog.stores.duckdb.engine.tallies import note_stored
from puppylog.stores.duckdb.spool import ROW_GROUP
from puppylog.stores.queries import load_queries
from puppylog.stores.streams import refuse_moved_file, refuse_unknown_file

_QUERIES = load_queries("puppylog.stores.duckdb", "ingest.sql")

T = TypeVar("T")

_log = logging.getLogger("puppylog.engine")


def append_to(
    engine: Engine, moves: Sequence[Move], requests: Sequence[ReceivedRequest], records: pa.Table, rejects: pa.Table
) -> Appended:
    """Append rows and requests, and move positions, in a transaction, as `append` does.

    A metric whose buckets cannot be computed must not keep lines from being stored: it loses late lines of buckets that
    are never computed again.
    """

    def work(connection: Connection, skipped: frozenset[int]) -> Appended:
        return append(connection, moves, records, rejects, requests=requests, skipped=skipped)

    return write_skipping(engine, work, is_bulk=records.num_rows + rejects.num_rows >= ROW_GROUP)


def write_skipping(engine: Engine, work: Callable[[Connection, frozenset[int]], T], *, is_bulk: bool = False) -> T:
    """Run ``work`` in a transaction and return its result. Repeat it without the metrics whose buckets fail.

    Args:
        engine: the database.
        work: gets the connection and the ids of the metrics whose frozen buckets must stay as they are.
        is_bulk: as of `Engine.write`.
    """
    skipped: frozenset[int] = frozenset()
    while True:
        try:
            return engine.write(_skipping(work, skipped), is_bulk=is_bulk)
        except LateRecordsError as error:
            _log.error("a metric loses late lines: %s", error.message)
            skipped |= {error.metric_id}


def _skipping(work: Callable[[Connection, frozenset[int]], T], skipped: frozenset[int]) -> Callable[[Connection], T]:
    return lambda connection: work(connection, skipped)


def append(
    connection: Connection,
    moves: Sequence[Move],
    records: pa.Table,
    rejects: pa.Table,
    *,
    requests: Sequence[ReceivedRequest] = (),
    skipped: frozenset[int] = frozenset(),
) -> Appended:
    """Append rows and requests, and move positions, in the caller's transaction.

    Args:
        connection: the writer's connection.
        moves: one for each file of the rows.
        records: columns of `model.record.RECORDS` with ``stream_id`` and ``file_id``.
        rejects: columns of `model.record.REJECTS` with ``stream_id`` and ``file_id``.
        requests: the senders' requests that the rows come from.
        skipped: the ids of metrics to which late records are not added.

    Raises:
        StreamBusy: the position of a file is not the start of its move.
        RequestRepeated: the store has one of the requests.
    """
    with connection.table("moves", _table_of(moves)):
        _check_positions(connection, moves)
        if requests:
            add_requests(connection, requests)
        if records.num_rows:
            append_records(connection, records, skipped)
        if rejects.num_rows:
            append_rejects(connection, rejects)
        connection.run(_QUERIES["move_positions"])
    return Appended(records=records.num_rows, rejects=rejects.num_rows)


def append_records(connection: Connection, records: pa.Table, skipped: frozenset[int] = frozenset()) -> None:
    """Append records, with columns as in `append`, and invalidate the buckets at their times."""
    with connection.table("records", records):
        connection.run(_QUERIES["append_records"])
        connection.run(_QUERIES["invalidate"])
        note_stored(connection, records)
        add_late_records(connection, records, skipped)


def append_rejects(connection: Connection, rejects: pa.Table) -> None:
    """Append rejected lines, with columns as in `append`."""
    with connection.table("rejects", rejects):
        connection.run(_QUERIES["append_rejects"])


def _check_positions(connection: Connection, moves: Sequence[Move]) -> None:
    positions = {row["id"]: row for row in connection.rows(_QUERIES["positions_of"])}
    for move in moves:
        position = positions.get(move.file_id)
        if position is None:
            refuse_unknown_file(move.file_id)
        if position["byte_offset"] != move.start or position["finished"]:
            refuse_moved_file(move, position["byte_offset"])


def _table_of(moves: Sequence[Move]) -> pa.Table:
    return pa.table(
        {
            "file_id": pa.array([move.file_id for move in moves], pa.int32()),
            "until": pa.array([move.end for move in moves], pa.int64()),
            "head_size": pa.array([move.fingerprint.head_size for move in moves], pa.int32()),
            "head_hash": pa.array([move.fingerprint.head_hash for move in moves], pa.string()),
            "marker_size": pa.array([move.fingerprint.marker_size for move in moves], pa.int32()),
            "marker_hash": pa.array([move.fingerprint.marker_hash for move in moves], pa.string()),
            "finished": pa.array([move.finished for move in moves], pa.bool_()),
            "context": pa.array([move.context for move in moves], pa.string()),
        }
    )
