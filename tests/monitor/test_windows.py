from datetime import UTC, datetime, timedelta
from itertools import count, pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from puppylog.monitor.range import ALWAYS, Range
from puppylog.monitor.search import Count, Search, count_newest, find_records
from puppylog.monitor.windows import iter_windows
from support.memory import MemoryReader

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
AGES = st.sampled_from([timedelta(), *(timedelta(minutes=5 * 8**power) for power in range(5)), timedelta(days=4000)])


def fill(reader: MemoryReader, *times: datetime) -> None:
    reader.connection.execute("DELETE FROM puppylog.log_records")
    for offset, ts in enumerate(times):
        reader.insert("log_records", file_id=1, line_offset=offset, ts=ts, status_code=offset % 2)


def test_windows_cover_the_range_without_overlap(reader: MemoryReader) -> None:
    fill(reader, NOON, NOON - timedelta(days=90))
    for within in (ALWAYS, Range(NOON - timedelta(days=1), NOON + timedelta(days=1)), Range(until=NOON)):
        windows = list(iter_windows(reader, within))
        assert (windows[0].until, windows[-1].since) == (within.until, within.since)
        assert all(newer.since == older.until for newer, older in pairwise(windows))
    assert list(iter_windows(reader, Range(NOON - timedelta(seconds=9)))) == [Range(NOON - timedelta(seconds=9))]
    assert list(iter_windows(reader, Range(NOON + timedelta(days=1)))) == []


def test_times_near_the_first_instant_of_python_are_one_window(reader: MemoryReader) -> None:
    fill(reader, datetime(1, 1, 2, tzinfo=UTC))
    assert list(iter_windows(reader, ALWAYS))[-1].since is None
    assert find_records(reader, Search(), records=5).num_rows == 1


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(AGES, max_size=12), st.integers(0, 13), AGES, AGES)
def test_the_newest_records_are_those_of_one_query(
    reader: MemoryReader, ages: list[timedelta], records: int, since: timedelta, until: timedelta
) -> None:
    fill(reader, *(NOON - age for age in ages))
    search = Search("status_code = 1", Range(NOON - since, NOON - until + timedelta(seconds=1)))
    one = reader.query(search.render("records"), {**search.parameters(), "records": records})
    found = find_records(reader, search, records=records)
    assert found["line_offset"].to_pylist() == one["line_offset"].to_pylist()
    assert found.column_names == one.column_names


@pytest.mark.parametrize(
    ("most", "budget_s", "expected"),
    [
        (99, 1e9, Count(6, is_complete=True)),
        (6, 1e9, Count(6, is_complete=False)),
        (99, 10, Count(2, is_complete=False)),
        (99, -1, Count(0, is_complete=False)),
    ],
)
def test_a_count_ends_at_its_limit_and_before_a_window_that_would_take_too_long(
    reader: MemoryReader, most: int, budget_s: float, expected: Count
) -> None:
    fill(reader, *(NOON - timedelta(minutes=2 * 8**power) for power in (0, 0, 2, 3, 4, 4)))
    seconds = count()
    assert count_newest(reader, Search(), most, budget_s=budget_s, clock=lambda: float(next(seconds))) == expected
