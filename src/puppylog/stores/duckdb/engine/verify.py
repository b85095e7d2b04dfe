"""Reading the whole database, to find out whether it can be read. DuckDB checks the checksum of each block it loads."""

import time
from dataclasses import dataclass
from typing import Final

from puppylog.stores.duckdb.engine.database import Connection
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores.duckdb", "verify.sql")

# Rows of one query, a few row groups: between two of them the time is looked at.
_SLICE_ROWS: Final = 8 * 122_880


@dataclass(frozen=True, slots=True)
class Verified:
    """How many rows of the database were read, newest first, and how many it has."""

    read: int
    rows: int


def verify(connection: Connection, within_s: float | None) -> Verified:
    """Read every column of every table, newest rows first, until all is read or the time is over.

    Args:
        connection: any.
        within_s: seconds; None reads all, however long it takes.

    Raises:
        StoreDamaged: a part cannot be read.
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
