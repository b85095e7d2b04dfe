"""What the rule of the model tells of an alert: the reference that every store's evaluator is compared with."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from hypothesis import strategies as st

from puppylog.model.alert import ALERT_STATISTICS, Alert, Comparison, NoData
from puppylog.model.alert_rule import Window, adds_up, observe, rebase, start, step, window_of
from support.alert_tables import ALERT, NOON, Observations, Told, at

NOTHING: Final = Told({}, [])

lengths = st.sampled_from([0, 1, 5, 10, 12, 30])
metric_statistics = st.sampled_from(["count", "sum", "avg", "min", "p99", "distinct"])
thresholds = st.sampled_from([0.0, 9.5, 10.0, 10.0, 10.0]) | st.floats(allow_nan=False, allow_infinity=False)
alerts = st.builds(
    replace,
    st.just(ALERT),
    statistic=st.sampled_from(ALERT_STATISTICS),
    comparison=st.sampled_from(Comparison),
    threshold=thresholds,
    window_s=st.integers(1, 10).map(lambda buckets: buckets * 10),
    for_s=lengths,
    keep_firing_for_s=lengths,
    no_data=st.sampled_from(NoData),
)


def expect(
    alert: Alert,
    observations: Observations,
    *,
    metric_statistic: str,
    metric_period_s: int,
    since: int,
    until: int,
    before: Told = NOTHING,
) -> Told:
    """What the model makes of it all at once: every evaluation after ``since`` up to ``until``; ``before`` was told."""
    lives = dict(before.states)
    transitions = []
    for second in range((since // alert.period_s + 1) * alert.period_s, until + 1, alert.period_s):
        low, high = window_of(alert, metric_period_s, at(second))
        held: dict[str | None, dict[tuple[int, str | None], float]] = {}
        for (bucket, segment), value in observations.items():
            if low <= at(bucket) < high and value is not None:
                judged = held.setdefault(segment if alert.each_segment else None, {})
                is_added = not alert.each_segment and adds_up(metric_statistic)
                key = (bucket, None if is_added else segment)
                judged[key] = judged.get(key, 0) + value
        for segment in held.keys() | lives.keys() | (set() if alert.each_segment else {None}):
            values = list(held.get(segment, {}).values())
            window = Window(len(values), sum(values), min(values), max(values)) if values else Window(0)
            last = lives.get(segment) or start(at(second))
            after = step(alert, last, observe(alert, metric_statistic, metric_period_s, window), at(second))
            if after.state is not last.state:
                states = (last.state.value, after.state.value)
                transitions.append((at(second), segment, *states, after.value, low, high))
            lives[segment] = after
    transitions.sort(key=lambda transition: (transition[0], transition[1] is None, transition[1]))
    return Told(lives, [*before.transitions, *transitions])


def expect_rebased(told: Told, now: float) -> Told:
    """What the model makes of a clock that says ``now``, and said more before."""
    return Told({segment: rebase(status, at(now)) for segment, status in told.states.items()}, told.transitions)


@dataclass(frozen=True, slots=True)
class Trial:
    """An alert, what its metric holds, and the instants at which its evaluator is called. The clock may go back."""

    alert: Alert
    metric_statistic: str
    metric_period_s: int
    observations: Observations
    calls: Sequence[float]
    evaluated_at: float = NOON + 0.5  # in seconds, as the calls are

    def iter_expected(self) -> Iterator[tuple[float, Told]]:
        """Give the calls, and what is told after each of them."""
        told, evaluated = NOTHING, self.evaluated_at
        for now in self.calls:
            if now < evaluated:
                told, evaluated = expect_rebased(told, now), now
            else:
                told = expect(
                    self.alert,
                    self.observations,
                    metric_statistic=self.metric_statistic,
                    metric_period_s=self.metric_period_s,
                    since=int(evaluated),
                    until=int(now),
                    before=told,
                )
                evaluated = max(evaluated, now // self.alert.period_s * self.alert.period_s)
            yield now, told


@st.composite
def trials(draw: st.DrawFn) -> Trial:
    alert = replace(
        draw(alerts),
        each_segment=draw(st.booleans()),
        period_s=draw(st.sampled_from([1, 5, 7, 60])),
        delay_s=draw(st.integers(0, 30)),
        threshold=draw(st.integers(0, 20)),
    )
    statistic = draw(st.sampled_from(["count", "sum", "avg"]))
    period_s = draw(st.sampled_from([1, 2, 5, 10]))
    values = st.none() | st.integers(0, 20).map(float) | st.just(math.inf)
    segments = st.dictionaries(st.sampled_from([None, "", "a", "b"]), values)
    buckets = draw(st.dictionaries(st.integers(-5, 10), segments, min_size=4))
    observations = {
        (NOON + no * period_s, segment): value
        for no, of_bucket in buckets.items()
        for segment, value in of_bucket.items()
        if value != math.inf or statistic != "count"  # that is finite
    }
    calls_s = draw(st.lists(st.integers(0, 20) | st.integers(0, 250), min_size=1, max_size=4))
    if draw(st.booleans()):
        calls_s = sorted(calls_s)
    return Trial(alert, statistic, period_s, observations, [NOON + call_s + 0.5 for call_s in calls_s])
