"""A reader for a command that asks several questions about metrics."""

from typing import Final

from puppylog.monitor.remembering import RememberingReader
from puppylog.stores.base import RecordReader
from puppylog.stores.queries import load_queries

METRICS_SQL: Final = load_queries("puppylog.stores", "monitor.sql")["metrics"]
"""The query of the metrics and their levels."""


class MetricReader(RememberingReader):
    """Asks for the metrics and their levels only once.

    Each function that reads a metric needs to know its levels, and a command calls several of them. Answers stay right
    if the store changes meanwhile: buckets below a watermark of earlier are materialized.
    """

    def __init__(self, reader: RecordReader) -> None:
        super().__init__(reader, METRICS_SQL)
