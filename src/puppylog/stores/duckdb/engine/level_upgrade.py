"""Gives levels to the metrics of a store that an earlier version has made."""

from dataclasses import replace

from puppylog.stores.aggregate import hidden_of
from puppylog.stores.duckdb.engine import levels
from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.duckdb.engine.definitions import BEGINNING_US, DEFINITIONS
from puppylog.stores.duckdb.engine.frozen import read_frozen
from puppylog.stores.duckdb.engine.stored import StoredMetric
from puppylog.stores.queries import load_queries
from puppylog.stores.sketches import has_sketch

_QUERIES = load_queries("puppylog.stores.duckdb", "levels.sql")
_CLOCK_QUERIES = load_queries("puppylog.stores.duckdb", "clock.sql")


def add_missing_levels(connection: Connection) -> None:
    """Create and fill the levels of metrics that have none, in the caller's transaction.

    If a metric needs hidden columns or sketch rows, its buckets are computed again by the next refresh, except frozen
    ones: these have only their values.
    """
    old = {row["id"] for row in connection.rows(_QUERIES["list_old"])}
    for stored in DEFINITIONS.list_metrics(connection) if old else []:
        if stored.id in old:
            _add_levels(connection, stored)


def _add_levels(connection: Connection, stored: StoredMetric) -> None:
    columns = [column for column in hidden_of(stored.metric, is_typed=True).split(", ") if column]
    for column in columns:
        connection.run(_QUERIES["add_column"].format(id=stored.id, column=column))
    DEFINITIONS.create_levels(connection, stored)
    watermark_us = stored.watermark_us
    if columns or has_sketch(stored.metric):
        watermark_us = min(watermark_us, max(read_frozen(connection).end_us(stored.metric.period_s), BEGINNING_US))
        bound = {"watermark_us": watermark_us}
        connection.run(_CLOCK_QUERIES["clear_above"].format(id=stored.id), bound)
        connection.run(_CLOCK_QUERIES["lower_watermark"], {**bound, "id": stored.id})
    empty = replace(stored, watermark_us=BEGINNING_US)
    levels.refill_levels(connection, empty, [(BEGINNING_US, watermark_us)], watermark_us)
