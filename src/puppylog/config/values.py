"""The values that the files give: sources, definitions, retention, the server. All are frozen and have been checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from puppylog.collect.containers import Runtime
from puppylog.config.contacts import ContactConfig
from puppylog.config.definitions import AlertConfig, MetricConfig, define_alerts, define_metrics
from puppylog.config.listen import ListenConfig
from puppylog.model.alert import Alert
from puppylog.model.labels import Labels
from puppylog.model.metric import Metric
from puppylog.model.retention import Retention
from puppylog.model.silence import Silence


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceConfig:
    """Files or a journal that are collected, and how: a table ``[[source]]``. The fields are those of `SourceTable`."""

    paths: tuple[str, ...]  # absolute; of a journal, its text as `puppylog.tail.journal.source.JournalSource`
    format: str
    format_file: Path | None = None  # absolute
    group: str | None = None
    tz: str | None = None  # a name of a zone; None: the zone of the settings
    year: int | None = None
    labels: Labels = field(default_factory=dict, hash=False)  # a mapping has no hash; equality compares it
    runtime: Runtime | None = None
    pod_labels: tuple[str, ...] = ()
    from_end: bool = False
    multiline: str = "auto"
    multiline_timeout_s: float
    now: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What the tables of the files say. The scalar keys are in `puppylog.settings.Settings`."""

    files: tuple[Path, ...] = ()  # that were read, in the order of reading
    sources: tuple[SourceConfig, ...] = ()
    metrics: tuple[MetricConfig, ...] = ()
    alerts: tuple[AlertConfig, ...] = ()
    contacts: tuple[ContactConfig, ...] = ()
    silences: tuple[Silence, ...] = ()
    retention: Retention | None = None  # None: the files do not have the table
    listen: ListenConfig | None = None  # None: the files do not have the table

    @property
    def has_definitions(self) -> bool:
        """Whether anything is declared that a store keeps."""
        return bool(self.metrics or self.alerts or self.silences or self.retention is not None)

    def find_unknown_contacts(self) -> list[str]:
        """Return a sentence for each contact that an alert names and no file declares. Another process may know it."""
        known = {contact.name for contact in self.contacts}
        return [
            f"{alert.location.file}: {alert.location} names contact {name!r}, which the file does not have"
            for alert in self.alerts
            for name in alert.table.contacts
            if name not in known
        ]

    def define_metrics(self, stored: Mapping[str, Metric]) -> tuple[Metric, ...]:
        """Return the metrics, each after those that it is derived from.

        Args:
            stored: the metrics of the store by name. A derived metric may take one that the files do not define.

        Raises:
            ConfigurationError: a derived metric is impossible; the message names its file and table.
        """
        return define_metrics(self.metrics, stored)

    def define_alerts(self, metrics: Mapping[str, Metric]) -> tuple[Alert, ...]:
        """Return the alerts.

        Args:
            metrics: those of the store and those of `define_metrics`, by name.

        Raises:
            ConfigurationError: an alert does not fit its metric, or there is no such metric.
        """
        return define_alerts(self.alerts, metrics)
