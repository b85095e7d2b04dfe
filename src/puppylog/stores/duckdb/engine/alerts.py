"""Alerts in the store: a row each, their states and their history. Each function is one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from puppylog.model.alert import Alert
from puppylog.stores.catalog import get_found, refuse_other
from puppylog.stores.duckdb.engine.database import Connection
from puppylog.stores.duckdb.engine.metrics import get_metric
from puppylog.stores.queries import load_queries
from puppylog.stores.rows import alert_of, values_of_alert

_QUERIES = load_queries("puppylog.stores.duckdb", "alerts.sql")


@dataclass(frozen=True, slots=True)
class StoredAlert:
    """An alert as the store has it: its definition, what it needs of its metric, and how far it is evaluated."""

    id: int
    alert: Alert
    metric_statistic: str
    metric_period_s: int
    evaluated_us: int
    error: str | None


def list_alerts(connection: Connection) -> list[StoredAlert]:
    """In the order of their names."""
    return [_stored(row) for row in connection.rows(_QUERIES["list_alerts"])]


def find_alert(connection: Connection, name: str) -> StoredAlert | None:
    return next((stored for stored in list_alerts(connection) if stored.alert.name == name), None)


def create_alert(connection: Connection, alert: Alert) -> bool:
    """Make the alert; return whether it is new.

    Raises:
        AlreadyExists: the name belongs to another definition.
        NotFound: there is no such metric.
    """
    metric = get_metric(connection, alert.metric)
    found = find_alert(connection, alert.name)
    if found is not None:
        refuse_other(alert, is_same=found.alert == alert)
        return False
    connection.run(_QUERIES["insert_alert"], values_of_alert(alert, metric.id))
    return True


def delete_alert(connection: Connection, name: str) -> None:
    """Forget the alert, its states and its history.

    Raises:
        NotFound: there is none of that name.
    """
    stored = get_found(find_alert(connection, name), "alert", name)
    for query in ("delete_states", "delete_history", "delete_alert"):
        connection.run(_QUERIES[query], {"id": stored.id})


def _stored(row: Mapping[str, Any]) -> StoredAlert:
    return StoredAlert(
        row["id"], alert_of(row), row["metric_statistic"], row["metric_period_s"], row["evaluated_us"], row["error"]
    )
