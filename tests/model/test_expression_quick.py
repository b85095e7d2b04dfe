"""The quick reader gives the term that the parser gives, or none."""

from datetime import UTC
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.errors import SearchError
from puppylog.model.expression import reading
from puppylog.model.expression.quick import read_quickly
from puppylog.model.query import REJECTS, Reading, parse_query, translate
from puppylog.model.query.tree import Query
from support.queries import KNOWN, queries
from support.query_meaning import NOW


def check(text: str) -> bool:
    """Compare both readers, and return whether the quick one reads the text."""
    term = read_quickly(text)
    if term is None:
        return False
    assert term.canonical == reading.parse_search(text)
    for dialect in ("duckdb", "postgres"):
        for written in (text, term.canonical):
            assert reading.render(written, dialect) == getattr(read_quickly(written), dialect)
    return True


def slowly(query: Query, reader: Reading) -> str:
    with mock.patch("puppylog.model.expression.quick.read_quickly", return_value=None):
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
    with mock.patch.object(reading, "parse_search", side_effect=AssertionError):
        text = translate(parse_query(query), Reading(query, now=NOW))
    assert check(text)


def test_a_query_for_rejected_lines_needs_no_parser() -> None:
    assert check(translate(parse_query("healthz -reason:*time*"), Reading(vocabulary=REJECTS, now=NOW)))


WORDS = "host ts 'a' 1 1.5 - = <> AND OR NOT ( ) TRUE IS NULL COALESCE , attributes ->> CAST AS TEXT REGEXP_LIKE x"


@given(st.lists(st.sampled_from(WORDS.split()), max_size=9))
def test_any_words_are_read_alike_or_left_to_the_parser(words: list[str]) -> None:
    check(" ".join(words))


@pytest.mark.parametrize(
    "text",
    [
        *("", "host", "status_code", "attributes ->> 'a'", "host = ", "nothing = 1", "host = 1 2", "host ~ 'a'"),
        *("1e5 = 1", "host LIKE 'a'", "(" * 30 + "TRUE" + ")" * 30, "REGEXP_LIKE(host, '(')", "host = 'a", "x" * 9000),
        *("CAST(host AS DATE) = 1", "attributes -> 'a' = 'b'"),
    ],
)
def test_what_is_unknown_or_wrong_is_left_to_the_parser(text: str) -> None:
    assert read_quickly(text) is None
