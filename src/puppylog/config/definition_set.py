"""The definitions that a file declares, or that a store has."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias

from puppylog.model.alert import Alert
from puppylog.model.metric import Metric
from puppylog.monitor.names import list_names
from puppylog.stores.base import DefinitionStore, RecordReader


class Kind(StrEnum):
    GROUP = "group"
    METRIC = "metric"
    ALERT = "alert"


Definition: TypeAlias = str | Metric | Alert
"""A definition of any kind. A group is its name."""


@dataclass(frozen=True, slots=True)
class DefinitionSet:
    """DefinitionSet of all kinds. No two of one kind have the same name."""

    groups: tuple[str, ...] = ()
    metrics: tuple[Metric, ...] = ()
    alerts: tuple[Alert, ...] = ()

    def by_name(self) -> Mapping[tuple[Kind, str], Definition]:
        """Return the definitions by kind and name: metrics before alerts."""
        return {
            **{(Kind.GROUP, name): name for name in self.groups},
            **{(Kind.METRIC, metric.name): metric for metric in self.metrics},
            **{(Kind.ALERT, alert.name): alert for alert in self.alerts},
        }


class DefinedStore(DefinitionStore, RecordReader, Protocol):
    """What a file is applied to: the part of a store that has definitions, and answers queries about groups."""


def read_definitions(store: DefinedStore) -> DefinitionSet:
    """Return the definitions that a store has."""
    return DefinitionSet(
        groups=tuple(list_names(store, "group")),
        metrics=tuple(store.list_metrics()),
        alerts=tuple(store.list_alerts()),
    )
