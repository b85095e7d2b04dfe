"""Groups, metrics and alerts in the embedded store. Each metric has a row, a rollup table and a view.

Only one thread writes, so one transaction at a time changes definitions.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from puppylog.errors import QueryError, UsageError
from puppylog.model.metric import Metric
from puppylog.stores import definitions
from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.duckdb.engine.stored import StoredAlert, StoredMetric
from puppylog.stores.queries import load_queries
from puppylog.stores.rows import alert_of, metric_of, values_of_metric

_QUERIES = load_queries("puppylog.stores.duckdb", "definitions.sql")
_EVIDENCE_QUERIES = load_queries("puppylog.stores.duckdb", "evidence.sql")
_ALERT_QUERIES = load_queries("puppylog.stores.duckdb", "alerts.sql")

BEGINNING_US: Final = -62_200_000_000_000_000
"""The watermark of a new metric, in microseconds since the epoch: before the year 1, so before every record."""


class EngineDefinitions(definitions.Definitions[Connection, StoredMetric, StoredAlert]):
    """The definitions of the embedded store."""

    metric_columns: ClassVar[str] = _QUERIES["metric_columns"]
    alert_columns: ClassVar[str] = _QUERIES["alert_columns"]

    def insert_group(self, connection: Connection, name: str) -> bool:
        return bool(connection.rows(_QUERIES["insert_group"], {"name": name}))

    def release_streams(self, connection: Connection, group_id: int) -> None:
        connection.run(_QUERIES["release_streams"], {"id": group_id})

    def read_metric(self, row: Mapping[str, Any]) -> StoredMetric:
        return StoredMetric(
            row["id"], metric_of(row), row["group_id"], row["watermark_us"], row["refreshed_seq"], row["refreshed_us"]
        )

    def read_alert(self, row: Mapping[str, Any]) -> StoredAlert:
        copied = ("metric_id", "metric_statistic", "metric_period_s", "metric_watermark_us", "evaluated_us", "error")
        return StoredAlert(row["id"], alert_of(row), **{name: row[name] for name in copied})

    def make_metric(self, connection: Connection, metric_id: int, metric: Metric, group_id: int | None) -> StoredMetric:
        # An engine without metrics starts without these.
        from puppylog.stores.aggregate import aggregate_sql, hidden_of, parts_of  # noqa: PLC0415 - see above

        stored = StoredMetric(metric_id, metric, group_id, BEGINNING_US, 0, None)
        _try(connection, stored)
        row = {**values_of_metric(metric), "id": metric_id, "group_id": group_id, "watermark_us": BEGINNING_US}
        connection.run(_QUERIES["insert_metric"], row)
        typed = f"{parts_of(metric, is_typed=True)}{hidden_of(metric, is_typed=True)}"
        connection.run(_QUERIES["create_rollup"].format(id=metric_id, typed=typed))
        where = _QUERIES["live_range"].format(id=metric_id)
        live = aggregate_sql(metric, "duckdb", group_id=group_id, where=where)
        view = _QUERIES["create_view"].format(id=metric_id, name=metric.name, parts=parts_of(metric), live=live)
        connection.run(view)
        self.create_levels(connection, stored)
        return stored

    def create_levels(self, connection: Connection, stored: StoredMetric) -> None:
        """Create the tables and views of the metric's levels, and record that it has them."""
        from puppylog.stores.duckdb.engine import levels  # noqa: PLC0415 - an engine without metrics starts without it

        levels.create_levels(connection, stored, _QUERIES["live_range"].format(id=stored.id))
        levels.note_levels(connection, stored.id)

    def insert_derived(
        self, connection: Connection, metric_id: int, metric: Metric, group_id: int | None
    ) -> StoredMetric:
        row = {**values_of_metric(metric), "id": metric_id, "group_id": group_id, "watermark_us": BEGINNING_US}
        connection.run(_QUERIES["insert_derived"], row)
        return StoredMetric(metric_id, metric, group_id, BEGINNING_US, 0, None)

    def drop_rollup(self, connection: Connection, stored: StoredMetric) -> None:
        from puppylog.stores.duckdb.engine import levels  # noqa: PLC0415 - an engine without metrics starts without it

        levels.drop_levels(connection, stored)
        connection.run(_QUERIES["drop_rollup"].format(id=stored.id))

    def drop_alert(self, connection: Connection, stored: StoredAlert) -> None:
        for query in ("delete_evidence", "delete_acknowledgements"):
            connection.run(_EVIDENCE_QUERIES[query], {"id": stored.id})
        for query in ("delete_states", "delete_history"):
            connection.run(_ALERT_QUERIES[query], {"id": stored.id})


DEFINITIONS: Final = EngineDefinitions()


def _try(connection: Connection, stored: StoredMetric) -> None:
    """Raise UsageError if DuckDB cannot compute the metric."""
    try:
        connection.fetch(_QUERIES["try_metric"].format(aggregate=stored.aggregate("true")))
    except QueryError as error:
        raise UsageError("create", f"metric {stored.metric.name!r}", error.cause, error.advice) from None
