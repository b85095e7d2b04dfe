"""Instants are read from the server's text to the microsecond, and those that Python cannot hold become the nearest."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from puppylog.stores.postgres.sessions.session import Session
from support.examples import examples


@settings(max_examples=examples(50), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(instants=st.lists(st.datetimes(timezones=st.just(UTC)), min_size=1, max_size=20))
def test_an_instant_is_the_same_after_a_way_through_the_server(url: str, instants: list[datetime]) -> None:
    with Session(url) as session:
        asked = {"instants": instants}
        found = session.fetch("SELECT unnest($instants::timestamptz[]) AS at", asked)["at"].to_pylist()
    assert found == instants


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-infinity", datetime(1, 1, 1, tzinfo=UTC)),
        ("0044-03-15 00:00:00+00 BC", datetime(1, 1, 1, tzinfo=UTC)),
        ("infinity", datetime(9999, 12, 31, tzinfo=UTC)),
        ("10000-01-01 00:00:00+00", datetime(9999, 12, 31, tzinfo=UTC)),
        ("2026-03-29 03:00:00.5+05:30", datetime(2026, 3, 28, 21, 30, tzinfo=UTC) + timedelta(milliseconds=500)),
    ],
)
def test_an_instant_that_python_cannot_hold_becomes_the_first_or_the_last(
    url: str, text: str, expected: datetime
) -> None:
    with Session(url) as session:
        assert session.value(f"SELECT TIMESTAMPTZ '{text}'") == expected


def test_instants_that_repeat_and_change_are_each_read(url: str) -> None:
    days = [1, 1, 2, 1, 1, 3, 3]
    with Session(url) as session:
        sql = "SELECT TIMESTAMPTZ '2026-01-01 00:00Z' + day * INTERVAL '1 day' AS at FROM unnest($days::int[]) AS day"
        found = session.fetch(f"{sql} UNION ALL SELECT NULL UNION ALL ({sql})", {"days": days})["at"].to_pylist()
    expected = [datetime(2026, 1, 1 + day, tzinfo=UTC) for day in days]
    assert found == [*expected, None, *expected]
