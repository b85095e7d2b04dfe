"""The rule of an alert: what a window says, and what state that brings. Pure; it exists once more in SQL.

Time comes in with every call and is never asked for, so that missed evaluations are made up by the same rule, in order.
"""

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from puppylog.model.alert import Alert, Comparison, NoData, State
from puppylog.model.metric import ADDITIVE_STATISTICS

MISSED_AFTER = timedelta(seconds=10)
"""An evaluation later than its period and this was missed, and is marked so. A busy store may be a little late."""

_COMPARE: dict[Comparison, Callable[[float, float], bool]] = {
    Comparison.ABOVE: operator.gt,
    Comparison.AT_LEAST: operator.ge,
    Comparison.BELOW: operator.lt,
    Comparison.AT_MOST: operator.le,
}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Window:
    """What the window of one evaluation holds of the metric: its observations, summed up."""

    count: int
    sum: float = 0.0
    min: float = math.inf
    max: float = -math.inf


@dataclass(frozen=True, slots=True)
class Status:
    """What an alert, or one segment of it, is in."""

    state: State
    since: datetime  # the evaluation that brought the state
    clear_since: datetime | None  # firing, but the threshold has not been crossed since then
    value: float | None  # what was observed last
    evaluated_at: datetime
    seen_at: datetime | None  # the last evaluation that observed anything


def start(at: datetime) -> Status:
    """Return the status before the first evaluation, which is at ``at``."""
    return Status(State.OK, at, None, None, at, None)


def rebase(status: Status, now: datetime) -> Status:
    """Return the status with every instant that lies after ``now`` moved to it: the clock was set back.

    Otherwise no evaluation would come until the clock is where it was, and what a segment is in would last too long.
    """
    return replace(
        status,
        since=min(status.since, now),
        clear_since=None if status.clear_since is None else min(status.clear_since, now),
        evaluated_at=min(status.evaluated_at, now),
        seen_at=None if status.seen_at is None else min(status.seen_at, now),
    )


def window_of(alert: Alert, metric_period_s: int, at: datetime) -> tuple[datetime, datetime]:
    """Return the window of the evaluation at ``at``: half-open, whole buckets, ending ``delay`` before it."""
    period = timedelta(seconds=metric_period_s)
    end = at - timedelta(seconds=alert.delay_s)
    until = end - (end - _EPOCH) % period
    return until - timedelta(seconds=alert.window_s), until


def counts_missing_as_zero(metric_statistic: str) -> bool:
    """Return whether a missing bucket of a metric means that nothing happened, rather than that nothing is known."""
    return metric_statistic == "count"


def observe(alert: Alert, metric_statistic: str, metric_period_s: int, window: Window) -> float | None:
    """Return the alert's statistic of the observations in a window; None if there are none, or none that is finite.

    Beside observations, missing buckets of a count are zero; those of other metrics are left out. A window without any
    is `step`'s to judge, by the policy.
    """
    if window.count == 0:
        return None
    if counts_missing_as_zero(metric_statistic):
        buckets = alert.window_s // metric_period_s
        has_gaps = window.count < buckets
        low, high = (min(window.min, 0.0), max(window.max, 0.0)) if has_gaps else (window.min, window.max)
        window = Window(max(window.count, buckets), window.sum, low, high)
    values = {"avg": window.sum / window.count, "sum": window.sum, "min": window.min, "max": window.max}
    value = values[alert.statistic]
    return value if math.isfinite(value) else None


def adds_up(metric_statistic: str) -> bool:
    """Return whether the segments of a bucket are added up when all are judged together."""
    return metric_statistic in ADDITIVE_STATISTICS


def step(alert: Alert, before: Status, value: float | None, at: datetime) -> Status:
    """Return the status after the evaluation at ``at`` that observed ``value``.

    Args:
        alert: the definition.
        before: the status so far; `start` for a segment that is new.
        value: what `observe` gave.
        at: when; later than all evaluations before.
    """
    seen_at = before.seen_at if value is None else at
    if value is None and alert.no_data is NoData.ZERO:
        value = 0.0
    now = replace(before, value=value, evaluated_at=at, seen_at=seen_at)
    is_crossed = _is_crossed(alert, value)
    if is_crossed is None:
        return now if alert.no_data is NoData.KEEP else _turn(now, State.NO_DATA, at)
    return _crossed(alert, now, at) if is_crossed else _not_crossed(alert, now, at)


def _is_crossed(alert: Alert, value: float | None) -> bool | None:
    """Return whether the threshold is crossed; None when there is nothing to tell it by."""
    if value is not None:
        return _COMPARE[alert.comparison](value, alert.threshold)
    return {NoData.OK: False, NoData.ALERT: True}.get(alert.no_data)


def _crossed(alert: Alert, now: Status, at: datetime) -> Status:
    match now.state:
        case State.FIRING:
            return replace(now, clear_since=None)
        case State.PENDING:
            is_long_enough = at - now.since >= timedelta(seconds=alert.for_s)
            return _turn(now, State.FIRING, at) if is_long_enough else now
        case State.OK | State.NO_DATA:
            return _turn(now, State.PENDING if alert.for_s else State.FIRING, at)


def _not_crossed(alert: Alert, now: Status, at: datetime) -> Status:
    if now.state is not State.FIRING:
        return _turn(now, State.OK, at)
    clear_since = now.clear_since or at
    if at - clear_since >= timedelta(seconds=alert.keep_firing_for_s):
        return _turn(now, State.OK, at)
    return replace(now, clear_since=clear_since)


def _turn(now: Status, state: State, at: datetime) -> Status:
    """Return the status in another state; in the one it has, it stays as it is."""
    return now if now.state is state else replace(now, state=state, since=at, clear_since=None)
