"""One SQL statement in a database, in a connection of its own."""

from typing import Any

import psycopg


def ask(url: str, sql: str) -> list[tuple[Any, ...]]:
    """Run a statement and commit it; return its rows, and no rows if the statement has none."""
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(sql.encode())
        return cursor.fetchall() if cursor.description else []
