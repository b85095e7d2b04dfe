"""Rejected lines that have been read again become records: one transaction deletes the lines and stores the records.

One transaction at a time writes, so a rejected line that is found stays until this transaction deletes it.
"""

import pyarrow as pa

from puppylog.stores.base import Replayed
from puppylog.stores.duckdb.engine.database import Connection
from puppylog.stores.duckdb.engine.ingest import append_records
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores.duckdb", "replay.sql")


def replay(connection: Connection, reread: pa.Table) -> Replayed:
    """Turn the lines that are rejected still into records, within the caller's transaction.

    Args:
        connection: the writer's.
        reread: columns of `spool.SPOOLED_REREAD`.
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
