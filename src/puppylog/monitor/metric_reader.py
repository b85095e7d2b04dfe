"""A reader for a command that asks several questions about metrics."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Final

import pyarrow as pa

from puppylog.stores.base import Parameters, RecordReader
from puppylog.stores.cancellation import Cancellation
from puppylog.stores.queries import load_queries

METRICS_SQL: Final = load_queries("puppylog.stores", "monitor.sql")["metrics"]
"""The query of the metrics and their levels."""


class MetricReader:
    """Passes queries to a reader, but asks for the metrics and their levels only once.

    Implements `puppylog.stores.base.RecordReader`. Each function that reads a metric needs to know its levels, and a
    command calls several of them. Answers stay right if the store changes meanwhile: buckets below a watermark of
    earlier are materialized. Not for a reader that is kept: it would never see new metrics.
    """

    def __init__(self, reader: RecordReader) -> None:
        self._reader = reader
        self._metrics: pa.Table | None = None  # the answer to METRICS_SQL

    def query(
        self, sql: str, parameters: Parameters | None = None, *, cancellation: Cancellation | None = None
    ) -> pa.Table:
        """Run a query as `RecordReader.query` does, unless it is the query of the metrics and was run before."""
        if sql != METRICS_SQL:
            return self._reader.query(sql, parameters, cancellation=cancellation)
        if self._metrics is None:
            self._metrics = self._reader.query(sql, parameters, cancellation=cancellation)
        return self._metrics

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
