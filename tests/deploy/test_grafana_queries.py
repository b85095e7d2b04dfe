"""Every query of the dashboards, run on real stores by a role that may only read, returns what its panel shows.

No Grafana is asked: the macros are expanded as `macros` says.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from deploy.dashboards import QUERIES, Query, find_query
from deploy.filling import HOSTILE
from deploy.macros import ALL, Look, MacroError, Variable
from deploy.reader import Answer, Reader

NUMBERS = {"int2", "int4", "int8", "float4", "float8", "numeric"}
SHOWN = NUMBERS | {"text", "bool", "timestamptz"}  # the types that Grafana shows as what they are
HOSTILE_SECTION = f"/{HOSTILE}"
INTERVAL = "30s"

every_query = pytest.mark.parametrize("query", QUERIES, ids=[query.name for query in QUERIES])


def look_around(reader: Reader, **chosen: list[str]) -> Look:
    """Return a view of the hour in which the store was filled."""
    variables = {name: Variable(chosen.get(name, [ALL]), "'all'") for name in ("group", "stream", "section")}
    since = reader.filled_at - timedelta(minutes=55)
    return Look(since, since + timedelta(hours=1), INTERVAL, variables)


@pytest.fixture
def ask(reader: Reader) -> Callable[..., Answer]:
    """Run the query of this title, with the chosen values of variables; All for the other variables."""
    return lambda title, **chosen: reader.run(find_query(title).sql, look_around(reader, **chosen))


def options(answer: Answer) -> dict[str, str]:
    """Return the options of a variable: their values by their texts."""
    return {row["__text"]: row["__value"] for row in answer.rows}


def totals(answer: Answer, *, per_s: float = 1) -> Mapping[str, int]:
    """Return the number of records in each series of rates."""
    (rate,) = set(answer.types) - {"time", "metric"}
    found: dict[str, float] = {}
    for row in answer.rows:
        found[row.get("metric", "")] = found.get(row.get("metric", ""), 0) + float(row[rate]) * 30 / per_s
    return {name: round(total) for name, total in found.items()}


def assert_shows(query: Query, answer: Answer) -> None:
    """Raise unless the columns are those that Grafana needs for this kind of panel."""
    assert answer.rows, "nothing to see"
    assert set(answer.types.values()) <= SHOWN
    if query.kind == "variable":
        assert answer.types == {"__value": "text", "__text": "text"}
        assert None not in {value for row in answer.rows for value in row.values()}
    elif query.kind == "annotation":
        assert {"time": "timestamptz", "text": "text", "tags": "text"}.items() <= answer.types.items()
    elif query.kind == "stat":
        assert len(answer.rows) == 1
        (kind,) = answer.types.values()
        assert kind in NUMBERS
    elif query.format == "time_series":
        assert_is_time_series(answer)


def assert_is_time_series(answer: Answer) -> None:
    """Raise unless the rows are long (one per instant and metric) or wide (one per instant), oldest first."""
    labels = [name for name, kind in answer.types.items() if kind == "text"]
    assert next(iter(answer.types)) == "time"
    assert answer.types["time"] in NUMBERS | {"timestamptz"}
    assert labels in ([], ["metric"])
    assert not labels or len(answer.types) == 3  # with more, Grafana would not name a series by its metric alone
    keys = [(row["time"], row.get("metric")) for row in answer.rows]
    assert len(keys) == len(set(keys))
    assert [time for time, _ in keys] == sorted(time for time, _ in keys)
    values = [value for row in answer.rows for name, value in row.items() if name not in ("time", "metric")]
    assert all(isinstance(value, int | float | Decimal) and value >= 0 for value in values)


@every_query
def test_a_query_returns_the_columns_that_its_panel_shows(reader: Reader, query: Query) -> None:
    look = look_around(reader)
    assert_shows(query, reader.run(query.sql, look))
    if reader.flavour == "timescaledb":  # there, the data source may say so, and time is cut otherwise
        assert_shows(query, reader.run(query.sql, replace(look, has_timescaledb=True)))


def test_queries_find_their_relations_with_any_search_path(reader: Reader) -> None:
    with reader.connection.transaction(force_rollback=True):
        reader.connection.execute("SET LOCAL search_path = pg_catalog")
        for query in QUERIES:
            assert reader.run(query.sql, look_around(reader)).rows


def test_a_reader_cannot_write_even_in_a_session_that_is_not_read_only(reader: Reader) -> None:
    with reader.connection.transaction(force_rollback=True):
        reader.connection.execute("SET TRANSACTION READ WRITE")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.connection.execute("DELETE FROM puppylog.alerts")


def test_total_traffic_counts_every_record(ask: Callable[..., Answer]) -> None:
    assert totals(ask("Total traffic")) == {"": 127}


def test_traffic_is_split_by_section(ask: Callable[..., Answer]) -> None:
    expected = {HOSTILE_SECTION[:100]: 60, "/api": 52, "/": 10, "(no route)": 5}
    assert totals(ask("Traffic by section")) == expected


def test_status_codes_are_counted_and_so_are_records_without_one(ask: Callable[..., Answer]) -> None:
    assert totals(ask("Status codes")) == {"500": 60, "200": 52, "404": 10, "(none)": 5}


def test_percentiles_are_those_of_the_sizes_of_answers(ask: Callable[..., Answer]) -> None:
    (row,) = ask("Response bytes").rows
    assert row["p50"] == 10
    assert 1000 < row["p90"] < row["p99"] < 1040


def test_routes_are_listed_with_their_errors(reader: Reader, ask: Callable[..., Answer]) -> None:
    routes = {row["route"]: row for row in ask("Top routes").rows}
    worst = routes[f"/{HOSTILE}/1"[:200]]
    assert (worst["requests"], worst["client errors"], worst["server errors"], worst["bytes"]) == (60, 0, 60, 600)
    assert (routes["/"]["client errors"], routes["/api/2"]["bytes"]) == (10, 0)
    assert {row["since"] for row in routes.values()} == {reader.filled_at}


def test_collectors_are_listed_with_their_positions(ask: Callable[..., Answer]) -> None:
    found = {row["stream"]: row for row in ask("Collectors").rows}
    web, other = found["file:///var/log/web.log"], found["file:///var/log/o'brien.log"]
    assert (web["group"], web["bytes stored"], web["files"]) == ("web", 11_800, 1)
    assert (other["group"], other["bytes stored"]) == ("(no group)", 1200)
    assert 0 <= web["seconds since moved"] < 3600


def test_lines_are_counted_by_stream(ask: Callable[..., Answer]) -> None:
    expected = {"file:///var/log/web.log": 115, "file:///var/log/o'brien.log": 12}
    assert totals(ask("Lines per minute"), per_s=60) == expected


def test_rejected_lines_are_counted_by_reason(ask: Callable[..., Answer]) -> None:
    rejected = ask("Rejected lines by reason")
    assert {row["metric"] for row in rejected.rows} == {"no reason"}
    assert sum(rejected.column("lines")) == 3
    assert ask("Rejected lines").rows == [{"lines": 3}]


def test_metrics_are_listed_with_the_lag_of_their_watermarks(ask: Callable[..., Answer]) -> None:
    found = {row["metric"]: row for row in ask("Metrics").rows}
    periods = {"total_traffic": 1, "total_traffic_per_route": 10, "lines_per_stream": 60}
    periods |= {"requests_per_status": 10, "requests_per_stream": 10}
    periods |= {f"response_bytes_{statistic}": 60 for statistic in ("p50", "p90", "p99")}
    assert {name: row["period"] for name, row in found.items()} == periods
    assert all(0 < row["watermark lag"] < 3600 for row in found.values())
    assert ask("Furthest watermark").rows[0]["lag"] >= max(row["watermark lag"] for row in found.values())


def test_the_last_heartbeat_is_recent(ask: Callable[..., Answer]) -> None:
    assert 0 <= ask("Last heartbeat").rows[0]["age"] < 60


def test_alert_states_are_listed(ask: Callable[..., Answer]) -> None:
    found = {(row["alert"], row["segment"]): row for row in ask("Alert states").rows}
    assert found["burst", None]["state"] == "ok"
    assert found["burst", None]["condition"] == "avg of total_traffic over 3 s > 10"
    assert found["busy", "api"]["state"] == "ok"
    assert found["seldom", None]["state"] == "(not judged)"
    firing = [row for row in found.values() if row["state"] == "firing"]
    assert abs(ask("Firing now").rows[0]["firing"] - len(firing)) <= 1  # an alert may change between two looks


def test_transitions_are_listed_newest_first(ask: Callable[..., Answer]) -> None:
    transitions = [row for row in ask("Alert history").rows if row["alert"] == "burst"]
    assert [(row["was"], row["state"], row["level"]) for row in transitions] == [
        ("firing", "ok", "> 10"),
        ("ok", "firing", "> 10"),
    ]


def test_errors_are_listed_with_their_metric_or_alert(ask: Callable[..., Answer]) -> None:
    assert {"what": "alert", "name": "seldom", "error": "<b>no luck</b>"} in ask("Errors of the jobs").rows


def test_a_firing_alert_is_a_region_whose_text_is_not_markup(reader: Reader, ask: Callable[..., Answer]) -> None:
    regions = {row["tags"]: row for row in ask("Alerts firing").rows}
    burst, busy = regions["puppylog,firing,burst"], regions["puppylog,firing,busy"]
    assert reader.filled_at < burst["time"] < burst["timeend"] < datetime.now(UTC)
    assert burst["text"].startswith("burst: ")
    assert burst["text"].endswith(" &gt; 10")
    assert busy["time"] < busy["timeend"]
    assert busy["text"].startswith("busy of '\"; DROP TABLE puppylog.alerts; -- &lt;img src=x onerror=alert(1)&gt; ")


def test_no_annotation_is_markup(ask: Callable[..., Answer]) -> None:
    for title in ("Alerts firing", "Alert transitions"):
        assert [row["text"] for row in ask(title).rows if set("<>") & set(row["text"])] == []


def test_a_region_that_began_before_the_range_is_in_it(reader: Reader) -> None:
    around = look_around(reader)
    (burst,) = [row for row in reader.run(find_query("Alerts firing").sql, around).rows if "burst" in row["tags"]]
    later = replace(around, since=burst["time"] + (burst["timeend"] - burst["time"]) / 2)
    tags = reader.run(find_query("Alerts firing").sql, later).column("tags")
    assert "puppylog,firing,burst" in tags


def test_choosing_a_group_limits_streams_and_records(ask: Callable[..., Answer]) -> None:
    groups = options(ask("group"))
    assert set(groups) == {"web", "(no group)"}
    assert set(options(ask("stream", group=[groups["web"]]))) == {"file:///var/log/web.log"}
    chosen = {"group": [groups["(no group)"]]}
    assert set(options(ask("stream", **chosen))) == {"file:///var/log/o'brien.log"}
    assert totals(ask("Status codes", **chosen)) == {"200": 12}
    assert ask("Rejected lines", **chosen).rows == [{"lines": 0}]
    assert [row["stream"] for row in ask("Collectors", **chosen).rows] == ["file:///var/log/o'brien.log"]


def test_streams_are_chosen_one_by_one_or_together(ask: Callable[..., Answer]) -> None:
    streams = options(ask("stream"))
    assert totals(ask("Lines per minute", stream=list(streams.values())), per_s=60).keys() == streams.keys()
    one = streams["file:///var/log/o'brien.log"]
    assert [row["route"] for row in ask("Top routes", stream=[one]).rows] == ["/api/2"]
    assert totals(ask("Status codes", stream=list(streams.values()))) == totals(ask("Status codes"))


def test_a_hostile_section_can_be_chosen(ask: Callable[..., Answer]) -> None:
    sections = options(ask("section"))
    assert set(sections) == {HOSTILE_SECTION, "/api", "/", "(no route)"}
    chosen = {"section": [sections[HOSTILE_SECTION]]}
    assert totals(ask("Traffic by section", **chosen)) == {HOSTILE_SECTION[:100]: 60}
    assert totals(ask("Status codes", **chosen)) == {"500": 60}
    assert [row["requests"] for row in ask("Top routes", **chosen).rows] == [60]


def test_records_without_a_route_are_a_section_too(ask: Callable[..., Answer]) -> None:
    chosen = {"section": [options(ask("section"))["(no route)"]]}
    assert totals(ask("Traffic by section", **chosen)) == {"(no route)": 5}
    assert totals(ask("Status codes", **chosen)) == {"(none)": 5}


@pytest.mark.parametrize("value", ["') OR true --", "'; DROP TABLE puppylog.alerts; --", '"', "\\", "'all'", "all'--"])
def test_a_value_that_is_no_option_selects_nothing(ask: Callable[..., Answer], value: str) -> None:
    for title in ("Traffic by section", "Status codes", "Top routes"):
        assert ask(title, section=[value]).rows == []
        assert ask(title, section=[value, "x"]).rows == []
    for title in ("Collectors", "Lines per minute"):
        assert ask(title, stream=[value], group=[value]).rows == []


@pytest.mark.parametrize("value", ["$__timeFrom()", "$__timeFilter(x)", "$__nothing(x)"])
def test_a_value_that_is_a_macro_runs_nothing(ask: Callable[..., Answer], value: str) -> None:
    # Such a value can only be typed into the address by hand, because the options of sections are hashes.
    with pytest.raises((psycopg.errors.SyntaxError, MacroError)):
        ask("Status codes", section=[value])


def test_an_empty_range_is_no_error(reader: Reader) -> None:
    long_ago = replace(
        look_around(reader), since=datetime(2020, 1, 1, tzinfo=UTC), until=datetime(2020, 1, 2, tzinfo=UTC)
    )
    assert all(isinstance(reader.run(query.sql, long_ago).rows, list) for query in QUERIES)


def test_markup_in_a_log_is_returned_unchanged(ask: Callable[..., Answer]) -> None:
    """Tables and legends are plain text in Grafana, so the query need not escape anything."""
    found: list[Any] = ask("Top routes").column("route")
    assert any("<img" in route for route in found)
