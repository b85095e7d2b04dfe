"""A reader for a command that asks one query again and again."""

from collections.abc import Iterator
from contextlib import AbstractContextManager

import pyarrow as pa

from puppylog.stores.base import Parameters, RecordReader, Value
from puppylog.stores.cancellation import Cancellation


class RememberingReader:
    """Passes queries to a reader, but asks one of them only once for the same parameters.

    Implements `puppylog.stores.base.RecordReader`. Not for a reader that is kept: it would never see what is new.
    """

    def __init__(self, reader: RecordReader, sql: str) -> None:
        """Remember the answers to the query ``sql``."""
        self._reader = reader
        self._sql = sql
        self._answers: dict[frozenset[tuple[str, Value]], pa.Table] = {}  # by the parameters

    def query(
        self, sql: str, parameters: Parameters | None = None, *, cancellation: Cancellation | None = None
    ) -> pa.Table:
        """Run a query as `RecordReader.query` does, unless it is the remembered one and was run before."""
        if sql != self._sql:
            return self._reader.query(sql, parameters, cancellation=cancellation)
        asked = frozenset((parameters or {}).items())
        if asked not in self._answers:
            self._answers[asked] = self._reader.query(sql, parameters, cancellation=cancellation)
        return self._answers[asked]

    def stream_query(
        self,
        sql: str,
        parameters: Parameters | None = None,
        *,
        timeout_s: float | None = None,
        cancellation: Cancellation | None = None,
    ) -> AbstractContextManager[Iterator[pa.RecordBatch]]:
        """Run a user's SQL as `RecordReader.stream_query` does."""
        return self._reader.stream_query(sql, parameters, timeout_s=timeout_s, cancellation=cancellation)
