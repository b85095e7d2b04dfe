"""The rule of an alert: the value of a window, and the status that follows from it. Pure functions.

Each store has the same rule in SQL, and tests compare the two. Every function takes the time as an argument and none
reads a clock, so that a missed evaluation is caught up by the same rule.
"""

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from puppylog.model.alert import Alert, Comparison, NoData, State
from puppylog.model.metric import ADDITIVE_STATISTICS, COUNTING_STATISTICS

MISSED_AFTER = timedelta(seconds=10)
"""An evaluation is marked as missed if it is late by the alert's period plus this. A busy store is often late."""

FORGET_AFTER = timedelta(days=1)
"""The state of a segment that was not observed for longer than this is deleted. A firing segment first changes to
no_data. Segments come from log lines, so a client that always sends new ones would make the states grow without limit.
"""

_COMPARE: dict[Comparison, Callable[[float, float], bool]] = {
    Comparison.ABOVE: operator.gt,
    Comparison.AT_LEAST: operator.ge,
    Comparison.BELOW: operator.lt,
    Comparison.AT_MOST: operator.le,
}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Window:
    """The observations of a metric in the window of one evaluation, summed up."""

    count: int  # of observations; for the average of a ratio: of records
    sum: float = 0.0
    min: float = math.inf
    max: float = -math.inf


@dataclass(frozen=True, slots=True)
class Status:
    """The state of an alert, or of one segment of an alert that judges each segment by itself."""

    state: State
    since: datetime  # the evaluation at which the state began
    clear_since: datetime | None  # while firing: since when the threshold is no longer crossed; None if it is
    value: float | None  # of the last evaluation; None if nothing was observed
    evaluated_at: datetime
    seen_at: datetime | None  # the last evaluation whose window held an observation


def start(at: datetime) -> Status:
    """Return the status before the first evaluation, which takes place at ``at``."""
    return Status(State.OK, at, None, None, at, None)


def rebase(status: Status, now: datetime) -> Status:
    """Return the status after the clock was set back to ``now``: later instants are replaced by ``now``.

    Otherwise the alert would not be evaluated until the clock reaches the last evaluation again.
    """
    return replace(
        status,
        since=min(status.since, now),
        clear_since=None if status.clear_since is None else min(status.clear_since, now),
        evaluated_at=min(status.evaluated_at, now),
        seen_at=None if status.seen_at is None else min(status.seen_at, now),
    )


def window_of(alert: Alert, metric_period_s: int, at: datetime) -> tuple[datetime, datetime]:
    """Return start and end of the window of the evaluation at ``at``: half-open, aligned to the metric's buckets.

    The end is the last limit of a bucket that is at least `Alert.delay_s` seconds before ``at``.
    """
    period = timedelta(seconds=metric_period_s)
    end = at - timedelta(seconds=alert.delay_s)
    until = end - (end - _EPOCH) % period
    return until - timedelta(seconds=alert.window_s), until


def counts_missing_as_zero(metric_statistic: str) -> bool:
    """Return whether a missing bucket of the metric is an observation of zero. Otherwise it is not an observation."""
    return metric_statistic in COUNTING_STATISTICS


def is_weighted(alert_statistic: str, metric_statistic: str) -> bool:
    """Return whether an observation counts by its number of records: in the average of a ratio.

    The average then is the share over the whole window. The window's count is the number of its records, and its sum is
    the number of those that match the ratio's ``of``.
    """
    return metric_statistic == "ratio" and alert_statistic == "avg"


def observe(alert: Alert, metric_statistic: str, metric_period_s: int, window: Window) -> float | None:
    """Return the alert's statistic of the observations in ``window``; None if there are none, or if it is not finite.

    If the metric counts and the window has an observation, its missing buckets are zeros. Missing buckets of other
    metrics are left out. `step` judges a window without any observation, by the policy of the alert.
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
    """Return whether an alert on all segments together adds up the observations of a bucket's segments."""
    return metric_statistic in ADDITIVE_STATISTICS


def step(alert: Alert, before: Status, value: float | None, at: datetime) -> Status:
    """Return the status after the evaluation at ``at`` that observed ``value``.

    Args:
        alert: the definition.
        before: the status after the evaluation before; that of `start` if there was none.
        value: what `observe` returned.
        at: the instant of this evaluation, later than that of ``before``.
    """
    seen_at = before.seen_at if value is None else at
    if value is None and alert.no_data is NoData.ZERO:
        value = 0.0
    now = replace(before, value=value, evaluated_at=at, seen_at=seen_at)
    is_crossed = _is_crossed(alert, value)
    if is_crossed is None:
        return now if alert.no_data is NoData.KEEP else _change_state(now, State.NO_DATA, at)
    return _crossed(alert, now, at) if is_crossed else _not_crossed(alert, now, at)


def _is_crossed(alert: Alert, value: float | None) -> bool | None:
    """Return whether the threshold is crossed; None if nothing was observed and the policy does not decide it."""
    if value is not None:
        return _COMPARE[alert.comparison](value, alert.threshold)
    return {NoData.OK: False, NoData.ALERT: True}.get(alert.no_data)


def _crossed(alert: Alert, now: Status, at: datetime) -> Status:
    match now.state:
        case State.FIRING:
            return replace(now, clear_since=None)
        case State.PENDING:
            is_long_enough = at - now.since >= timedelta(seconds=alert.for_s)
            return _change_state(now, State.FIRING, at) if is_long_enough else now
        case State.OK | State.NO_DATA:
            return _change_state(now, State.PENDING if alert.for_s else State.FIRING, at)


def _not_crossed(alert: Alert, now: Status, at: datetime) -> Status:
    if now.state is not State.FIRING:
        return _change_state(now, State.OK, at)
    clear_since = now.clear_since or at
    if at - clear_since >= timedelta(seconds=alert.keep_firing_for_s):
        return _change_state(now, State.OK, at)
    return replace(now, clear_since=clear_since)


def _change_state(now: Status, state: State, at: datetime) -> Status:
    """Return the status with ``state``, begun at ``at``; the same status if that is its state already."""
    return now if now.state is state else replace(now, state=state, since=at, clear_since=None)
