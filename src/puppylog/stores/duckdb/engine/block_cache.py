"""Limits the blocks of the database file that stay in memory after a backfill.

DuckDB keeps each block that it has written or read until its memory limit is reached. After 30 million lines these were
500 MB, of which an idle store needs nothing. The system has the file in its own cache, and frees that when it must.
"""

from contextlib import suppress
from typing import Final

from puppylog.errors import PuppylogError
from puppylog.stores.duckdb.engine.configuration import MEMORY_LIMIT_BYTES
from puppylog.stores.duckdb.engine.connection import Connection

KEPT_BYTES: Final = 64_000_000
"""Blocks of this size may stay. A batch of four row groups has some ten million bytes of them."""

_USED: Final = "SELECT sum(memory_usage_bytes)::BIGINT AS used FROM duckdb_memory() WHERE tag = 'BASE_TABLE'"


def release(connection: Connection) -> None:
    """Release the memory of blocks, if they take more than KEPT_BYTES.

    No query may run meanwhile, because it could fail.
    A memory limit that is lower for a moment makes DuckDB drop blocks. If it cannot drop enough, nothing changes.
    """
    if connection.value(_USED) <= KEPT_BYTES:
        return
    try:
        with suppress(PuppylogError):
            connection.run(f"SET GLOBAL memory_limit = '{KEPT_BYTES}B'")
    finally:
        connection.run(f"SET GLOBAL memory_limit = '{MEMORY_LIMIT_BYTES}B'")
