from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from puppylog.monitor.range import ALWAYS, Range


def test_the_ends_of_a_range_are_bound_as_instants_in_utc() -> None:
    since = datetime(2015, 5, 17, 12, tzinfo=ZoneInfo("Europe/Berlin"))
    until = datetime(2015, 5, 18, tzinfo=UTC)
    assert Range(since, until).parameters() == {
        "since": "2015-05-17T10:00:00+00:00",
        "until": "2015-05-18T00:00:00+00:00",
    }


def test_the_range_always_is_open_at_both_ends() -> None:
    assert ALWAYS.parameters() == {"since": "-infinity", "until": "infinity"}
