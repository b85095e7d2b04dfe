"""An alert's rule over observations of the past: when would it have fired? Pure functions.

The evaluator judges every evaluation. Here those are left out that cannot change the state: the window has the same
buckets as before, and no length of time such as `Alert.for_s` is running. The outcome is the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

from puppylog.model.alert import Alert, NoData, State
from puppylog.model.alert_rule import FORGET_AFTER, Status, Window, is_weighted, observe, start, step
from puppylog.model.metric import Metric

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_US: Final = timedelta(microseconds=1)
_US_PER_S: Final = 1_000_000
_NEVER: Final = 2**62  # microseconds, later than every instant
_FORGET_US: Final = FORGET_AFTER // _US


@dataclass(slots=True)
class Series:
    """The observations that are judged together, in the order of their buckets.

    The buckets of an alert on all segments together may be in it several times. The lists have the same length; parts
    and wholes are those of a ratio, and empty for other metrics.
    """

    starts_us: list[int] = field(default_factory=list)  # of the buckets, in microseconds since the epoch
    values: list[float] = field(default_factory=list)
    parts: list[float] = field(default_factory=list)
    wholes: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Judged:
    """A change of state that the rule would have made."""

    evaluated_at: datetime
    segment: str | None
    from_state: State
    to_state: State
    value: float | None


Judgements: TypeAlias = list[Judged]


def try_rule(
    alert: Alert,
    metric: Metric,
    series: Mapping[str | None, Series],
    first_at: datetime,
    last_at: datetime,
) -> Judgements:
    """Return the changes of state from the evaluation at ``first_at`` to that at ``last_at``, in their order.

    Each segment begins in the state ok: of an alert that judges each segment, with the first evaluation that observes
    it; otherwise with the first evaluation.

    Args:
        alert: the rule.
        metric: what it judges.
        series: the observations of each segment; under None those of an alert on all segments together.
        first_at: the first evaluation, a multiple of `Alert.period_s` since the epoch.
        last_at: no evaluation is later.
    """
    first_us, last_us = (first_at - _EPOCH) // _US, (last_at - _EPOCH) // _US
    found = [
        judged
        for segment, one in series.items()
        for judged in _Trial(alert, metric, segment, one).judge(first_us, last_us)
    ]
    return sorted(found, key=lambda judged: (judged.evaluated_at, judged.segment is None, judged.segment or ""))


def evaluations_within(period_s: int, since: datetime, until: datetime) -> tuple[datetime, datetime] | None:
    """Return the first and the last evaluation from ``since`` up to and including ``until``; None if there is none.

    >>> noon = datetime(2026, 5, 18, 12, tzinfo=UTC)
    >>> [at.second for at in evaluations_within(5, noon + timedelta(seconds=1), noon + timedelta(seconds=12)) or ()]
    [5, 10]
    """
    period = timedelta(seconds=period_s)
    first, last = since + -(since - _EPOCH) % period, until - (until - _EPOCH) % period
    return (first, last) if first <= last else None


class _Trial:
    """The rule over one series."""

    def __init__(self, alert: Alert, metric: Metric, segment: str | None, series: Series) -> None:
        self._alert = alert
        self._metric = metric
        self._segment = segment
        self._series = series
        self._is_weighted = is_weighted(alert.statistic, metric.statistic)
        self._low = self._high = 0  # the observations in the window
        self._until_us: int | None = None  # the end of the window whose value is known
        self._value: float | None = None

    def judge(self, first_us: int, last_us: int) -> Iterator[Judged]:
        at_us, status, seen_us = first_us, None if self._alert.each_segment else start(_instant(first_us)), None
        while at_us <= last_us:
            value = self._observe(at_us)
            if value is not None:
                seen_us = at_us
                status = status or start(_instant(at_us))
            if status is not None:
                after = step(self._alert, status, value, _instant(at_us))
                if after.state is not status.state:
                    yield self._judged(after, status.state)
                status = after
                if self._is_forgotten(status, seen_us, at_us):
                    if status.state is State.FIRING:
                        yield Judged(_instant(at_us), self._segment, State.FIRING, State.NO_DATA, status.value)
                    status = None
            at_us = self._next(at_us, status, seen_us)

    def _judged(self, status: Status, before: State) -> Judged:
        return Judged(status.evaluated_at, self._segment, before, status.state, status.value)

    def _observe(self, at_us: int) -> float | None:
        """Return the value of the window of the evaluation at ``at_us``. The evaluations must be in their order."""
        bucket_us, starts = self._metric.period_s * _US_PER_S, self._series.starts_us
        until_us = (at_us - self._alert.delay_s * _US_PER_S) // bucket_us * bucket_us
        if until_us == self._until_us:
            return self._value
        since_us = until_us - self._alert.window_s * _US_PER_S
        self._high = _advance(starts, self._high, until_us)
        self._low = _advance(starts, self._low, since_us)
        self._until_us, self._value = (
            until_us,
            observe(self._alert, self._metric.statistic, self._metric.period_s, self._window()),
        )
        return self._value

    def _window(self) -> Window:
        low, high, series = self._low, self._high, self._series
        values = series.values[low:high]
        if not values:
            return Window(0)
        if self._is_weighted:
            return Window(sum(series.wholes[low:high]), sum(series.parts[low:high]), min(values), max(values))
        return Window(len(values), sum(values), min(values), max(values))

    def _is_forgotten(self, status: Status, seen_us: int | None, at_us: int) -> bool:
        """Return whether the evaluator deletes the state of the segment, which was not observed for long."""
        if not self._alert.each_segment or seen_us is None or at_us - seen_us <= _FORGET_US:
            return False
        if status.state is State.FIRING:
            return self._alert.no_data is not NoData.KEEP
        return status.state in {State.OK, State.NO_DATA}

    def _next(self, at_us: int, status: Status | None, seen_us: int | None) -> int:
        """Return the next evaluation that may change the state."""
        period_us = self._alert.period_s * _US_PER_S
        is_timed = status is not None and (status.state is State.PENDING or status.clear_since is not None)
        if is_timed or self._until_us is None:
            return at_us + period_us
        bucket_us, delay_us = self._metric.period_s * _US_PER_S, self._alert.delay_s * _US_PER_S
        ends_us = self._until_us + bucket_us
        if self._low == self._high:  # the window is empty, and stays so until the next observation
            changes = [start_us + bucket_us for start_us in self._series.starts_us[self._high : self._high + 1]]
            if status is not None and seen_us is not None:
                changes.append(seen_us + _FORGET_US + 1 - delay_us)
            ends_us = max(ends_us, min(changes, default=_NEVER))
        return max(at_us + period_us, -(-(ends_us + delay_us) // period_us) * period_us)


def _advance(starts: Sequence[int], at: int, limit_us: int) -> int:
    """Return the first index from ``at`` on whose bucket does not start before ``limit_us``."""
    while at < len(starts) and starts[at] < limit_us:
        at += 1
    return at


def _instant(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=us)
