from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.errors import SearchError
from puppylog.model.query import REJECTS, Reading, find_attribute_names, parse_query, translate, write_query
from puppylog.model.query.tree import Query
from support.queries import queries

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KNOWN = {"duration_ms": "12 or more", "user": "bob", "a.b": "1"}


def expression(text: str, reading: Reading | None = None) -> str:
    return translate(parse_query(text), reading or Reading(text=text, attributes=KNOWN, now=NOW))


@given(query=queries)
def test_a_query_that_is_written_is_read_as_the_same_query(query: Query) -> None:
    assert parse_query(write_query(query)) == query


@given(text=st.text('ab:=<>~!-/()"*\\ \n.1orandnot', max_size=30))
def test_any_text_is_a_query_or_is_refused_with_a_place(text: str) -> None:
    try:
        query = parse_query(text)
    except SearchError as error:
        refusal = error
    else:
        assert parse_query(write_query(query)) == query
        return
    assert 0 <= refusal.at <= len(text)
    assert "\n" not in refusal.cause


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a b", "a b"),
        ("a AND b", "a b"),
        ("a or b and c", "a or b c"),
        ("(a or b) c", "(a or b) c"),
        ("not a b", "-a b"),
        ("not (a b)", "-(a b)"),
        ("--a", "a"),
        ("-not a", "a"),
        ("((a) (b c))", "a b c"),
        ("status_code >= 500", "status_code>=500"),
        ("status_code:>=500", "status_code>=500"),
        ("host =~ /x/", "host~/x/"),
        ("host~x.*y", "host~/x.*y/"),
        ('message~"a/ b"', 'message~"a/ b"'),
        ("*a**b*", "a*b"),
        ("10:05:03", r"10\:05\:03"),
        ("a\\ b", r"a\ b"),
        ('"x y":1', '"x y":1'),
        ("C:\\\\temp", "C:\\\\temp"),
        ("request_route:/shop/", "request_route:/shop/"),
        ("/shop/", "/shop/"),
        ("ts>=2026-03-01T10:05:00Z", "ts>=2026-03-01T10:05:00Z"),
        ('"and" *or', '"and" *or'),
        ("has:user", "has:user"),
    ],
)
def test_a_query_has_one_shortest_form(text: str, written: str) -> None:
    assert write_query(parse_query(text)) == written


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("error", "ANY_REGEXP_LIKE('(?is)error')"),
        ("it's", "ANY_REGEXP_LIKE('(?is)it''s')"),
        ('"a*b"', r"ANY_REGEXP_LIKE('(?is)a\*b')"),
        ("/a.c/", "ANY_REGEXP_LIKE('a.c')"),
        ("host:a*", "REGEXP_LIKE(host, '(?is)^a.*$')"),
        ("HOST=a*", "host = 'a*'"),
        ("response_bsize>5", "response_bytes > 5"),
        ("indent_logname!=x", "ident <> 'x'"),
        ("status_code:5*", "REGEXP_LIKE(CAST(status_code AS TEXT), '(?is)^5.*$')"),
        ("status_code<-1.5", "status_code < -1.5"),
        ("-status_code:500", "NOT COALESCE(status_code = 500, FALSE)"),
        ("-(host=a or host=b)", "NOT COALESCE(host = 'a', FALSE) AND NOT COALESCE(host = 'b', FALSE)"),
        ("(host=a or host=b) ident=c", "(host = 'a' OR host = 'b') AND ident = 'c'"),
        ("duration_ms > 1000", "CAST(attributes ->> 'duration_ms' AS DOUBLE PRECISION) > 1000"),
        ("attributes.n<=-1e-2", "CAST(attributes ->> 'n' AS DOUBLE PRECISION) <= -0.01"),
        ('user="7"', "attributes ->> 'user' = '7'"),
        ("attributes.x~/^a/", "REGEXP_LIKE(attributes ->> 'x', '^a')"),
        ("a.b=c", "COALESCE(attributes ->> 'a.b', attributes -> 'a' ->> 'b') = 'c'"),
        ("has:user", "attributes ->> 'user' IS NOT NULL"),
        ("severity>alert", "REGEXP_LIKE(severity, '(?i)^(?:emergency|emerg|emrg)$')"),
        ("severity:emerg", "REGEXP_LIKE(severity, '(?i)^(?:emergency|emerg|emrg)$')"),
        ("severity=EMERG", "REGEXP_LIKE(severity, '(?i)^(?:emergency|emerg|emrg)$')"),
        ("severity!=alert", "NOT REGEXP_LIKE(severity, '(?i)^(?:alert|alrt)$')"),
        ('severity="EMERG"', "severity = 'EMERG'"),
        ("severity<trace", "FALSE"),
        ("stream:3", "stream_id = 3"),
        ("source:access.log", r"SOURCE_LIKE('(?is)(?:^|/)access\.log$')"),
        ("group!=shop", "NOT GROUP_LIKE('(?s)^shop$')"),
        ("ts>now-2h", "ts > CAST('2026-03-01 10:00:00+00:00' AS TIMESTAMPTZ)"),
        ("ts<=2h", "ts <= CAST('2026-03-01 10:00:00+00:00' AS TIMESTAMPTZ)"),
        ("ts>yesterday", "ts >= CAST('2026-03-01 00:00:00+00:00' AS TIMESTAMPTZ)"),
        ("ts<=2026-02-28", "ts < CAST('2026-03-01 00:00:00+00:00' AS TIMESTAMPTZ)"),
    ],
)
def test_a_query_becomes_an_expression(text: str, wanted: str) -> None:
    assert expression(text) == wanted


