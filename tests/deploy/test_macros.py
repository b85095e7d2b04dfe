"""The expansion of macros in these tests agrees with Grafana's, example by example."""

from datetime import UTC, datetime

import pytest

from deploy.macros import ALL, Look, MacroError, Variable

SINCE = datetime(2026, 3, 1, 12, tzinfo=UTC)
UNTIL = datetime(2026, 3, 1, 13, 0, 0, 500_000, tzinfo=UTC)


def look(*chosen: str, has_timescaledb: bool = False) -> Look:
    return Look(SINCE, UNTIL, "30s", {"v": Variable(list(chosen), "'all'")}, has_timescaledb)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("$__timeFilter(a.ts)", "a.ts BETWEEN '2026-03-01T12:00:00Z' AND '2026-03-01T13:00:00.500000Z'"),
        ("$__timeFrom(), $__timeTo()", "'2026-03-01T12:00:00Z', '2026-03-01T13:00:00.500000Z'"),
        ("$__timeGroup(ts, $__interval)", "floor(extract(epoch from ts)/30)*30"),
        ("$__timeGroup(ts, '5m', 0), 1", 'floor(extract(epoch from ts)/300)*300 AS "time", 1'),
        ("$__timeGroupAlias(ts, $__interval, NULL)", 'floor(extract(epoch from ts)/30)*30 AS "time"'),
        ("$__unixEpochFilter(at)", "at >= 1772366400 AND at <= 1772370000"),
        ("$__unixEpochFrom() + $__interval_ms", "1772366400 + 30000"),
    ],
)
def test_a_macro_is_expanded_as_grafana_does(query: str, expected: str) -> None:
    assert look(ALL).expand(query) == expected


def test_the_data_source_chooses_time_bucket() -> None:
    expanded = look(ALL, has_timescaledb=True).expand("$__timeGroupAlias(ts, $__interval)")
    assert expanded == "time_bucket('30.000s',ts) AS \"time\""


@pytest.mark.parametrize("query", ["$__no(ts)", "$__timeGroup(ts)", "$__timeGroup(ts, 5x)", "${other:sqlstring}"])
def test_a_query_that_grafana_refuses_is_refused(query: str) -> None:
    with pytest.raises(MacroError):
        look(ALL).expand(query)


def test_values_are_quoted_but_all_is_not() -> None:
    assert look("a'b", "c").expand("IN (${v:sqlstring})") == "IN ('a''b','c')"
    assert look(ALL).expand("IN (${v:sqlstring})") == "IN ('all')"
