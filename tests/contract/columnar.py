"""Makes records columnar at once, as the stores' own jobs do after a while."""

from collections.abc import Mapping
from typing import Any, Final

import psycopg

from contract.differences import CITUS, TIMESCALEDB, TIMESCALEDB_DISTRIBUTED
from support.embedded import wait_until
from support.server import StoreServer

_COMPRESS: Final = (
    "SELECT compress_chunk(chunk, if_not_compressed => true) FROM show_chunks('puppylog.log_records') AS chunk"
)
_COLUMNAR: Final = {
    TIMESCALEDB: _COMPRESS,
    TIMESCALEDB_DISTRIBUTED: "CALL puppylog.compress_job(0, NULL)",
    CITUS: """
        SELECT alter_table_set_access_method(format('puppylog.%I', name)::regclass, 'columnar')
        FROM puppylog.list_days() JOIN pg_class ON relname = name JOIN pg_am ON pg_am.oid = relam
        WHERE amname <> 'columnar'
    """,
}
"""SQL that makes all records columnar, on the stores that have such records; with data nodes, all of two days ago."""

_DECOMPRESS: Final = (
    "SELECT decompress_chunk(chunk, if_compressed => true) FROM show_chunks('puppylog.log_records') AS chunk"
)
_ORDINARY: Final = {
    TIMESCALEDB: _DECOMPRESS,
    TIMESCALEDB_DISTRIBUTED: f"LOCK TABLE ONLY puppylog.log_records IN ACCESS EXCLUSIVE MODE; {_DECOMPRESS}",
}
"""SQL that makes all records ordinary, on the stores that have chunks."""


def make_columnar(server: StoreServer) -> None:
    """Make all records columnar. A store without columnar records stays as it is."""
    _change(server, _COLUMNAR)


def make_ordinary(server: StoreServer) -> None:
    """Make all records of chunks ordinary. A store without chunks stays as it is."""
    _change(server, _ORDINARY)


def _change(server: StoreServer, changes: Mapping[str, str]) -> None:
    if server.name in changes:
        with psycopg.connect(server.database_url, autocommit=True) as connection:
            wait_until(lambda: _run(connection, changes[server.name]), what="changed records")


def _run(connection: "psycopg.Connection[Any]", sql: str) -> bool:
    """Run a statement; return False if the store's own job does the same at the same moment."""
    try:
        connection.execute(sql.encode())
    except (psycopg.errors.DuplicateObject, psycopg.errors.DeadlockDetected):
        return False
    return True
