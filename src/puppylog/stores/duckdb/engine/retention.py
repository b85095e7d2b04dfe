"""Which records the embedded store keeps: the setting, which is a row of the database."""

from puppylog.model.retention import Retention
from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores.duckdb", "retention.sql")


def read_retention(connection: Connection) -> Retention:
    """Return which records the store keeps."""
    (row,) = connection.rows(_QUERIES["read_retention"])
    groups = tuple((group["group_name"], group["keep_s"]) for group in connection.rows(_QUERIES["read_groups"]))
    return Retention(**row, groups=groups)


def write_retention(connection: Connection, retention: Retention) -> bool:
    """Store which records are kept, in the caller's transaction; return whether this is a change."""
    if read_retention(connection) == retention:
        return False
    values = {"keep_s": retention.keep_s, "max_bytes": retention.max_bytes, "archive": retention.archive}
    connection.run(_QUERIES["write_retention"], values)
    connection.run(_QUERIES["delete_groups"])
    for name, keep_s in retention.groups:
        connection.run(_QUERIES["insert_group"], {"group_name": name, "keep_s": keep_s})
    return True
