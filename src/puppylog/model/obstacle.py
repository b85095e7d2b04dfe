"""What prevents the update of a metric or an alert. The stores enforce these rules, and a plan foresees them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from puppylog.model.alert import Alert, find_fault
from puppylog.model.derived import find_ancestors, order_by_depth
from puppylog.model.metric import Metric


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Another definition that uses a metric, and why it does not fit to the updated metric."""

    kind: Literal["alert", "metric"]
    name: str
    cause: str  # says so in a sentence that names the definition


def find_metric_obstacle(
    before: Metric, after: Metric, alerts: Iterable[Alert], metrics: Mapping[str, Metric]
) -> Obstacle | None:
    """Return the first alert or derived metric that prevents the update of a metric; None if there is none.

    Args:
        before: the metric as the store has it.
        after: the metric after its update.
        alerts: those of the store; only alerts that judge the metric matter.
        metrics: those of the store by name.
    """
    for alert in alerts:
        if alert.metric == before.name and (fault := _find_misfit(alert, before, after)) is not None:
            return Obstacle("alert", alert.name, f"alert {alert.name} judges it, and {fault}")
    if (before.period_s, before.segment, before.group) == (after.period_s, after.segment, after.group):
        return None
    for other in order_by_depth(metrics):
        if before.name in find_ancestors(other.name, metrics):
            cause = f"metric {other.name} is derived from it, and needs its period, segments and group"
            return Obstacle("metric", other.name, cause)
    return None


def _find_misfit(alert: Alert, before: Metric, after: Metric) -> str | None:
    fault = find_fault(alert, after)
    if fault is None and alert.each_segment and before.segment != after.segment:
        return "it judges each segment, and its states are those of the present segments"
    return fault


def keeps_states(before: Alert, after: Alert) -> bool:
    """Return whether the states of an alert are still its states after an update: those of its metric and segments."""
    return (before.metric, before.each_segment) == (after.metric, after.each_segment)
