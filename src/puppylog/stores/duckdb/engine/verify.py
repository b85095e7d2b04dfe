"""Reads the whole database to find damage. DuckDB checks the checksum of each block that it reads."""

import time
from dataclasses import dataclass
from typing import Final

from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores.duckdb", "verify.sql")

# The rows that one query reads: a few row groups. Between two queries the time limit is checked.
_SLICE_ROWS: Final = 8 * 122_880


@dataclass(frozen=True, slots=True)
class Verified:
    """How much of the database was read."""

    read: int  # rows that were read, the newest of each table first
    rows: int  # rows of all tables


def verify(connection: Connection, within_s: float | None) -> Verified:
    """Read every column of every table, the newest rows first, until the end or until the time is over.

    Args:
        connection: a connection that reads.
        within_s: the time in seconds; None for no limit.

    Raises:
        StoreDamaged: a part of the database cannot be read.
    """
    deadline = None if within_s is None else time.monotonic() + within_s
    tables = [row["name"] for row in connection.rows(_QUERIES["tables"])]
    rows = {name: int(connection.value(_QUERIES["count_rows"].format(table=name))) for name in tables}
    read = 0
    for name in rows:
        last = connection.value(_QUERIES["last_row"].format(table=name))
        for start in range(0 if last is None else last // _SLICE_ROWS * _SLICE_ROWS, -1, -_SLICE_ROWS):
            if deadline is not None and time.monotonic() > deadline:
                break
            bounds = {"start": start, "end": start + _SLICE_ROWS}
            read += connection.rows(_QUERIES["read_rows"].format(table=name), bounds)[0]["rows"]
    return Verified(read, sum(rows.values()))
