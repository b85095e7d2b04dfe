from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from puppylog.monitor.budget import Budget
from puppylog.monitor.counting import newest_part
from puppylog.monitor.counting.newest_part import count_newest_part
from puppylog.monitor.pages import Order, PageCursor, find_page
from puppylog.monitor.range import ALWAYS, Range
from puppylog.monitor.search import Search, count_records
from puppylog.monitor.windows import iter_oldest_windows, iter_windows
from support.examples import examples
from support.memory import MemoryReader

pytestmark = pytest.mark.sampled

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@dataclass
class Clock:
    """A clock that a test sets."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


def fill(reader: MemoryReader, *times: datetime) -> None:
    for offset, ts in enumerate(times):
        reader.insert("log_records", file_id=1, line_offset=offset, ts=ts, status_code=offset % 2)


def run(windows: Iterator[Range], clock: Clock, second_of: Callable[[Range], float]) -> list[Range]:
    """Return the windows; the search in each takes as long as ``second_of`` says."""
    searched = []
    for window in windows:
        searched.append(window)
        clock.seconds += second_of(window)
    return searched


def test_the_windows_of_a_budget_end_where_the_time_is_over(reader: MemoryReader) -> None:
    fill(reader, NOON, NOON - 30 * DAY)
    clock = Clock()
    budget = Budget(1, clock)

    def second_of(window: Range) -> float:  # a tenth of a second for each day
        assert window.since is not None
        return ((window.until or NOON) - window.since) / DAY / 10

    windows = run(iter_windows(reader, ALWAYS, budget), clock, second_of)
    assert all(newer.since == older.until for newer, older in pairwise(windows))
    assert budget.reached == windows[-1].since
    assert budget.reached is not None
    assert timedelta(days=7) < NOON - budget.reached <= timedelta(days=10)
    assert 0.7 < clock.seconds <= 1


def test_the_windows_of_a_budget_cover_everything_if_there_is_time(reader: MemoryReader) -> None:
    fill(reader, NOON, NOON - 300 * DAY)
    for within in (ALWAYS, Range(NOON - DAY, NOON + DAY)):
        budget = Budget(1, Clock())
        newest, oldest = list(iter_windows(reader, within, budget)), list(iter_oldest_windows(reader, within, budget))
        assert budget.reached is None
        assert (newest[0].until, newest[-1].since) == (within.until, within.since)
        assert (oldest[0].since, oldest[-1].until) == (within.since, within.until)


@pytest.mark.parametrize("order", ["newest", "oldest"])
@settings(max_examples=examples(4, soak=25), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(ages=st.lists(st.integers(0, 60 * 24 * 40), min_size=1, max_size=12), per_query_s=st.floats(0.01, 2))
def test_pages_that_end_early_find_every_record_once(
    reader: MemoryReader, order: Order, ages: list[int], per_query_s: float
) -> None:
    reader.connection.execute("DELETE FROM puppylog.log_records")
    fill(reader, *(NOON - timedelta(minutes=age) for age in ages))
    search = Search("status_code = 1")
    clock = Clock()

    def tick() -> float:
        clock.seconds += per_query_s
        return clock.seconds

    seen: list[int] = []
    after: PageCursor | None = None
    for _ in range(200):
        page = find_page(reader, search, records=2, order=order, after=after, budget=Budget(3, tick))
        seen += page.records["line_offset"].to_pylist()
        assert page.has_more or page.searched_to is None
        if not page.has_more:
            break
        after = page.cursor
    whole = find_page(reader, search, records=100, order=order, after=None)
    assert seen == whole.records["line_offset"].to_pylist()


def test_a_page_that_ends_early_without_a_record_says_so(reader: MemoryReader) -> None:
    fill(reader, NOON, NOON - 30 * DAY)
    seconds = iter(range(100))
    budget = Budget(2, lambda: float(next(seconds)))
    page = find_page(reader, Search("false"), records=5, order="newest", after=None, budget=budget)
    assert (page.records.num_rows, page.has_more) == (0, True)
    assert page.searched_to == NOON - timedelta(minutes=5)
    assert page.cursor is not None


@pytest.mark.parametrize(("seconds_a_day", "is_whole"), [(0.01, True), (0.1, False)])
def test_the_newest_part_is_counted_if_the_whole_takes_too_long(
    reader: MemoryReader, seconds_a_day: float, is_whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newest_part, "_RECORDS_A_SECOND", 1)
    fill(reader, *(NOON - hour * timedelta(hours=1) for hour in range(0, 30 * 24, 4)))
    clock = Clock()

    def count(search: Search) -> int:
        clock.seconds += ((NOON - search.within.since) / DAY if search.within.since else 30) * seconds_a_day
        return count_records(reader, search, 10**6)

    found, since = count_newest_part(reader, Search(), Budget(1, clock), count)
    if is_whole:
        assert (found, since) == (30 * 6, None)
    else:
        assert since is not None
        assert found == count_records(reader, Search(within=Range(since)), 10**6) > 6
    assert clock.seconds < 1.1


@pytest.mark.parametrize(("records", "is_whole"), [(120, True), (121, False)])
def test_few_records_are_counted_at_once(
    reader: MemoryReader, records: int, is_whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newest_part, "_RECORDS_A_SECOND", 200)
    fill(reader, *(NOON - number * timedelta(hours=1) for number in range(records)))
    counted: list[Search] = []

    def count(search: Search) -> int:
        counted.append(search)
        return count_records(reader, search, 10**6)

    assert count_newest_part(reader, Search("status_code = 1"), Budget(0.6, Clock()), count) == (60, None)
    assert (counted == [Search("status_code = 1")]) is is_whole


def test_the_part_of_nothing_is_everything(reader: MemoryReader) -> None:
    assert count_newest_part(reader, Search(), Budget(1), lambda search: count_records(reader, search, 9)) == (0, None)
