"""A store in memory that has definitions only, and refuses what the other stores refuse."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime

import pyarrow as pa

from puppylog.config.definition_set import DefinitionSet, read_definitions
from puppylog.errors import AlreadyExists, NotFound, UsageError
from puppylog.model.alert import Alert
from puppylog.model.derived import define_derived, is_derived, list_inputs
from puppylog.model.metric import Metric
from puppylog.model.notification import Outcome
from puppylog.model.obstacle import find_metric_obstacle, keeps_states
from puppylog.model.retention import KEEP_ALL, Retention
from puppylog.model.silence import Silence
from puppylog.stores.base import Parameters
from puppylog.stores.cancellation import Cancellation


class MemoryDefinitions:
    """Implements `DefinedStore`."""

    def __init__(self, definitions: DefinitionSet | None = None) -> None:
        definitions = definitions or DefinitionSet()
        self.groups = {*definitions.groups, *(metric.group for metric in definitions.metrics if metric.group)}
        self.metrics = {metric.name: metric for metric in definitions.metrics}
        self.alerts = {alert.name: alert for alert in definitions.alerts}
        self.silences = {silence.name: silence for silence in definitions.silences}
        self.retention = definitions.retention or KEEP_ALL

    def read(self) -> DefinitionSet:
        return read_definitions(self)

    def set_silence(self, silence: Silence) -> bool:
        is_changed = self.silences.get(silence.name) != silence
        self.silences[silence.name] = silence
        return is_changed

    def end_silence(self, name: str, at: datetime) -> None:
        if name not in self.silences:
            raise NotFound("find", name)
        silence = self.silences.pop(name)
        if silence.starts_at < at:
            self.silences[name] = replace(silence, ends_at=min(at, silence.ends_at))

    def list_silences(self) -> Sequence[Silence]:
        return [self.silences[name] for name in sorted(self.silences)]

    def claim_sending(self) -> bool:
        raise NotImplementedError

    def release_sending(self) -> None:
        raise NotImplementedError

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        raise NotImplementedError

    def acknowledge(self, alert: str, segment: str | None, author: str, comment: str) -> int:
        raise NotImplementedError

    def set_retention(self, retention: Retention) -> bool:
        is_changed = self.retention != retention
        self.retention = retention
        return is_changed

    def get_retention(self) -> Retention:
        return self.retention

    def query(
        self, sql: str, parameters: Parameters | None = None, *, cancellation: Cancellation | None = None
    ) -> pa.Table:
        del sql, cancellation
        assert parameters == {"kind": "group"}
        return pa.table({"name": pa.array(sorted(self.groups), pa.string())})

    def stream_query(
        self,
        sql: str,
        parameters: Parameters | None = None,
        *,
        timeout_s: float | None = None,
        cancellation: Cancellation | None = None,
    ) -> AbstractContextManager[Iterator[pa.RecordBatch]]:
        raise NotImplementedError(sql, parameters, timeout_s, cancellation)

    def create_group(self, name: str) -> bool:
        is_new = name not in self.groups
        self.groups.add(name)
        return is_new

    def delete_group(self, name: str) -> None:
        raise NotImplementedError

    def create_metric(self, metric: Metric) -> bool:
        if (known := self.metrics.get(metric.name)) is not None:
            if known != metric:
                raise AlreadyExists("create", metric.name)
            return False
        self._put(metric)
        return True

    def _put(self, metric: Metric) -> None:
        if metric.group is not None and metric.group not in self.groups:
            raise NotFound("find", metric.group)
        if is_derived(metric):
            metric = define_derived(metric.name, metric.property, self.metrics)
        self.metrics[metric.name] = metric

    def update_metric(self, metric: Metric) -> bool:
        if metric.name not in self.metrics:
            raise NotFound("find", metric.name)
        before = self.metrics[metric.name]
        if obstacle := find_metric_obstacle(before, metric, self.alerts.values(), self.metrics):
            raise UsageError("update", metric.name, obstacle.cause)
        self._put(metric)
        return before != metric

    def delete_metric(self, name: str) -> None:
        if name not in self.metrics:
            raise NotFound("find", name)
        for alert in self.alerts.values():
            if alert.metric == name:
                raise UsageError("delete", name, alert.name)
        for other in self.metrics.values():
            if name in list_inputs(other):
                raise UsageError("delete", name, other.name)
        del self.metrics[name]

    def list_metrics(self) -> Sequence[Metric]:
        return [self.metrics[name] for name in sorted(self.metrics)]

    def create_alert(self, alert: Alert) -> bool:
        if alert.metric not in self.metrics:
            raise NotFound("find", alert.metric)
        if (known := self.alerts.get(alert.name)) is not None:
            if known != alert:
                raise AlreadyExists("create", alert.name)
            return False
        self.alerts[alert.name] = alert
        return True

    def update_alert(self, alert: Alert) -> bool:
        if alert.name not in self.alerts:
            raise NotFound("find", alert.name)
        before = self.alerts[alert.name]
        if not keeps_states(before, alert):
            raise UsageError("update", alert.name)
        self.alerts[alert.name] = alert
        return before != alert

    def delete_alert(self, name: str) -> None:
        if name not in self.alerts:
            raise NotFound("find", name)
        del self.alerts[name]

    def list_alerts(self) -> Sequence[Alert]:
        return [self.alerts[name] for name in sorted(self.alerts)]
