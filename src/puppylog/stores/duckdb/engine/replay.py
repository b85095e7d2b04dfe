"""Replaces rejected lines by records: one transaction deletes the lines and stores the records.

Only one transaction at a time writes, so no other transaction can delete a line that this one has found.
"""

import pyarrow as pa

from puppylog.stores.base import Replayed
from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.duckdb.engine.ingest import append_records
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores.duckdb", "replay.sql")


def replay(connection: Connection, reread: pa.Table) -> Replayed:
    """Store the records of the lines that are still rejected, and delete these lines, in the caller's transaction.

    Args:
        connection: the writer's connection.
        reread: records of schema `spool.SPOOLED_REREAD`.
    """
    with connection.table("reread", reread):
        asked = int(connection.value(_QUERIES["count_lines"]))
        found = connection.fetch(_QUERIES["find_rejected"])
    if found.num_rows:
        if found.num_rows < asked:
            reread = reread.join(found, ["file_id", "rejected_offset"], join_type="left semi")
        append_records(connection, reread.drop_columns(["rejected_offset"]))
        with connection.table("found", found):
            connection.run(_QUERIES["forget_rejected"])
    return Replayed(lines=found.num_rows, missed=asked - found.num_rows, refused={})
