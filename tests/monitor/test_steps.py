from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.model.metric import Metric
from puppylog.monitor.range import ALWAYS, Range
from puppylog.monitor.steps import Ends, choose_step, count_steps, cover_range, fill_steps

NOON = datetime(2015, 5, 17, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
COLUMNS = pa.schema([("bucket", pa.timestamp("us", "UTC")), ("segment", pa.string()), ("value", pa.float64())])
HITS = Metric("hits", "count", "*", 60)
SIZE = Metric("size", "avg", "response_bytes", 60)
ROUTES = Metric("routes", "count", "*", 60, "request_route")


@given(st.integers(1, 86_400), st.integers(0, 10**9), st.integers(2, 200), st.integers(0, 10**9))
def test_a_step_is_whole_periods_and_steps_cover_a_span_that_begins_anywhere(
    period_s: int, periods: int, steps: int, begin: int
) -> None:
    span_s = period_s * (periods + 1)
    step_s = choose_step(period_s, span_s, steps)
    first, last = begin * period_s, begin * period_s + span_s - period_s
    assert step_s % period_s == 0
    assert last // step_s - first // step_s + 1 <= steps


def test_the_steps_of_years_are_whole_weeks() -> None:
    assert choose_step(60, 9 * 365 * 86_400, 70) == 56 * 86_400


@pytest.mark.parametrize(
    ("within", "first", "last"),
    [
        (ALWAYS, 3, 5),
        (Range(since=NOON + 0.5 * MINUTE), 1, 10),
        (Range(NOON + MINUTE, NOON + 8 * MINUTE), 1, 7),
        (Range(until=NOON + 8.5 * MINUTE), 3, 8),
        (Range(NOON, NOON + 60 * MINUTE), 0, 10),
    ],
)
def test_steps_cover_the_range_that_was_asked_for_up_to_now(within: Range, first: int, last: int) -> None:
    now = NOON + 10.5 * MINUTE
    found = cover_range(HITS, within, now, Ends(NOON + 3 * MINUTE, NOON + 5 * MINUTE), step_s=60)
    assert found == (NOON + first * MINUTE, NOON + last * MINUTE)


def test_a_range_without_observations_is_covered_if_it_has_a_beginning() -> None:
    now = NOON + 10.5 * MINUTE
    assert cover_range(HITS, Range(since=NOON), now, None, step_s=300) == (NOON, NOON + 10 * MINUTE)
    assert cover_range(HITS, Range(until=NOON), now, None, step_s=300) is None
    assert cover_range(HITS, ALWAYS, now, None, step_s=300) is None


def test_an_observation_beyond_now_is_covered() -> None:
    assert cover_range(HITS, Range(since=NOON), NOON, Ends(NOON + MINUTE, NOON + MINUTE), step_s=60) == (
        NOON,
        NOON + MINUTE,
    )


def test_the_first_instant_has_a_step() -> None:
    first = datetime.min.replace(tzinfo=UTC)
    covered = cover_range(HITS, Range(since=first), NOON, None, step_s=7 * 86_400)
    assert covered is not None
    assert covered.first == first


@pytest.mark.parametrize(("metric", "missing"), [(HITS, 0.0), (SIZE, None)])
def test_a_step_without_observations_is_zero_of_a_count_and_unknown_of_a_mean(
    metric: Metric, missing: float | None
) -> None:
    table = pa.Table.from_pylist([{"bucket": NOON + MINUTE, "segment": None, "value": 4.0}], COLUMNS)
    filled = fill_steps(metric, table, 60, Ends(NOON, NOON + 2 * MINUTE), newest=9)
    assert filled["bucket"].to_pylist() == [NOON, NOON + MINUTE, NOON + 2 * MINUTE]
    assert filled["value"].to_pylist() == [missing, 4.0, missing]
    assert fill_steps(metric, table, 60, Ends(NOON, NOON + 2 * MINUTE), newest=1)["value"].to_pylist() == [missing]


def test_every_segment_has_a_row_in_every_step() -> None:
    rows = [(0, "b", 1.0), (0, None, 2.0), (1, "a", 3.0)]
    table = pa.Table.from_pylist(
        [{"bucket": NOON + step * MINUTE, "segment": name, "value": value} for step, name, value in rows], COLUMNS
    )
    filled = fill_steps(ROUTES, table, 60, Ends(NOON, NOON + MINUTE), newest=9)
    assert filled["segment"].to_pylist() == ["a", "b", None] * 2
    assert filled["value"].to_pylist() == [0.0, 1.0, 2.0, 3.0, 0.0, 0.0]


def test_steps_are_counted_with_both_ends() -> None:
    assert count_steps(Ends(NOON, NOON), 60) == 1
    assert count_steps(Ends(NOON, NOON + 10 * MINUTE), 300) == 3
