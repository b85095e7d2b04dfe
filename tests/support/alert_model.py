"""The states and transitions of an alert by the rule of the model, with which every store's evaluator is compared."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from hypothesis import strategies as st

from puppylog.model.alert import ALERT_STATISTICS, Alert, Comparison, NoData
from puppylog.model.alert_rule import Window, adds_up, is_weighted, observe, rebase, start, step, window_of
from support.alert_tables import ALERT, NOON, Observations, Outcome, at, whole_of

NO_OUTCOME: Final = Outcome({}, [])

lengths = st.sampled_from([0, 1, 5, 10, 12, 30])
metric_statistics = st.sampled_from(["count", "rate", "sum", "avg", "min", "p99", "distinct"])
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
    before: Outcome = NO_OUTCOME,
) -> Outcome:
    """Return the outcome, by the model, of all evaluations after ``since`` up to ``until`` that follow ``before``."""
    statuses = dict(before.states)
    transitions = []
    for second in range((since // alert.period_s + 1) * alert.period_s, until + 1, alert.period_s):
        low, high = window_of(alert, metric_period_s, at(second))
        held: dict[str | None, dict[tuple[int, str | None], tuple[float, int]]] = {}
        is_ratio = metric_statistic == "ratio"
        for (bucket, segment), value in observations.items():
            if low <= at(bucket) < high and value is not None:
                judged = held.setdefault(segment if alert.each_segment else None, {})
                is_added = not alert.each_segment and (is_ratio or adds_up(metric_statistic))
                key = (bucket, None if is_added else segment)
                part, whole = judged.get(key, (0, 0))
                added = whole_of(bucket, segment) if is_ratio else 1
                judged[key] = (part + value * added, whole + added)
        for segment in held.keys() | statuses.keys() | (set() if alert.each_segment else {None}):
            parts = list(held.get(segment, {}).values())
            window = _sum_up(parts, is_ratio=is_ratio, is_weighted=is_weighted(alert.statistic, metric_statistic))
            last = statuses.get(segment) or start(at(second))
            after = step(alert, last, observe(alert, metric_statistic, metric_period_s, window), at(second))
            if after.state is not last.state:
                states = (last.state.value, after.state.value)
                transitions.append((at(second), segment, *states, after.value, low, high))
            statuses[segment] = after
    transitions.sort(key=lambda transition: (transition[0], transition[1] is None, transition[1]))
    return Outcome(statuses, [*before.transitions, *transitions])


def _sum_up(parts: Sequence[tuple[float, int]], *, is_ratio: bool, is_weighted: bool) -> Window:
    """Return the window of observations, each of which is a value, or the part and the whole of a ratio."""
    if not parts:
        return Window(0)
    values = [part / whole if is_ratio else part for part, whole in parts]
    if is_weighted:
        return Window(sum(w for _, w in parts), sum(p for p, _ in parts), min(values), max(values))
    return Window(len(values), sum(values), min(values), max(values))


def expect_rebased(outcome: Outcome, now: float) -> Outcome:
    """Return the outcome, by the model, after the clock was set back to ``now``."""
    states = {segment: rebase(status, at(now)) for segment, status in outcome.states.items()}
    return Outcome(states, outcome.transitions)


@dataclass(frozen=True, slots=True)
class Trial:
    """An alert, the observations of its metric, and the times of the calls of its evaluator, in seconds.

    The clock may go back between two calls.
    """

    alert: Alert
    metric_statistic: str
    metric_period_s: int
    observations: Observations
    calls: Sequence[float]
    evaluated_at: float = NOON + 0.5  # in seconds, as the calls are

    def iter_expected(self) -> Iterator[tuple[float, Outcome]]:
        """Yield the time of each call, and the outcome that is expected after the call."""
        outcome, evaluated = NO_OUTCOME, self.evaluated_at
        for now in self.calls:
            if now < evaluated:
                outcome, evaluated = expect_rebased(outcome, now), now
            else:
                outcome = expect(
                    self.alert,
                    self.observations,
                    metric_statistic=self.metric_statistic,
                    metric_period_s=self.metric_period_s,
                    since=int(evaluated),
                    until=int(now),
                    before=outcome,
                )
                evaluated = max(evaluated, now // self.alert.period_s * self.alert.period_s)
            yield now, outcome


@st.composite
def trials(draw: st.DrawFn) -> Trial:
    alert = replace(
        draw(alerts),
        each_segment=draw(st.booleans()),
        period_s=draw(st.sampled_from([1, 5, 7, 60])),
        delay_s=draw(st.integers(0, 30)),
        threshold=draw(st.integers(0, 20)),
    )
    statistic = draw(st.sampled_from(["count", "rate", "sum", "avg", "ratio", "ratio"]))
    if statistic == "ratio" and alert.statistic == "sum":  # the sum of ratios depends on their order
        alert = replace(alert, statistic="avg")
    period_s = draw(st.sampled_from([1, 2, 5, 10]))
    values = st.none() | st.integers(0, 20).map(float) | st.just(math.inf)
    segments = st.dictionaries(st.sampled_from([None, "", "a", "b"]), values)
    buckets = draw(st.dictionaries(st.integers(-5, 10), segments, min_size=4))
    observations = {
        (NOON + no * period_s, segment): value
        for no, of_bucket in buckets.items()
        for segment, value in of_bucket.items()
        if (value != math.inf or statistic not in {"count", "rate", "ratio"})  # which are finite
        and (value is not None or statistic != "ratio")
    }
    calls_s = draw(st.lists(st.integers(0, 20) | st.integers(0, 250), min_size=1, max_size=4))
    if draw(st.booleans()):
        calls_s = sorted(calls_s)
    return Trial(alert, statistic, period_s, observations, [NOON + call_s + 0.5 for call_s in calls_s])
