"""The fast parser gives the term that the parser gives, or none."""

from datetime import UTC
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.errors import SearchError
from puppylog.model.defaults import ORIGINAL, Contents, choose_defaults
from puppylog.model.expression import parsing, render, render_segment
from puppylog.model.expression.fast_parsing import parse_fast, parse_segment_fast
from puppylog.model.expression.term import Type
from puppylog.model.query import REJECTS, Reading, parse_query, translate
from puppylog.model.query.tree import Query
from support.queries import KNOWN, queries
from support.query_meaning import NOW


def check(text: str) -> bool:
    """Compare both readers, and return whether the fast one reads the text."""
    term = parse_fast(text)
    if term is None:
        return False
    if term.type is Type.BOOLEAN:
        assert term.canonical == parsing.parse_search(text)
    for dialect in ("duckdb", "postgres"):
        for written in (text, term.canonical):
            assert parsing.render(written, dialect) == getattr(parse_fast(written), dialect)
    return True


def check_segment(text: str) -> bool:
    """Compare both readers of segments, and return whether the fast one reads the text."""
    term = parse_segment_fast(text)
    if term is None:
        return False
    assert term.canonical == parsing.parse_segment(text)
    assert term.duckdb == parsing.render_segment(text, "duckdb")
    assert term.postgres == parsing.render_segment(text, "postgres")
    return True


def slowly(query: Query, reader: Reading) -> str:
    with mock.patch("puppylog.model.expression.fast_parsing.parse_fast", return_value=None):
        return translate(query, reader)


@given(queries)
def test_a_query_becomes_the_same_term_in_both_readers(query: Query) -> None:
    reader = Reading("", attributes=KNOWN, now=NOW, zone=UTC)
    try:
        expected = slowly(query, reader)
    except SearchError:
        return
    assert translate(query, reader) == expected
    check(expected)


@pytest.mark.parametrize(
    "query",
    [
        "timeout",
        '"no space" -disk',
        "status_code>=500 request_route:/shop/* -user_agent:*bot*",
        "(host:10.* or host:::1) and not has:referer",
        "severity>=warning message~/took [0-9]+ s/",
        "attributes.duration_ms>1000 attributes.a.b:x",
        "attributes.n<-1.5 or status_code!=200",
        "ts>=now-2h ts:2026-03-01",
        "source:access.log stream:3 group:shop -file:*.gz",
    ],
)
def test_the_queries_that_people_write_need_no_parser(query: str) -> None:
    with mock.patch.object(parsing, "parse_search", side_effect=AssertionError):
        text = translate(parse_query(query), Reading(query, now=NOW))
    assert check(text)


def test_a_query_for_rejected_lines_needs_no_parser() -> None:
    assert check(translate(parse_query("healthz -reason:*time*"), Reading(vocabulary=REJECTS, now=NOW)))


WORDS = (
    *(
        "host",
        "ts",
        "'a'",
        "1",
        "1.5",
        "-",
        "=",
        "<>",
        "AND",
        "OR",
        "NOT",
        "(",
        ")",
        "TRUE",
        "IS",
        "NULL",
        ",",
        "x",
        "line",
    ),
    *("COALESCE", "attributes", "->>", "CAST", "AS", "TEXT", "REGEXP_LIKE", "LOWER"),
)


@given(st.lists(st.sampled_from(WORDS), max_size=9))
def test_any_words_are_read_alike_or_left_to_the_parser(words: list[str]) -> None:
    check(" ".join(words))
    check_segment(" ".join(words))


SEGMENTS = [
    *("host", "status_code", "stream_id", "LOWER(severity)", "SPLIT_PART(request_route, '/', 2)", "attributes ->> 'a'"),
    *(
        "status_code >= 500",
        "COALESCE(attributes ->> 'a', attributes -> 'a' ->> 'b')",
        "CONCAT(host, ' ', status_code)",
    ),
    *("LENGTH(message)", "NULLIF(host, '-')", "REPLACE(host, 'a', 'b')", "SEVERITY_NUMBER(severity)", "UPPER(host)"),
    *("STARTS_WITH(host, 'a')", "SUBSTR(host, 1, 3)", "SUBSTR(host, 2)", "CAST(status_code AS TEXT)", "1.5", "'a'"),
]


@pytest.mark.parametrize("text", SEGMENTS)
def test_a_common_segment_needs_no_parser(text: str) -> None:
    assert check_segment(text)


@pytest.mark.parametrize("text", SEGMENTS)
def test_a_common_property_needs_no_parser(text: str) -> None:
    assert check(text)


FUNCTIONS = (
    *("COALESCE", "CONCAT", "LENGTH", "LOWER", "NULLIF", "REPLACE", "SEVERITY_NUMBER", "SPLIT_PART", "STARTS_WITH"),
    *("SUBSTR", "UPPER"),
)
ARGUMENTS = ("host", "ts", "status_code", "'a'", "''", "0", "1", "1.5", "TRUE", "attributes ->> 'a'")


@given(st.sampled_from(FUNCTIONS), st.lists(st.sampled_from(ARGUMENTS), max_size=3))
def test_any_call_is_read_alike_or_left_to_the_parser(function: str, arguments: list[str]) -> None:
    text = f"{function}({', '.join(arguments)})"
    check(text)
    check_segment(text)


def test_no_default_metric_needs_the_parser() -> None:
    everything = choose_defaults(Contents(has_requests=True, has_severities=True, duration="duration_ms"))
    with mock.patch.object(parsing, "_read", side_effect=AssertionError):
        for metric in (*ORIGINAL.metrics, *everything.metrics):
            for text in filter(None, (metric.filter, metric.of)):
                render(text, "duckdb")
            if metric.segment is not None:
                render_segment(metric.segment, "duckdb")


@pytest.mark.parametrize("text", ["line", "LOWER(reason)", "FILE_LIKE('a')", "ts", "host, host", "left(host, 1)", ""])
def test_what_is_no_segment_is_left_to_the_parser(text: str) -> None:
    assert parse_segment_fast(text) is None


@pytest.mark.parametrize(
    "text",
    [
        *("", "host = ", "nothing = 1", "host = 1 2", "host ~ 'a'"),
        *("1e5 = 1", "host LIKE 'a'", "(" * 30 + "TRUE" + ")" * 30, "REGEXP_LIKE(host, '(')", "host = 'a", "x" * 9000),
        *("CAST(host AS DATE) = 1", "attributes -> 'a' = 'b'"),
    ],
)
def test_what_is_unknown_or_wrong_is_left_to_the_parser(text: str) -> None:
    assert parse_fast(text) is None
