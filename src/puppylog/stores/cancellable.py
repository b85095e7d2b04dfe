"""A reader of a store whose queries another thread can end."""

from collections.abc import Iterator
from contextlib import AbstractContextManager

import pyarrow as pa

from puppylog.stores.base import Parameters, Store, StoreInfo
from puppylog.stores.cancellation import Cancellation


class CancellableReader:
    """Passes queries to a store, each with the same cancellation. Implements `puppylog.stores.base.RecordReader`.

    A function that asks a store several questions needs no other argument for it: after the cancellation, the question
    that runs fails, and so does every later one.
    """

    def __init__(self, store: Store, cancellation: Cancellation) -> None:
        self._store = store
        self._cancellation = cancellation

    @property
    def info(self) -> StoreInfo:
        """What kind of store it is."""
        return self._store.info

    def query(
        self, sql: str, parameters: Parameters | None = None, *, cancellation: Cancellation | None = None
    ) -> pa.Table:
        """Run a query as `Store.query` does. Another cancellation takes the place of the reader's own."""
        return self._store.query(sql, parameters, cancellation=cancellation or self._cancellation)

    def stream_query(
        self,
        sql: str,
        parameters: Parameters | None = None,
        *,
        timeout_s: float | None = None,
        cancellation: Cancellation | None = None,
    ) -> AbstractContextManager[Iterator[pa.RecordBatch]]:
        """Run a user's SQL as `Store.stream_query` does."""
        return self._store.stream_query(
            sql, parameters, timeout_s=timeout_s, cancellation=cancellation or self._cancellation
        )