def test_a_time_without_an_offset_is_read_in_the_zone() -> None:
    reading = Reading(now=NOW, zone=ZoneInfo("Europe/Berlin"))
    assert "'2026-07-01 10:00:00+00:00'" in expression("ts>2026-07-01T12:00", reading)
    assert "'2026-02-28 23:00:00+00:00'" in expression("ts>=today", reading)


def test_a_query_that_is_kept_has_no_relative_time() -> None:
    with pytest.raises(SearchError, match="would mean another time tomorrow"):
        expression("ts>now-2h", Reading(text="ts>now-2h"))


def test_words_in_rejected_lines_are_looked_for_in_line_and_reason() -> None:
    reading = Reading(text="abc", vocabulary=REJECTS)
    assert expression("abc", reading) == "REGEXP_LIKE(line, '(?is)abc') OR REGEXP_LIKE(reason, '(?is)abc')"


@pytest.mark.parametrize("text", ["source:a", "stream:1", "has:group", "file~/a/"])
def test_a_query_that_a_metric_keeps_asks_the_records_alone(text: str) -> None:
    with pytest.raises(SearchError, match="a metric is computed from the records alone"):
        expression(text, Reading(text=text, is_kept=True))


@pytest.mark.parametrize(
    ("text", "at", "message"),
    [
        ('a "bc', 2, "the quote is not closed"),
        ("durtion_ms > 5", 0, 'there is no field "durtion_ms"; the nearest is duration_ms'),
        (
            "nothinglikeit:1",
            0,
            'there is no field "nothinglikeit" (column 1); the store has, for example, duration_ms:',
        ),
        ("host:a stats_code:5", 7, 'there is no field "stats_code"; the nearest is status_code'),
        ("/a(/", 2, "in the regular expression, a parenthesis is not closed"),
        ("host~/(?=a)/", 6, "in the regular expression, look-around is not accepted: RE2 has none"),
        ("/var/log", 0, 'put a path into quotes, as in "/var/log"'),
        ("status_code:abc", 12, 'status_code is a number, but "abc" is not'),
        ("host > 5", 0, "host is text, and > compares numbers"),
        ("duration_ms > fast", 14, '> compares numbers, but "fast" is not a number'),
        ("source>3", 0, "source is a name, and > compares numbers"),
        ("ts>soon", 3, '"soon" is not a time'),
        ("ts~/2026/", 0, "ts is a time, and a regular expression matches text"),
        ("severity>=bad", 10, '"bad" is not a severity'),
        (
            "error: x",
            6,
            'a value is missing right after the colon (column 7); to search for this text, write "error:"',
        ),
        ("a or", 4, "a test is missing at the end"),
        ("or a", 0, "a test is missing here"),
        ("(a", 0, "this parenthesis is not closed"),
        ("a)", 1, "this closing parenthesis has no opening one"),
        ("a - b", 2, "a test is missing after this -"),
        (">5", 0, "the name of a field is missing before >"),
        ("*", 0, "a * alone finds every record"),
        ("((((((( a )))))))", 6, "it is nested more than 6 deep"),
        ("a" * 1001, 1000, "at most 1,000 are allowed"),
        ("a\0", 1, "no store can keep this character"),
        (r'"attributes.a\"b":1', 0, "the name of an attribute has no"),
    ],
)
def test_what_is_no_query_is_refused_at_its_place_with_what_would_be_right(text: str, at: int, message: str) -> None:
    with pytest.raises(SearchError) as refusal:
        expression(text)
    assert refusal.value.at == at
    assert message in refusal.value.message
    assert refusal.value.exit_code == 2


def test_the_names_that_only_the_store_knows_are_found() -> None:
    query = parse_query("duration_ms>1 host:a attributes.x:1 source:a (user:b or -has:user)")
    assert find_attribute_names(query) == ["duration_ms", "user"]
