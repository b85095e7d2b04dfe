"""Metrics and alerts of the files: what was written, and the definitions that it becomes.

A derived metric takes its period and its segments from other metrics, and an alert takes defaults from its metric.
These metrics may be in the store only, so `define` is called when the store is known. Everything else is checked when
the file is read.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from puppylog.config.faults import Faults, Location, error_at
from puppylog.config.tables import AlertTable, MetricTable
from puppylog.errors import ConfigurationError, ExpressionError, PuppylogError, SearchError
from puppylog.model import query as language
from puppylog.model.alert import Alert, define_alert
from puppylog.model.derived import define_derived
from puppylog.model.expression import parse_filter, parse_segment, parse_value
from puppylog.model.formula import parse_formula
from puppylog.model.metric import Metric, is_name, needs_number, parse_property, parse_statistic
from puppylog.model.record import ALIASES

MIN_REFRESH_S: Final = 10
_DERIVED_KEYS: Final = frozenset({"name", "from"})


@dataclass(frozen=True, slots=True)
class MetricConfig:
    """A metric of a file: a definition, or the formula of a derived metric."""

    name: str
    location: Location
    definition: Metric | None  # None: the metric is derived
    formula: str = ""  # of a derived metric, as it was written
    inputs: tuple[str, ...] = ()  # the names of the metrics in the formula

    def define(self, known: Mapping[str, Metric]) -> Metric:
        """Return the metric.

        Args:
            known: metrics by name, among them those of the formula.

        Raises:
            ConfigurationError: the formula names a metric that is not known, or metrics that cannot be combined.
        """
        if self.definition is not None:
            return self.definition
        try:
            return define_derived(self.name, self.formula, known)
        except PuppylogError as error:
            raise error_at(self.location, f"from: {error.message}") from error


@dataclass(frozen=True, slots=True)
class AlertConfig:
    """An alert of a file."""

    name: str
    location: Location
    metric: str  # the name of the metric
    table: AlertTable

    def define(self, metric: Metric) -> Alert:
        """Return the alert.

        Raises:
            ConfigurationError: the alert does not fit the metric.
        """
        table = self.table
        try:
            return define_alert(
                table.name,
                metric,
                statistic=table.statistic,
                comparison=table.comparison,
                threshold=table.threshold,
                window_s=table.window,
                period_s=table.period,
                for_s=table.for_,
                keep_firing_for_s=table.keep_firing_for,
                delay_s=table.delay,
                each_segment=table.each_segment,
                no_data=table.no_data,
                contacts=table.contacts,
                group_wait_s=table.group_wait,
                repeat_s=table.repeat,
                severity=table.severity,
                summary=table.summary,
            )
        except PuppylogError as error:
            raise error_at(self.location, error.cause or error.message) from error


def read_metric(table: MetricTable, location: Location, given: Iterable[str], faults: Faults) -> MetricConfig | None:
    """Return the metric of a table. Return None after its faults were noted.

    Args:
        table: the values of the keys.
        location: of the table.
        given: the keys that were written.
        faults: where the faults are noted.
    """
    before = len(faults.found)
    if table.from_ is not None:
        surplus = sorted(set(given) - _DERIVED_KEYS)
        if surplus:
            cause = "period, segments and records of a derived metric are those of its inputs"
            faults.add(location, f"{surplus[0]} cannot be used together with from: {cause}")
        with faults.noting(location, "from"):
            formula = parse_formula(table.from_)
        if len(faults.found) > before:
            return None
        return MetricConfig(table.name, location, None, table.from_, formula.inputs)
    if table.period < 1:
        faults.add(location, "period must be at least 1s")
    if table.refresh is not None and table.refresh < 1:
        faults.add(location, "refresh must be at least 1s")
    if (table.statistic.strip().lower() == "ratio") is not (table.of is not None):
        faults.add(
            location,
            f"statistic: {table.statistic} takes no 'of'"
            if table.of is not None
            else "of: a ratio needs the records whose share it is",
        )
    metric = Metric(table.name, "count", "*", table.period, group=table.group)
    metric = replace(metric, refresh_s=table.refresh if table.refresh is not None else max(table.period, MIN_REFRESH_S))
    with faults.noting(location, "statistic"):
        metric = replace(metric, statistic=parse_statistic(table.statistic))
    with faults.noting(location, "property"):
        metric = replace(metric, property=_read_property(table.property, metric.statistic))
    if table.segment is not None:
        with faults.noting(location, "segment"):
            metric = replace(metric, segment=parse_segment(table.segment))
    if table.filter is not None:
        with faults.noting(location, "filter"):
            metric = replace(metric, filter=_read_condition(table.filter, "filter"))
    if table.of is not None:
        with faults.noting(location, "of"):
            metric = replace(metric, of=_read_condition(table.of, "of"))
    return MetricConfig(table.name, location, metric) if len(faults.found) == before else None


def read_alert(table: AlertTable, location: Location, faults: Faults) -> AlertConfig | None:
    """Return the alert of a table. Return None after its faults were noted."""
    before = len(faults.found)
    if table.period is not None and table.period < 1:
        faults.add(location, "period must be at least 1s")
    return AlertConfig(table.name, location, table.metric, table) if len(faults.found) == before else None


def define_metrics(configs: Sequence[MetricConfig], stored: Mapping[str, Metric]) -> tuple[Metric, ...]:
    """See `puppylog.config.values.Configuration.define_metrics`."""
    faults = Faults()
    defined = _define_possible(configs, stored, faults)
    faults.check()
    known = {**stored, **defined}
    own = {config.name for config in configs}
    for config in configs:
        if not known.keys() | own >= set(config.inputs):
            config.define(known)  # raises: a metric of the formula does not exist
    return tuple(defined.values())


def define_alerts(configs: Sequence[AlertConfig], metrics: Mapping[str, Metric]) -> tuple[Alert, ...]:
    """See `puppylog.config.values.Configuration.define_alerts`."""
    alerts = []
    for config in configs:
        if config.metric not in metrics:
            nearest = difflib.get_close_matches(config.metric, metrics, n=1)
            hint = f" (did you mean {nearest[0]!r}?)" if nearest else ""
            raise error_at(config.location, f"metric: there is no metric {config.metric!r}{hint}")
        alerts.append(config.define(metrics[config.metric]))
    return tuple(alerts)


def check_together(metrics: Sequence[MetricConfig], alerts: Sequence[AlertConfig], faults: Faults) -> None:
    """Note the faults of derived metrics and of alerts whose metrics are all in the files."""
    defined = _define_possible(metrics, {}, faults)
    for alert in alerts:
        if alert.metric in defined:
            try:
                alert.define(defined[alert.metric])
            except ConfigurationError as error:
                faults.found.append(error)


def _define_possible(
    configs: Sequence[MetricConfig], stored: Mapping[str, Metric], faults: Faults
) -> dict[str, Metric]:
    """Return the metrics by name, each after its inputs. A derived metric with an unknown input is left out."""
    defined = {config.name: config.definition for config in configs if config.definition is not None}
    own = {config.name: config for config in configs}
    known = {name: metric for name, metric in stored.items() if name not in own} | defined
    waiting = [config for config in configs if config.definition is None]
    while ready := [config for config in waiting if known.keys() >= set(config.inputs)]:
        for config in ready:
            try:
                defined[config.name] = known[config.name] = config.define(known)
            except ConfigurationError as error:
                faults.found.append(error)
        waiting = [config for config in waiting if config not in ready]
    for config in waiting:
        if _needs_itself(config, own):
            faults.add(config.location, f"from: metric {config.name!r} would be derived from itself")
    return defined


def _needs_itself(config: MetricConfig, own: Mapping[str, MetricConfig]) -> bool:
    seen: set[str] = set()
    waiting = list(config.inputs)
    while waiting:
        name = waiting.pop()
        if name == config.name:
            return True
        if name in own and name not in seen:
            seen.add(name)
            waiting += own[name].inputs
    return False


def _read_property(text: str, statistic: str) -> str:
    """Return a property as its canonical text. An attribute is written as ``attributes.<key>``."""
    name = ALIASES.get(text.strip(), text.strip())
    if is_name(name) or statistic == "ratio":
        return parse_property(text, statistic)
    return parse_value(text, is_number=needs_number(statistic))


def _read_condition(text: str, what: str) -> str:
    """Return a condition, written in SQL or as a query, as the canonical text of an expression.

    The text is read as a query only if it cannot be SQL with a mistake, as on the command line.
    """
    try:
        return parse_filter(text, what)
    except ExpressionError:
        try:
            tree = language.parse_query(text)
        except SearchError:
            tree = None
        if tree is None or "'" in text or language.has_bare_word(tree):
            raise
    return language.translate(tree, language.Reading(text=text, is_kept=True))
