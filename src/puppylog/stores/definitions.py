"""Groups, metrics and alerts, in one implementation for every store.

A definition is a row. A metric also has a rollup table and a view, which differ between stores: a subclass of
`Definitions` creates and drops them. This module finds, lists, creates and deletes the rows, and checks references.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Generic, TypeVar

from puppylog.errors import AlreadyExists, NotFound, UsageError
from puppylog.model.alert import TELLING_FIELDS, Alert
from puppylog.model.derived import define_derived, find_ancestors, is_derived, list_inputs, order_by_depth
from puppylog.model.identifier import parse_identifier
from puppylog.model.metric import Metric, renewed
from puppylog.model.obstacle import find_metric_obstacle, keeps_states
from puppylog.model.outbox import DELETED
from puppylog.stores.derived import derived_sql
from puppylog.stores.queries import load_queries, parameters_of
from puppylog.stores.rows import values_of_alert
from puppylog.stores.sql_connection import SqlConnection

_QUERIES = load_queries("puppylog.stores", "definitions.sql")


@dataclass(frozen=True, slots=True)
class StoredMetric:
    """A metric with its id in the store and the id of its group."""

    id: int
    metric: Metric
    group_id: int | None


@dataclass(frozen=True, slots=True)
class StoredAlert:
    """An alert with its id in the store."""

    id: int
    alert: Alert


C = TypeVar("C", bound=SqlConnection)
M = TypeVar("M", bound=StoredMetric)
A = TypeVar("A", bound=StoredAlert)


class Definitions(ABC, Generic[C, M, A]):
    """The definitions of one kind of store. Each method runs in the caller's transaction and keeps no state.

    A store must let only one transaction at a time change definitions. `create_group` may run at any time.
    """

    metric_columns: ClassVar[str]
    """SQL: the columns of ``metrics`` that only this kind of store has, each with a comma before it."""

    alert_columns: ClassVar[str]
    """The same for ``alerts``. The SQL can also use the columns of the alert's metric, as ``metrics.…``."""

    # --- implemented by each kind of store

    @abstractmethod
    def insert_group(self, connection: C, name: str) -> bool:
        """Insert the group unless it exists; return whether it is new."""

    @abstractmethod
    def release_streams(self, connection: C, group_id: int) -> None:
        """Remove the streams from a group that is about to be deleted. May do nothing if a foreign key does this."""

    @abstractmethod
    def read_metric(self, row: Mapping[str, Any]) -> M:
        """Return the metric of a row, which has the columns of the definition and those in `metric_columns`."""

    @abstractmethod
    def read_alert(self, row: Mapping[str, Any]) -> A:
        """Return the alert of a row, which has the columns of the definition and those in `alert_columns`."""

    @abstractmethod
    def make_metric(self, connection: C, metric_id: int, metric: Metric, group_id: int | None) -> M:
        """Insert the row of a new metric, and create its rollup and its view. The rollup is empty at first.

        Raises:
            UsageError: the store cannot compute the metric, or would drop its records before its buckets are final.
        """

    @abstractmethod
    def insert_derived(self, connection: C, metric_id: int, metric: Metric, group_id: int | None) -> M:
        """Insert the row of a new derived metric. It has no rollup and is never refreshed."""

    def note_inputs(self, connection: C, metric: Metric, known: Mapping[str, Metric]) -> None:
        """Store what a derived metric needs of its inputs, which are among ``known``. May do nothing.

        Called after the metric was created, and after an input of it was updated.
        """

    @abstractmethod
    def drop_rollup(self, connection: C, stored: M) -> None:
        """Drop the rollup of a metric that is not derived. Its view was dropped before, its row is deleted after."""

    @abstractmethod
    def drop_alert(self, connection: C, stored: A) -> None:
        """Delete the states and the history of an alert. May do nothing if a foreign key does this."""

    # --- groups

    def create_group(self, connection: C, name: str) -> bool:
        """Create the group unless it exists; return whether it is new.

        Raises:
            UsageError: a group cannot have this name.
        """
        parse_identifier(name, "group")
        return self.insert_group(connection, name)

    def get_group_id(self, connection: C, name: str) -> int:
        """Return the id of the group.

        Raises:
            NotFound: there is no such group.
        """
        rows = connection.rows(_QUERIES["find_group"], {"name": name})
        return int(_get_found(rows[0] if rows else None, "group", name)["id"])

    def delete_group(self, connection: C, name: str) -> None:
        """Delete the group and keep its streams.

        Raises:
            NotFound: there is no such group.
            UsageError: a metric is limited to the group.
        """
        group_id = self.get_group_id(connection, name)
        metrics = [row["name"] for row in connection.rows(_QUERIES["metrics_of_group"], {"id": group_id})]
        _refuse_deletion("group", name, metrics, "metric {} is limited to it")
        self.release_streams(connection, group_id)
        connection.run(_QUERIES["delete_group"], {"id": group_id})

    def forget_stream(self, connection: C, source_uri: str) -> None:
        """Delete the report about a stream.

        Raises:
            NotFound: there is no report about such a stream.
        """
        if not connection.rows(_QUERIES["find_report"], {"source_uri": source_uri}):
            raise NotFound("forget", f"stream {source_uri}", "no collector has reported it")
        connection.run(_QUERIES["delete_report"], {"source_uri": source_uri})

    # --- metrics

    def list_metrics(self, connection: C) -> list[M]:
        """Return all metrics in the order of their names."""
        sql = _QUERIES["list_metrics"].format(columns=self.metric_columns, condition="")
        return [self.read_metric(row) for row in connection.rows(sql)]

    def find_metric(self, connection: C, name: str) -> M | None:
        """Return the metric of that name, or None."""
        sql = _QUERIES["list_metrics"].format(columns=self.metric_columns, condition=_QUERIES["of_metric_name"])
        return next((self.read_metric(row) for row in connection.rows(sql, {"name": name})), None)

    def get_metric(self, connection: C, name: str) -> M:
        """Return the metric of that name.

        Raises:
            NotFound: there is no such metric.
        """
        return _get_found(self.find_metric(connection, name), "metric", name)

    def create_metric(self, connection: C, metric: Metric) -> M | None:
        """Create the metric and return it, or None if it exists. The store computes its buckets when they are read.

        Raises:
            AlreadyExists: another definition has the name.
            NotFound: there is no such group.
            ExpressionError: the formula of a derived metric does not fit to the metrics of the store.
            UsageError: the store cannot compute the metric, or would drop its records before its buckets are final.
        """
        found = self.find_metric(connection, metric.name)
        if found is not None:
            # Metrics that differ only in how often they are refreshed have the same buckets.
            _refuse_other(
                "metric", metric.name, is_same=replace(renewed(found.metric), refresh_s=metric.refresh_s) == metric
            )
            return None
        return self._make(connection, metric, self._metrics_by_name(connection))

    def update_metric(self, connection: C, metric: Metric) -> M | None:
        """Replace the definition of the metric of this name and return it, or None if it is the same.

        Its buckets are computed again when they are read, except if only the time between two refreshes differs. Alerts
        that judge the metric keep their states and history.

        Raises:
            NotFound: there is no such metric, or no such group.
            UsageError: an alert could not judge the metric, or see `make_metric`.
        """
        stored = self.get_metric(connection, metric.name)
        if renewed(stored.metric) == metric:
            return None
        known = self._metrics_by_name(connection)
        if replace(renewed(stored.metric), refresh_s=metric.refresh_s) == metric:
            connection.run(_QUERIES["change_refresh"], {"id": stored.id, "refresh_s": metric.refresh_s})
            return self.get_metric(connection, metric.name)
        alerts = [stored_alert.alert for stored_alert in self.list_alerts(connection)]
        obstacle = find_metric_obstacle(stored.metric, metric, alerts, known)
        if obstacle is not None:
            raise UsageError("update", f"metric {metric.name!r}", obstacle.cause)
        derived = [other for other in order_by_depth(known) if metric.name in find_ancestors(other.name, known)]
        for other in reversed(derived):
            connection.run(_QUERIES["drop_view"].format(name=other.name))
        self._drop(connection, stored)
        connection.run(_QUERIES["free_metric_name"], {"id": stored.id})
        made = self._make(connection, metric, known)
        for other in derived:
            self._create_derived_view(connection, other, {**known, metric.name: metric})
        connection.run(_QUERIES["move_alerts"], {"from_id": stored.id, "to_id": made.id})
        connection.run(_QUERIES["delete_metric"], {"id": stored.id})
        return made

    def _metrics_by_name(self, connection: C) -> dict[str, Metric]:
        return {stored.metric.name: stored.metric for stored in self.list_metrics(connection)}

    def _make(self, connection: C, metric: Metric, known: Mapping[str, Metric]) -> M:
        """Make a metric whose name is free, as `make_metric` does. ``known`` has the metrics of the store by name."""
        if is_derived(metric):
            metric = define_derived(metric.name, metric.property, known)
        group_id = None if metric.group is None else self.get_group_id(connection, metric.group)
        metric_id = int(connection.value(_QUERIES["next_id"]))
        if not is_derived(metric):
            return self.make_metric(connection, metric_id, metric, group_id)
        made = self.insert_derived(connection, metric_id, metric, group_id)
        self._create_derived_view(connection, metric, known)
        return made

    def _create_derived_view(self, connection: C, metric: Metric, known: Mapping[str, Metric]) -> None:
        inputs = [known[name] for name in list_inputs(metric)]
        query = derived_sql(metric, inputs, lambda source: _QUERIES["observations"].format(name=source.name))
        connection.run(_QUERIES["create_derived_view"].format(name=metric.name, query=query))
        self.note_inputs(connection, metric, known)

    def _drop(self, connection: C, stored: M) -> None:
        connection.run(_QUERIES["drop_view"].format(name=stored.metric.name))
        if not is_derived(stored.metric):
            self.drop_rollup(connection, stored)

    def delete_metric(self, connection: C, name: str) -> None:
        """Delete the metric and its buckets, and keep the records.

        Raises:
            NotFound: there is no such metric.
            UsageError: an alert judges the metric, or another metric is derived from it.
        """
        stored = self.get_metric(connection, name)
        alerts = [row["name"] for row in connection.rows(_QUERIES["alerts_of_metric"], {"id": stored.id})]
        _refuse_deletion("metric", name, alerts, "alert {} judges it")
        derived = [other.metric.name for other in self.list_metrics(connection) if name in list_inputs(other.metric)]
        _refuse_deletion("metric", name, derived, "metric {} is derived from it")
        self._drop(connection, stored)
        connection.run(_QUERIES["delete_metric"], {"id": stored.id})

    # --- alerts

    def list_alerts(self, connection: C) -> list[A]:
        """Return all alerts in the order of their names."""
        sql = _QUERIES["list_alerts"].format(columns=self.alert_columns, condition="")
        return [self.read_alert(row) for row in connection.rows(sql)]

    def find_alert(self, connection: C, name: str) -> A | None:
        """Return the alert of that name, or None."""
        sql = _QUERIES["list_alerts"].format(columns=self.alert_columns, condition=_QUERIES["of_alert_name"])
        return next((self.read_alert(row) for row in connection.rows(sql, {"name": name})), None)

    def get_alert(self, connection: C, name: str) -> A:
        """Return the alert of that name.

        Raises:
            NotFound: there is no such alert.
        """
        return _get_found(self.find_alert(connection, name), "alert", name)

    def create_alert(self, connection: C, alert: Alert) -> bool:
        """Create the alert; return whether it is new. Its first evaluation is due one period from now.

        Raises:
            AlreadyExists: another definition has the name.
            NotFound: there is no such metric.
        """
        metric = self.get_metric(connection, alert.metric)
        found = self.find_alert(connection, alert.name)
        if found is not None:
            _refuse_other("alert", alert.name, is_same=found.alert == alert)
            return False
        connection.run(_QUERIES["insert_alert"], values_of_alert(alert, metric.id))
        return True

    def update_alert(self, connection: C, alert: Alert) -> bool:
        """Replace the definition of the alert of this name; return whether it differs. Keep its states and history.

        Raises:
            NotFound: there is no such alert.
            UsageError: the alert judges another metric, or judges its segments in the other way.
        """
        stored = self.get_alert(connection, alert.name)
        if stored.alert == alert:
            return False
        if not keeps_states(stored.alert, alert):
            cause = "its states belong to its metric and segments, which stay the same"
            raise UsageError("update", f"alert {alert.name!r}", cause, advice="create another alert")
        # Who is told, and how, has no effect on what is judged.
        telling = {name: getattr(alert, name) for name in TELLING_FIELDS}
        sql = _QUERIES["change_telling" if replace(stored.alert, **telling) == alert else "update_alert"]
        columns = {**values_of_alert(alert, metric_id=0), "id": stored.id}
        connection.run(sql, {name: columns[name] for name in parameters_of(sql)})
        return True

    def delete_alert(self, connection: C, name: str) -> None:
        """Delete the alert, its states and its history. Contacts that were told of a problem are told that it ends.

        Raises:
            NotFound: there is no such alert.
        """
        stored = self.get_alert(connection, name)
        connection.run(_QUERIES["tell_deletion"], {"id": stored.id, "reason": DELETED})
        self.drop_alert(connection, stored)
        connection.run(_QUERIES["delete_alert"], {"id": stored.id})


T = TypeVar("T")


def _get_found(found: T | None, what: str, name: str) -> T:
    if found is None:
        raise NotFound("find", f"{what} {name!r}", "there is none of that name")
    return found


def _refuse_other(what: str, name: str, *, is_same: bool) -> None:
    """Raise AlreadyExists unless the existing definition of that name is the same."""
    if not is_same:
        raise AlreadyExists("create", f"{what} {name!r}", "the name belongs to another definition")


def _refuse_deletion(what: str, name: str, users: Sequence[str], use: str) -> None:
    """Raise UsageError if other definitions use this one.

    Args:
        what: "group" or "metric".
        name: the name of the group or metric.
        users: the names of the definitions that use it.
        use: says how they use it, as in "metric {} is limited to it".
    """
    if users:
        raise UsageError("delete", f"{what} {name!r}", use.format(", ".join(users)))
