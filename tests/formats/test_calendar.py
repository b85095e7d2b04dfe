"""The year of stamps without a year."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.formats.calendar import Calendar

days = st.dates(date(1971, 1, 1), date(2200, 12, 31))


def open_calendar(day: date) -> Calendar:
    modified = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return Calendar.open("", None, int(modified.timestamp()) * 1_000_000)


@given(days, st.integers(-1, 363))
def test_the_first_stamp_is_in_the_latest_year_before_the_modification(day: date, days_before: int) -> None:
    first = day - timedelta(days_before)
    assert open_calendar(day).find_year(first.month, first.day) == first.year


@given(st.lists(st.integers(-100, 150), max_size=20), days)
def test_steps_of_less_than_half_a_year_are_followed(steps: list[int], day: date) -> None:
    calendar = Calendar.open("", day.year, None)
    for step in [0, *steps]:
        day += timedelta(step)
        year = calendar.find_year(day.month, day.day)
        assert year == day.year
        calendar.remember(year, day.month)


@given(st.lists(st.integers(1, 12), min_size=1, max_size=30), st.integers(0, 30))
def test_a_reopened_calendar_continues(months: list[int], cut: int) -> None:
    whole, pieces = (Calendar.open("", 2026, None) for _ in range(2))
    for place, month in enumerate(months):
        if place == cut:
            pieces = Calendar.open(pieces.context, 2026, None)
        years = [calendar.find_year(month, 1) for calendar in (whole, pieces)]
        assert years[0] == years[1]
        whole.remember(years[0], month)
        pieces.remember(years[1], month)


@pytest.mark.parametrize("context", ["", "nonsense", "2026-13", "0000-01", "2026-1", "\uff19\uff19\uff19\uff19-01"])
def test_a_context_that_is_not_understood_counts_as_none(context: str) -> None:
    assert Calendar.open(context, 2026, None) == Calendar(2026, 12, 31)


@pytest.mark.parametrize("modified_at_us", [None, -(1 << 63), (1 << 63) - 1])
def test_a_modification_time_out_of_range_counts_as_now(modified_at_us: int | None) -> None:
    before = datetime.now(UTC) + timedelta(days=1)
    calendar = Calendar.open("", None, modified_at_us)
    after = datetime.now(UTC) + timedelta(days=1)
    assert before.date() <= date(calendar.year, calendar.month, calendar.day) <= after.date()
