"""Tallies of an engine of a test, and a reader that does not see them."""

from datetime import UTC, datetime

import pyarrow as pa

from puppylog.stores.base import Parameters
from puppylog.stores.cancellation import Cancellation
from puppylog.stores.duckdb.engine import tallies
from support.memory import MemoryReader
from support.retaining_store import RetainingStore

LATER_US = round(datetime(2100, 1, 1, tzinfo=UTC).timestamp() * 1_000_000)


class Reader(MemoryReader):
    """Reads the engine's database as a client does; can hide the tallies."""

    def __init__(self, store: RetainingStore, *, has_tallies: bool) -> None:
        self._store = store
        self._has_tallies = has_tallies

    def query(
        self, sql: str, parameters: Parameters | None = None, *, cancellation: Cancellation | None = None
    ) -> pa.Table:
        del cancellation
        if not self._has_tallies:
            sql = sql.replace("FROM puppylog.tallies", "FROM (FROM puppylog.tallies LIMIT 0) AS tallies")
        with self._store.engine.read() as connection:
            return connection.fetch(sql, parameters)


def make(store: RetainingStore) -> None:
    """Make the tallies of all days that have changed."""
    with store.engine.read() as connection:
        due = tallies.list_due(connection, LATER_US)
    assert all(tallies.make_tallies(store.engine, start_us) for start_us in due)
