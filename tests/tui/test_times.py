import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from puppylog.tui.times import format_range, format_time, format_times

NOW = datetime(2026, 5, 18, 12, tzinfo=UTC)
AT = datetime(2026, 5, 18, 9, 5, 9, 250000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "zone", "shown"),
    [
        (AT, UTC, "09:05:09"),
        (AT - timedelta(days=1), UTC, "17 May 09:05:09"),
        (AT + timedelta(days=1), UTC, "19 May 09:05:09"),
        (AT.replace(year=2015), UTC, "18 May 2015 09:05:09"),
        (AT, ZoneInfo("Asia/Tokyo"), "18:05:09"),
        (AT, ZoneInfo("Pacific/Kiritimati"), "18 May 23:05:09"),
        (NOW, ZoneInfo("Pacific/Kiritimati"), "02:00:00"),
        (None, UTC, "-"),
        (datetime.min.replace(tzinfo=UTC), ZoneInfo("America/New_York"), "0001-01-01T00:00:00+00:00"),
    ],
)
def test_a_time_of_today_has_no_date(at: datetime | None, zone: ZoneInfo, shown: str) -> None:
    assert format_time(at, zone, NOW) == shown


@pytest.mark.parametrize("is_local", [True, False])
def test_the_hour_that_comes_twice_has_the_name_of_its_offset(monkeypatch: pytest.MonkeyPatch, is_local: bool) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    zone = None if is_local else ZoneInfo("Europe/Berlin")
    midnight = datetime(2026, 10, 25, tzinfo=UTC)
    shown = [format_time(midnight + timedelta(minutes=30 * half), zone, midnight) for half in (-1, 1, 3, 5)]
    monkeypatch.undo()
    time.tzset()
    assert shown == ["01:30:00", "02:30:00 CEST", "02:30:00 CET", "03:30:00"]


def test_seconds_are_shown_if_one_of_the_times_has_some() -> None:
    minute = AT.replace(second=0, microsecond=0)
    assert format_times([minute, None], UTC, NOW) == ["09:05", "-"]
    assert format_times([minute, AT], UTC, NOW) == ["09:05:00", "09:05:09"]
    assert format_times([minute, AT], UTC, NOW, fractions=True) == ["09:05:00.000", "09:05:09.250"]
    assert format_times([minute], UTC, NOW, fractions=True) == ["09:05"]


def test_a_range_of_one_instant_is_that_instant() -> None:
    minute = AT.replace(second=0, microsecond=0)
    assert format_range(minute, minute, UTC, NOW) == "09:05"
    yesterday = minute - timedelta(days=1)
    assert format_range(yesterday, yesterday, UTC, NOW) == "17 May 09:05"
