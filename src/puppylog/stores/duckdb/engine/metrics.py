"""Metrics in the store: a row each, and from the row a rollup table and a view. Each function is one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from puppylog.errors import QueryError, UsageError
from puppylog.model.metric import Metric
from puppylog.stores.catalog import get_found, is_same_metric, refuse_deletion, refuse_other
from puppylog.stores.duckdb.engine.database import Connection
from puppylog.stores.duckdb.engine.streams import get_group_id
from puppylog.stores.queries import load_queries
from puppylog.stores.rows import metric_of, values_of_metric

_QUERIES = load_queries("puppylog.stores.duckdb", "metrics.sql")

# Below every instant that a log can name: the year 1 minus a margin, in microseconds.
BEGINNING_US = -62_200_000_000_000_000


@dataclass(frozen=True, slots=True)
class StoredMetric:
    """A metric as the store has it: its definition, and how far it is materialized."""

    id: int
    metric: Metric
    group_id: int | None
    watermark_us: int
    refreshed_seq: int
    refreshed_us: int | None

    def aggregate(self, where: str) -> str:
        """Return the SQL that computes its buckets from the records that ``where`` leaves."""
        from puppylog.stores.aggregate import aggregate_sql  # noqa: PLC0415 - an engine without metrics starts without it

        return aggregate_sql(self.metric, "duckdb", group_id=self.group_id, where=where)


def list_metrics(connection: Connection) -> list[StoredMetric]:
    """In the order of their names."""
    return [_stored(row) for row in connection.rows(_QUERIES["list_metrics"])]


def find_metric(connection: Connection, name: str) -> StoredMetric | None:
    return next((stored for stored in list_metrics(connection) if stored.metric.name == name), None)


def get_metric(connection: Connection, name: str) -> StoredMetric:
    """Return the metric of that name.

    Raises:
        NotFound: there is none.
    """
    return get_found(find_metric(connection, name), "metric", name)


def create_metric(connection: Connection, metric: Metric) -> StoredMetric | None:
    """Make the metric with everything read live, and return it; None if the same one is there already.

    Raises:
        AlreadyExists: the name belongs to another definition.
        NotFound: no such group.
        UsageError: the store cannot compute it.
    """
    found = find_metric(connection, metric.name)
    if found is not None:
        refuse_other(metric, is_same=is_same_metric(found.metric, metric))
        return None
    group_id = None if metric.group is None else get_group_id(connection, metric.group)
    number = int(connection.value("SELECT nextval('puppylog.ids')"))
    stored = StoredMetric(number, metric, group_id, BEGINNING_US, 0, None)
    _try(connection, stored)
    row = {**values_of_metric(metric), "id": number, "group_id": group_id, "watermark_us": BEGINNING_US}
    connection.run(_QUERIES["insert_metric"], row)
    connection.run(_QUERIES["create_rollup"].format(id=number))
    live = stored.aggregate(_QUERIES["live_range"].format(id=number))
    connection.run(_QUERIES["create_view"].format(id=number, name=metric.name, live=live))
    return stored


def delete_metric(connection: Connection, name: str) -> None:
    """Forget the metric and its rollup; the records stay.

    Raises:
        NotFound: there is none of that name.
        UsageError: an alert judges it.
    """
    stored = get_metric(connection, name)
    alerts = [row["name"] for row in connection.rows(_QUERIES["alerts_of_metric"], {"id": stored.id})]
    refuse_deletion("metric", name, alerts, "alert {} judges it")
    connection.run(_QUERIES["drop_view"].format(name=name))
    connection.run(_QUERIES["drop_rollup"].format(id=stored.id))
    connection.run(_QUERIES["delete_metric"], {"id": stored.id})


def _try(connection: Connection, stored: StoredMetric) -> None:
    try:
        connection.fetch(_QUERIES["try_metric"].format(aggregate=stored.aggregate("true")))
    except QueryError as error:
        raise UsageError("create", f"metric {stored.metric.name!r}", error.cause, error.advice) from None


def _stored(row: Mapping[str, Any]) -> StoredMetric:
    return StoredMetric(
        row["id"], metric_of(row), row["group_id"], row["watermark_us"], row["refreshed_seq"], row["refreshed_us"]
    )
