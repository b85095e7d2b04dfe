"""Replaces the rows of a file, and deletes streams. Each function runs in the caller's transaction.

Only one transaction at a time writes, so nothing changes between two statements of one transaction.
"""

import pyarrow as pa

from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.duckdb.engine.frozen import remove_records
from puppylog.stores.duckdb.engine.ingest import append_records, append_rejects
from puppylog.stores.duckdb.engine.tallies import note_deleted
from puppylog.stores.queries import load_queries
from puppylog.stores.rewriting import DeletedStream, ReadFile, Rewritten
from puppylog.stores.streams import check_read_file

_QUERIES = load_queries("puppylog.stores.duckdb", "rewriting.sql")


def rewrite(
    connection: Connection,
    file: ReadFile,
    context: str,
    rows: tuple[pa.Table, pa.Table],
    skipped: frozenset[int] = frozenset(),
) -> Rewritten:
    """Replace the rows of a file.

    Args:
        connection: the writer's connection.
        file: what the client has read.
        context: of the parser at the position.
        rows: the new records and rejected lines: columns of `model.record.RECORDS` and `model.record.REJECTS` with
            ``stream_id`` and ``file_id``.
        skipped: the ids of metrics whose frozen buckets are left as they are.

    Raises:
        StreamBusy: the position of the file is another one.
        StoreUnavailable: the first row of the file is another one.
    """
    condition = _QUERIES["of_file"].format(stream_id=int(file.stream_id), file_id=int(file.file_id))
    found = connection.rows(_QUERIES["find_stored"].format(condition=condition), {"file_id": file.file_id})
    check_read_file(file, found[0] if found else None)
    records, rejects = rows
    removed = _remove_rows(connection, condition, skipped)
    if records.num_rows:
        append_records(connection, records, skipped)
    if rejects.num_rows:
        append_rejects(connection, rejects)
    connection.run(_QUERIES["set_context"], {"file_id": file.file_id, "context": context})
    return Rewritten(*removed, records=records.num_rows, rejects=rejects.num_rows)


def delete_stream(connection: Connection, stream_id: int, skipped: frozenset[int] = frozenset()) -> DeletedStream:
    """Delete a stream with its rows and files. ``skipped`` as in `rewrite`."""
    files = int(connection.value(_QUERIES["count_files"], {"stream_id": stream_id}))
    records, rejects = _remove_rows(connection, _QUERIES["of_stream"].format(stream_id=int(stream_id)), skipped)
    connection.run(_QUERIES["delete_stream"].format(stream_id=int(stream_id)))
    return DeletedStream(records, rejects, files)


def _remove_rows(connection: Connection, condition: str, skipped: frozenset[int]) -> tuple[int, int]:
    """Delete rows and invalidate the buckets at their times; return how many records and rejected lines are gone."""
    (counts,) = connection.rows(_QUERIES["count_rows"].format(condition=condition))
    if counts["records"]:
        connection.run(_QUERIES["invalidate_removed"].format(condition=condition))
        remove_records(connection, condition, skipped)
        note_deleted(connection, condition)
        connection.run(_QUERIES["delete_records"].format(condition=condition))
    if counts["rejects"]:
        connection.run(_QUERIES["delete_rejects"].format(condition=condition))
    return counts["records"], counts["rejects"]
