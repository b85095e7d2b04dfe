"""A trial judges the past as the rule does when it judges every evaluation, one after another."""

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from puppylog.model.alert import ALERT_STATISTICS, Alert, Comparison, NoData, State
from puppylog.model.alert_rule import FORGET_AFTER, Window, observe, start, step, window_of
from puppylog.model.alert_trial import Judged, Series, try_rule
from puppylog.model.metric import Metric
from support.examples import examples
from support.messages import NOON

PERIOD_S = 600
SINCE = NOON - timedelta(days=3)

ALERTS = st.builds(
    Alert,
    name=st.just("a"),
    metric=st.just("m"),
    statistic=st.sampled_from(ALERT_STATISTICS),
    comparison=st.sampled_from(Comparison),
    threshold=st.sampled_from([0.0, 1.0, 2.5]),
    window_s=st.integers(1, 6).map(PERIOD_S.__mul__),
    period_s=st.sampled_from([300, 600, 900, 3600]),
    for_s=st.sampled_from([0, 300, 700, 2400]),
    keep_firing_for_s=st.sampled_from([0, 400, 3600]),
    delay_s=st.sampled_from([0, 20, 600, 2000]),
    each_segment=st.booleans(),
    no_data=st.sampled_from(NoData),
)
# Numbers of buckets, close to each other or more than a day apart, so that states are forgotten.
GAPS = st.lists(st.one_of(st.integers(0, 8), st.sampled_from([20, 143, 144, 145, 160])), min_size=1, max_size=12)


def judge_each(
    alert: Alert, statistic: str, values: dict[int, float], evaluations: int, segment: str | None
) -> list[Judged]:
    """Return the changes of state if every evaluation is judged. The values are by number of the bucket after SINCE."""
    found: list[Judged] = []
    status = None if alert.each_segment else start(SINCE)
    seen_at = None
    for number in range(evaluations):
        at = SINCE + timedelta(seconds=number * alert.period_s)
        low, high = window_of(alert, PERIOD_S, at)
        first, end = ((edge - SINCE) // timedelta(seconds=PERIOD_S) for edge in (low, high))
        held = [values[bucket] for bucket in range(first, end) if bucket in values]
        window = Window(len(held), sum(held), min(held), max(held)) if held else Window(0)
        value = observe(alert, statistic, PERIOD_S, window)
        if value is not None:
            seen_at, status = at, status or start(at)
        if status is None:
            continue
        after = step(alert, status, value, at)
        if after.state is not status.state:
            found.append(Judged(at, segment, status.state, after.state, after.value))
        status = after
        if alert.each_segment and seen_at is not None and at - seen_at > FORGET_AFTER:
            if status.state is State.FIRING and alert.no_data is not NoData.KEEP:
                found.append(Judged(at, segment, State.FIRING, State.NO_DATA, status.value))
                status = None
            elif status.state in {State.OK, State.NO_DATA}:
                status = None
    return found


@settings(max_examples=examples(60))
@given(ALERTS, st.sampled_from(["count", "avg", "max"]), GAPS, st.data())
def test_evaluations_that_are_left_out_change_nothing(alert: Alert, statistic: str, gaps: list[int], data: Any) -> None:
    values: dict[int, float] = {}
    bucket = 0
    for gap in gaps:
        bucket += gap
        values[bucket] = data.draw(st.sampled_from([0.0, 1.0, 2.0, 3.0, 5.0]))
    segment = data.draw(st.sampled_from(["/a", None])) if alert.each_segment else None
    series = Series()
    for number, value in sorted(values.items()):
        series.starts_us.append((int(SINCE.timestamp()) + number * PERIOD_S) * 1_000_000)
        series.values.append(value)
    evaluations = min((bucket + 160) * PERIOD_S // alert.period_s, 4_000)
    last = SINCE + timedelta(seconds=(evaluations - 1) * alert.period_s)
    tried = try_rule(alert, Metric("m", statistic, "*", PERIOD_S), {segment: series}, SINCE, last)
    assert tried == judge_each(alert, statistic, values, evaluations, segment)
