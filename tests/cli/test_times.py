from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest

from puppylog.cli.times import parse_instant, parse_range
from puppylog.errors import UsageError
from puppylog.monitor.range import Range
from puppylog.settings import Settings
from puppylog.stores.address import StoreAddress

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
SETTINGS = Settings(store=StoreAddress(""), color=None, output="table", zone=UTC, host="", quiet=False)


@pytest.mark.parametrize(
    ("text", "zone", "instant"),
    [
        ("now", UTC, NOW),
        ("2h", UTC, NOW - timedelta(hours=2)),
        ("2h ago", UTC, NOW - timedelta(hours=2)),
        ("1D", UTC, NOW - timedelta(days=1)),
        ("2015-05-17", UTC, datetime(2015, 5, 17, tzinfo=UTC)),
        ("2015-05-17", BERLIN, datetime(2015, 5, 16, 22, tzinfo=UTC)),
        ("2015-05-17T10:05:00Z", BERLIN, datetime(2015, 5, 17, 10, 5, tzinfo=UTC)),
        ("2015-05-17 10:05:00+02:00", UTC, datetime(2015, 5, 17, 8, 5, tzinfo=UTC)),
        (" 2015-05-17 10:05 ", UTC, datetime(2015, 5, 17, 10, 5, tzinfo=UTC)),
        ("30min", UTC, NOW - timedelta(minutes=30)),
        ("1h30m", UTC, NOW - timedelta(minutes=90)),
        ("2 days ago", UTC, NOW - timedelta(days=2)),
        ("now-1h 30min", UTC, NOW - timedelta(minutes=90)),
        ("today", BERLIN, datetime(2026, 11, 22, 23, tzinfo=UTC)),
        ("Yesterday", BERLIN, datetime(2026, 11, 21, 23, tzinfo=UTC)),
        ("yesterday 02:30", BERLIN, datetime(2026, 11, 22, 1, 30, tzinfo=UTC)),
        ("monday", UTC, datetime(2026, 11, 23, tzinfo=UTC)),  # it is a Monday
        ("sunday", UTC, datetime(2026, 11, 22, tzinfo=UTC)),
        ("tuesday 9:15", UTC, datetime(2026, 11, 17, 9, 15, tzinfo=UTC)),
        ("02:30", UTC, datetime(2026, 11, 23, 2, 30, tzinfo=UTC)),
        ("12:00:01", UTC, datetime(2026, 11, 22, 12, 0, 1, tzinfo=UTC)),  # today's is still to come
        ("13:30", BERLIN, datetime(2026, 11, 22, 12, 30, tzinfo=UTC)),
    ],
)
def test_a_time_is_parsed(text: str, zone: tzinfo, instant: datetime) -> None:
    assert parse_instant(text, "--since", now=NOW, zone=zone) == instant


@pytest.mark.parametrize(
    ("text", "after", "instant"),
    [
        ("06:00", NOW, datetime(2026, 11, 24, 6, tzinfo=UTC)),
        ("13:00", NOW, datetime(2026, 11, 23, 13, tzinfo=UTC)),
        ("12:00", NOW, datetime(2026, 11, 24, 12, tzinfo=UTC)),
        ("06:00", datetime(2026, 11, 25, 22, tzinfo=UTC), datetime(2026, 11, 26, 6, tzinfo=UTC)),
        ("monday", NOW, datetime(2026, 11, 30, tzinfo=UTC)),  # it is a Monday
        ("monday 13:00", NOW, datetime(2026, 11, 23, 13, tzinfo=UTC)),
        ("sunday 9:15", NOW, datetime(2026, 11, 29, 9, 15, tzinfo=UTC)),
        ("tomorrow", datetime(2026, 12, 24, tzinfo=UTC), datetime(2026, 11, 24, tzinfo=UTC)),
        ("now+2h", NOW + timedelta(days=1), NOW + timedelta(hours=2)),
    ],
)
def test_a_weekday_or_a_time_of_day_that_is_to_come_is_the_next_one(
    text: str, after: datetime, instant: datetime
) -> None:
    assert parse_instant(text, "--until", now=NOW, zone=UTC, after=after) == instant


def test_a_time_without_offset_is_in_the_zone_of_this_machine_if_the_zone_is_local() -> None:
    naive = datetime(2015, 5, 17, 10, 5)  # noqa: DTZ001 - that it has no zone is the point
    assert parse_instant("2015-05-17 10:05", "--since", now=NOW, zone=None) == naive.astimezone(UTC)


@pytest.mark.parametrize(
    "text", ["", "yesterday-ish", "2015", "7", "2015-02-30", "999999999w", "2h2", "\x1b", "25:00", "ago", "2h ago 5"]
)
def test_the_error_on_a_wrong_time_names_its_option(text: str) -> None:
    with pytest.raises(UsageError, match=r"cannot (read|use) --to"):
        parse_instant(text, "--to", now=NOW, zone=UTC)


@pytest.mark.parametrize(
    ("day", "since"),
    [
        (datetime(2026, 3, 29, 12, tzinfo=UTC), datetime(2026, 3, 28, 23, tzinfo=UTC)),
        (datetime(2026, 10, 25, 12, tzinfo=UTC), datetime(2026, 10, 24, 22, tzinfo=UTC)),
    ],
)
def test_a_day_begins_at_midnight_although_the_offset_changes_on_it(day: datetime, since: datetime) -> None:
    assert parse_instant("today", "--since", now=day, zone=BERLIN) == since


def test_a_time_beyond_the_calendar_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot read"):
        parse_instant("0001-01-01", "--since", now=NOW, zone=ZoneInfo("Asia/Tokyo"))


def test_a_range_is_half_open_and_may_be_unlimited() -> None:
    assert parse_range(SETTINGS, None, None, None) == Range(None, None)
    found = parse_range(SETTINGS, None, "2015-05-17", "2015-05-18")
    assert found == Range(datetime(2015, 5, 17, tzinfo=UTC), datetime(2015, 5, 18, tzinfo=UTC))


@pytest.mark.parametrize(
    ("since", "from_", "to", "cause"),
    [
        ("2h", "3h", None, "cannot use both --since and --from"),
        ("1h", None, "2h", "the range ends before it begins"),
        ("2015-05-17", None, "2015-05-17", "the range ends before it begins"),
    ],
)
def test_a_wrong_range_is_refused(since: str | None, from_: str | None, to: str | None, cause: str) -> None:
    with pytest.raises(UsageError, match=cause):
        parse_range(SETTINGS, since, from_, to)
