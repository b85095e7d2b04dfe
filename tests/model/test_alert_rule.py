"""The state machine is compared with statements about whole streams of observations, which do not step through them."""

import math
import operator
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.model.alert import ALERT_STATISTICS, Alert, Comparison, NoData, State
from puppylog.model.alert_rule import Status, Window, adds_up, observe, start, step, window_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ALERT = Alert(
    name="a",
    metric="m",
    statistic="avg",
    comparison=Comparison.ABOVE,
    threshold=10,
    window_s=60,
    period_s=5,
    for_s=0,
    keep_firing_for_s=0,
    delay_s=2,
    each_segment=False,
    no_data=NoData.NO_DATA,
)
OK, PENDING, FIRING, NO_DATA = State.OK, State.PENDING, State.FIRING, State.NO_DATA
CROSSED, CLEAR = 11.0, 10.0


def at(second: int) -> datetime:
    return EPOCH + timedelta(seconds=second)


Stream: TypeAlias = Sequence[tuple[int, float | None]]
"""Evaluations: seconds since the epoch, and the observed value."""


def run(alert: Alert, stream: Stream, before: Status | None = None) -> list[Status]:
    """Return the status after each evaluation."""
    status, statuses = before or start(at(0)), []
    for second, value in stream:
        status = step(alert, status, value, at(second))
        statuses.append(status)
    return statuses


def states(alert: Alert, stream: Stream) -> list[State]:
    return [status.state for status in run(alert, stream)]


def expected_states(alert: Alert, conditions: Sequence[tuple[int, bool]]) -> list[State]:
    """Return the states by their definition, without stepping.

    An alarm is an instant at which the threshold has been crossed for ``for_s`` seconds. A recovery is an instant at
    which it has not been crossed for ``keep_firing_for_s`` seconds. An alert fires from an alarm until a recovery.
    """
    alarms: set[int] = set()
    recoveries: set[int] = set()
    for is_crossed, run_ in groupby(conditions, key=lambda condition: condition[1]):
        seconds = [second for second, _ in run_]
        lasts_s = alert.for_s if is_crossed else alert.keep_firing_for_s
        (alarms if is_crossed else recoveries).update(s for s in seconds if s - seconds[0] >= lasts_s)

    def expect(second: int, is_crossed: bool) -> State:
        last_alarm = max((alarm for alarm in alarms if alarm <= second), default=None)
        if last_alarm is not None and not any(last_alarm < recovery <= second for recovery in recoveries):
            return FIRING
        return PENDING if is_crossed else OK

    return [expect(second, is_crossed) for second, is_crossed in conditions]


def streams(values: st.SearchStrategy[float | None]) -> st.SearchStrategy[Stream]:
    steps = st.lists(st.tuples(st.sampled_from([1, 5, 5, 5, 30]), values), max_size=30)

    def timed(pairs: list[tuple[int, float | None]]) -> Stream:
        second = 0
        stream: list[tuple[int, float | None]] = []
        for step_s, value in pairs:
            second += step_s
            stream.append((second, value))
        return stream

    return steps.map(timed)


lengths = st.sampled_from([0, 1, 5, 10, 12, 30])
alerts = st.builds(
    lambda comparison, for_s, keep_s, policy: replace(
        ALERT, comparison=comparison, for_s=for_s, keep_firing_for_s=keep_s, no_data=policy
    ),
    st.sampled_from(Comparison),
    lengths,
    lengths,
    st.sampled_from(NoData),
)
observed = st.sampled_from([9.5, 10.0, 10.5])
anything = st.one_of(st.none(), observed)
COMPARE = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}


@given(alerts, streams(anything))
def test_the_states_are_those_that_the_definition_gives_for_the_whole_stream(alert: Alert, stream: Stream) -> None:
    if alert.no_data in {NoData.KEEP, NoData.NO_DATA}:
        alert = replace(alert, no_data=NoData.OK)
    missing = {NoData.OK: False, NoData.ALERT: True, NoData.ZERO: COMPARE[alert.comparison.value](0, alert.threshold)}
    conditions = [
        (s, missing[alert.no_data] if value is None else COMPARE[alert.comparison.value](value, alert.threshold))
        for s, value in stream
    ]
    assert states(alert, stream) == expected_states(alert, conditions)


@given(alerts, streams(anything))
def test_policy_keep_gives_the_states_of_a_stream_without_the_missing_values(alert: Alert, stream: Stream) -> None:
    alert = replace(alert, no_data=NoData.KEEP)
    present = [(s, value) for s, value in stream if value is not None]
    found = states(alert, stream)
    assert [state for state, (_, value) in zip(found, stream, strict=True) if value is not None] == states(
        alert, present
    )
    for (before, after), (_, value) in zip(pairwise([OK, *found]), stream, strict=True):
        assert value is not None or after is before


@given(alerts, streams(anything))
def test_the_state_no_data_begins_and_ends_with_the_missing_values(alert: Alert, stream: Stream) -> None:
    alert = replace(alert, no_data=NoData.NO_DATA)
    expected: list[State] = []
    for is_missing, part in groupby(stream, key=lambda evaluation: evaluation[1] is None):
        stretch = list(part)
        expected += [NO_DATA] * len(stretch) if is_missing else states(alert, stretch)  # as from state ok
    assert states(alert, stream) == expected


