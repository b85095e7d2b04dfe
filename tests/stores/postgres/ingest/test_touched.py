from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.stores.postgres.ingest.touched import Touched, days_of, ranges_of

STREAM = 7
HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
NOW_US = 1_795_514_400_000_000
TIMES = st.integers(-3 * DAY_US, 3 * DAY_US) | st.integers(NOW_US - 40 * DAY_US, NOW_US)
BATCHES = st.lists(st.lists(TIMES, max_size=30), max_size=3)


def make_batches(times: list[list[int]]) -> list[pa.RecordBatch]:
    arrays = [pa.array(us, pa.int64()).cast(pa.timestamp("us", "UTC")) for us in times]
    return [pa.RecordBatch.from_arrays([array], ["ts"]) for array in arrays]


def find_ranges(times: list[list[int]], width_us: int) -> list[Touched]:
    """Return the expected ranges, found by a loop over all times."""
    periods: dict[int, list[int]] = {}
    for us in (us for batch in times for us in batch):
        periods.setdefault(us // width_us, []).append(us)
    return [Touched(STREAM, min(periods[key]), max(periods[key])) for key in sorted(periods)]


@given(BATCHES)
def test_the_times_of_records_are_ranges_within_an_hour_each(times: list[list[int]]) -> None:
    assert ranges_of(STREAM, make_batches(times)) == find_ranges(times, HOUR_US)


@given(BATCHES)
def test_the_days_of_records_are_those_that_their_times_lie_in(times: list[list[int]]) -> None:
    assert days_of(make_batches(times)) == {us // DAY_US for batch in times for us in batch}


@pytest.mark.parametrize(("hours", "width_us"), [(1000, HOUR_US), (1001, DAY_US), (24_001, 24 * DAY_US)])
def test_more_than_a_thousand_ranges_become_wider_ones(hours: int, width_us: int) -> None:
    times = [[hour * HOUR_US + 5 for hour in range(-10, hours - 10)]]
    assert ranges_of(STREAM, make_batches(times)) == find_ranges(times, width_us)


@pytest.mark.parametrize("times", [[], [[]], [[], []]])
def test_no_records_have_no_ranges(times: list[Any]) -> None:
    assert ranges_of(STREAM, make_batches(times)) == []
    assert days_of(make_batches(times)) == set()
