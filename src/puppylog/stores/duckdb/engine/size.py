"""The size of an embedded store."""

from puppylog.stores.duckdb.engine.database import Engine
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores.duckdb", "archive.sql")


def read_size(engine: Engine) -> int:
    """Return the size of the store in bytes: the used blocks of the database file, and the write-ahead log.

    Free blocks are not counted: DuckDB uses them again, and does not return them to the system.
    """
    with engine.read() as connection:
        used_bytes = int(connection.value(_QUERIES["used_bytes"]))
    try:
        return used_bytes + engine.log_path.stat().st_size
    except FileNotFoundError:  # a checkpoint has removed it
        return used_bytes