@given(alerts, streams(anything))
def test_a_status_has_the_times_at_which_its_state_and_its_value_began(alert: Alert, stream: Stream) -> None:
    statuses = run(alert, stream)
    for before, after in pairwise([start(at(0)), *statuses]):
        assert after.since == (before.since if after.state is before.state else after.evaluated_at)
        assert (after.clear_since is None) or after.state is FIRING
    for status, (second, value) in zip(statuses, stream, strict=True):
        assert status.evaluated_at == at(second)
        seen = [s for s, seen_value in stream if s <= second and seen_value is not None]
        assert status.seen_at == (at(seen[-1]) if seen else None)
        assert status.value == (0.0 if value is None and alert.no_data is NoData.ZERO else value)


@given(alerts, streams(anything), st.integers(0, 30))
def test_a_stream_in_two_parts_gives_the_same_statuses(alert: Alert, stream: Stream, cut: int) -> None:
    whole = run(alert, stream)
    first = run(alert, stream[:cut])
    assert [*first, *run(alert, stream[cut:], first[-1] if first else None)] == whole


@pytest.mark.parametrize(
    ("for_s", "keep_s", "values", "expected"),
    [
        (0, 0, [CROSSED, CLEAR, CROSSED], [FIRING, OK, FIRING]),
        (5, 0, [CROSSED, CROSSED, CLEAR], [PENDING, FIRING, OK]),
        (6, 0, [CROSSED, CROSSED, CROSSED], [PENDING, PENDING, FIRING]),
        (10, 0, [CROSSED, CROSSED, CLEAR, CROSSED, CROSSED, CROSSED], [PENDING, PENDING, OK, PENDING, PENDING, FIRING]),
        (0, 5, [CROSSED, CLEAR, CLEAR, CLEAR], [FIRING, FIRING, OK, OK]),
        (0, 10, [CROSSED, CLEAR, CROSSED, CLEAR, CLEAR, CLEAR], [FIRING, FIRING, FIRING, FIRING, FIRING, OK]),
        (5, 5, [CROSSED, CROSSED, CLEAR, CLEAR, CROSSED], [PENDING, FIRING, FIRING, OK, PENDING]),
        (10, 0, [CROSSED, None, CROSSED, CROSSED, CROSSED], [PENDING, NO_DATA, PENDING, PENDING, FIRING]),
        (0, 60, [CROSSED, None, CLEAR], [FIRING, NO_DATA, OK]),
    ],
)
def test_the_states_of_evaluations_every_five_seconds(
    for_s: int, keep_s: int, values: list[float | None], expected: list[State]
) -> None:
    alert = replace(ALERT, for_s=for_s, keep_firing_for_s=keep_s)
    assert states(alert, [(5 * i, value) for i, value in enumerate(values, 1)]) == expected


def test_the_time_in_pending_includes_evaluations_that_keep_the_state() -> None:
    alert = replace(ALERT, for_s=10, no_data=NoData.KEEP)
    assert states(alert, [(5, CROSSED), (10, None), (15, CROSSED)]) == [PENDING, PENDING, FIRING]


# The values of a window by bucket. None: the metric has no row.
buckets = st.lists(st.one_of(st.none(), st.integers(0, 50)), min_size=6, max_size=6)


def summed_up(values: Sequence[float]) -> Window:
    return Window(len(values), sum(values), min(values), max(values)) if values else Window(0)


def statistic_of(name: str, values: Sequence[float]) -> float:
    return {"avg": sum(values) / len(values), "sum": sum(values), "min": min(values), "max": max(values)}[name]


@given(buckets, st.sampled_from(ALERT_STATISTICS), st.sampled_from(NoData))
def test_a_missing_bucket_of_a_count_is_zero(values: list[float | None], statistic: str, policy: NoData) -> None:
    alert = replace(ALERT, statistic=statistic, no_data=policy)
    present = [value for value in values if value is not None]
    expected = statistic_of(statistic, [value or 0 for value in values]) if present else None
    assert observe(alert, "count", 10, summed_up(present)) == expected


@given(buckets, st.sampled_from(ALERT_STATISTICS), st.sampled_from(["sum", "avg", "min", "max", "p99", "distinct"]))
def test_a_missing_bucket_of_another_metric_is_left_out(
    values: list[float | None], statistic: str, metric_statistic: str
) -> None:
    alert = replace(ALERT, statistic=statistic)
    present = [value for value in values if value is not None]
    expected = statistic_of(statistic, present) if present else None
    assert observe(alert, metric_statistic, 10, summed_up(present)) == expected


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_is_not_observed(value: float) -> None:
    assert observe(ALERT, "avg", 10, Window(1, value, value, value)) is None


def test_observations_of_segments_are_added_up_for_counts_rates_and_sums_only() -> None:
    assert [
        name for name in ("count", "rate", "ratio", "sum", "avg", "min", "max", "distinct", "p99") if adds_up(name)
    ] == ["count", "rate", "sum"]


def iter_buckets(since: datetime, until: datetime, period_s: int) -> Iterator[datetime]:
    while since < until:
        yield since
        since += timedelta(seconds=period_s)


@given(
    period_s=st.sampled_from([1, 7, 10, 60, 604800]),
    periods=st.integers(1, 20),
    delay_s=st.integers(0, 100),
    second=st.integers(-100, 2**31),
)
def test_a_window_consists_of_whole_buckets_and_ends_at_least_the_delay_ago(
    period_s: int, periods: int, delay_s: int, second: int
) -> None:
    alert = replace(ALERT, window_s=periods * period_s, delay_s=delay_s)
    since, until = window_of(alert, period_s, at(second))
    assert until <= at(second - delay_s) < until + timedelta(seconds=period_s)
    found = list(iter_buckets(since, until, period_s))
    assert len(found) == periods
    assert all((bucket - EPOCH) % timedelta(seconds=period_s) == timedelta(0) for bucket in found)
