"""The definitions that a file declares, or that a store has."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias

from puppylog.model.alert import Alert
from puppylog.model.metric import Metric, renewed
from puppylog.model.retention import KEEP_ALL, Retention
from puppylog.model.silence import Silence
from puppylog.monitor.names import list_names
from puppylog.stores.base import DefinitionStore, RecordReader, RetentionStore
from puppylog.stores.notification_store import NotificationStore


class Kind(StrEnum):
    GROUP = "group"
    METRIC = "metric"
    ALERT = "alert"
    SILENCE = "silence"
    RETENTION = "retention"  # there is one, and it has no name


Definition: TypeAlias = str | Metric | Alert | Silence | Retention
"""A definition of any kind. A group is its name."""


@dataclass(frozen=True, slots=True)
class DefinitionSet:
    """DefinitionSet of all kinds. No two of one kind have the same name."""

    groups: tuple[str, ...] = ()
    metrics: tuple[Metric, ...] = ()
    alerts: tuple[Alert, ...] = ()
    silences: tuple[Silence, ...] = ()
    retention: Retention | None = None  # None: all records are kept, or the file says nothing about this

    def by_name(self) -> Mapping[tuple[Kind, str], Definition]:
        """Return the definitions by kind and name. The name of the retention is empty."""
        return {
            **{(Kind.GROUP, name): name for name in self.groups},
            **{(Kind.METRIC, metric.name): metric for metric in self.metrics},
            **{(Kind.ALERT, alert.name): alert for alert in self.alerts},
            **{(Kind.SILENCE, silence.name): silence for silence in self.silences},
            **({} if self.retention is None else {(Kind.RETENTION, ""): self.retention}),
        }


class DefinedStore(DefinitionStore, NotificationStore, RetentionStore, RecordReader, Protocol):
    """What a file is applied to: the part of a store that has definitions, and answers queries about groups."""


def read_definitions(store: DefinedStore) -> DefinitionSet:
    """Return the definitions that a store has."""
    retention = store.get_retention()
    return DefinitionSet(
        groups=tuple(list_names(store, "group")),
        metrics=tuple(renewed(metric) for metric in store.list_metrics()),
        alerts=tuple(store.list_alerts()),
        silences=tuple(store.list_silences()),
        retention=None if retention == KEEP_ALL else retention,
    )
