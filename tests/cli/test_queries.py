"""The QUERY of a command line."""

import json

import pytest

from support.inprocess import InProcess


def count(cli: InProcess, *words: str) -> int:
    got = cli("logs", *words, "-o", "jsonl", "-l", "1000")
    assert got.code == 0, got.err
    return len(got.out.splitlines())


def test_the_arguments_of_logs_form_a_query(cli: InProcess) -> None:
    assert count(cli) == 120
    assert count(cli, "SHOP") == 60
    assert count(cli, "/shop/", "status_code>=500") == 12
    assert count(cli, "request_route:/shop/*", "status_code>=500", "or", "request_route=/blog/") == 42
    assert count(cli, "zone:a", "--where", "host = '10.0.0.1'", "status_code:5*") == 4
    assert count(cli, "source:test.log group:shop file:/var/log/*") == 120
    assert count(cli, "ts>=2026-03-01T12:01:00", "--tz", "UTC", "not", "host:10.0.0.1") == 40
    assert count(cli, " ") == 120


def test_a_time_in_a_query_is_in_the_zone_of_the_output(cli: InProcess) -> None:
    assert count(cli, "ts<2026-03-01T13:00:10", "--tz", "Europe/Berlin") == 10


@pytest.mark.parametrize(
    ("query", "message", "caret"),
    [
        ('"a b', "the quote is not closed", 0),
        ("status:500", 'there is no field "status"; the nearest are status_code', 0),
        ("x or zon:b", "the nearest are zone", 5),
        ("/a(/", "in the regular expression, a parenthesis is not closed", 2),
        ("host > 5", "host is text, and > compares numbers", 0),
    ],
)
def test_a_wrong_query_is_an_error_of_one_line_and_a_caret(
    cli: InProcess, query: str, message: str, caret: int
) -> None:
    got = cli("logs", query)
    line, shown, below = got.err.splitlines()
    assert (got.code, got.out) == (2, "")
    assert line.startswith("puppylog: cannot read the query: ")
    assert message in line.replace("the nearest is", "the nearest are")
    assert (shown, below) == (f"  {query}", f"  {' ' * caret}^")


def test_an_unknown_field_is_refused_with_an_example_from_the_store(cli: InProcess) -> None:
    assert "the store has, for example, zone:a;" in cli("logs", "zon:b").err


def test_the_help_explains_queries(cli: InProcess) -> None:
    got = cli("logs", "--help")
    assert "[QUERY]..." in got.out
    assert "docs/search.md" in got.out


def test_rejected_lines_are_found_by_a_query(cli: InProcess) -> None:
    for query, lines in [("reason:*reason*", 1), ("'no reason'", 0), ("line~/^\\x16/ source:test.log", 1), ("nope", 0)]:
        got = cli("rejects", "list", query, "-o", "jsonl")
        assert (got.code, len(got.out.splitlines())) == (0, lines), query
    assert [row["lines"] for row in json.loads(cli("rejects", "count", "group:shop", "-o", "json").out)] == [1]
    assert cli("rejects", "list", "resaon:x").err.splitlines()[0].endswith('put it into quotes: "resaon"')
    assert "the nearest are reason" in cli("rejects", "list", "resaon:x").err


def test_a_query_returns_whole_records(cli: InProcess) -> None:
    [record] = [json.loads(line) for line in cli("logs", "response_bytes=7", "-o", "jsonl").out.splitlines()]
    assert (record["host"], record["attributes"]) == ("10.0.0.1", {"zone": "a"})


def test_the_filter_of_a_metric_can_be_a_query(cli: InProcess) -> None:
    made = cli("monitor", "metrics", "create", "-i", "asked", "--filter", "zone:a -status_code:500", "--period", "10s")
    assert made.code == 0, made.err
    [listed] = [
        row for row in json.loads(cli("monitor", "metrics", "list", "-o", "json").out) if row["name"] == "asked"
    ]
    assert (
        listed["filter"] == "REGEXP_LIKE(attributes ->> 'zone', '(?is)^a$') AND NOT COALESCE(status_code = 500, FALSE)"
    )
    got = cli("sql", "select sum(value) as n from metrics.asked", "-o", "json")
    assert [row["n"] for row in json.loads(got.out)] == [108]
    cli("monitor", "metrics", "delete", "asked")


@pytest.mark.parametrize(
    ("filter_", "message"),
    [
        ("status_code lik 5", "cannot use filter expression"),
        ("host = 'a", "cannot use filter expression"),
        ("1; drop table x", "cannot use filter expression"),
        ("zon:a", "the nearest is zone"),
        ("group:shop", "limit the metric with --group"),
        ("ts>now-2h severity:error", "a relative time would mean another time tomorrow"),
    ],
)
def test_a_filter_that_is_neither_sql_nor_a_query_is_refused(cli: InProcess, filter_: str, message: str) -> None:
    got = cli("monitor", "metrics", "create", "-i", "refused", "--filter", filter_)
    assert (got.code, got.out) == (2, "")
    assert message in got.err


def test_a_query_that_begins_with_a_minus_is_told_from_an_option(cli: InProcess) -> None:
    got = cli("logs", "-bot")
    assert (got.code, got.err.count("\n")) == (2, 1)
    assert "in a query, write not instead of a - at its beginning" in got.err
    assert "in a query" not in cli("sql", "-bot").err
