"""A query means the same on every store: what its tree means in plain Python."""

import random

import pytest
from hypothesis import HealthCheck, given, settings

from puppylog.model.expression import render
from puppylog.model.metric import Metric
from puppylog.model.query import REJECTS, Reading, parse_query, translate, write_query
from puppylog.model.query.tree import Query
from puppylog.monitor.condition import dialect_of
from puppylog.monitor.rejects import RejectFilter, iter_rejects
from puppylog.monitor.search import Search, find_records, read_cursor, read_new_records
from puppylog.stores.base import Store
from support.examples import examples
from support.lines import Source, rejects, rows
from support.queries import KNOWN, queries
from support.query_meaning import NOW, matches
from support.stored_records import store_records


def find(store: Store, query: Query) -> set[tuple[int, int]]:
    text = write_query(query)
    parsed = parse_query(text)
    assert parsed == query, text
    expression = translate(parsed, Reading(text=text, attributes=KNOWN, now=NOW))
    found = find_records(store, Search(render(expression, dialect_of(store))), records=1_000_000)
    return set(zip(found["file_id"].to_pylist(), found["line_offset"].to_pylist(), strict=True))


def test_a_metric_may_have_a_query_as_its_filter(store: Store) -> None:
    stored = store_records(store, 90)
    text = '"abc" or /^a.*b$/ or user:a* or n>=42 or severity>=error'
    query = parse_query(text)
    assert store.create_metric(
        Metric("found", "count", "*", 60, None, translate(query, Reading(text=text, attributes=KNOWN)), 60)
    )
    [row] = store.query("SELECT coalesce(sum(value), 0)::BIGINT AS n FROM metrics.found").to_pylist()
    assert row["n"] == sum(matches(query, record, origin) for record, origin in stored.values()) > 0


def test_a_follower_gets_the_new_records_that_a_query_finds(store: Store) -> None:
    source = Source(store, group="shop")
    source.append(rows([{"message": "disk full"}]))
    text = "DISK source:test.log file:/var/log/* group:shop"
    condition = render(translate(parse_query(text), Reading(text=text)), dialect_of(store))
    cursor = read_cursor(store)
    source.append(rows([{"message": "a disk"}, {"message": "none"}], start=source.offset))
    other = Source(store, "file:///var/log/other.log")
    other.append(rows([{"message": "another disk"}]))
    new = read_new_records(store, Search(condition), cursor)
    assert new is not None
    assert new.records["message"].to_pylist() == ["a disk"]


LINES = (
    b"GET /caf\xc3\xa9 HTTP/1.1",
    b'\x16\x03\x01 tls \xff\xfe say "hi"',
    b"caf\xc3\xa9 with a nul \x00 in it",
    b"\xed\xa0\x80 is no character, \xc0\xaf is none",
    b"\xf0\x9f\x98\x80 is one\t\\",
    b"",
)


FOUND_LINES = {
    "CAFÉ": [0],
    "caf* nul": [2],
    "tls": [1],
    r'line~/^\x16\x03\x01 tls \?\? say "hi"$/': [1],
    "line:*?": [],
    "line~/nul \\? in/": [2],
    "line~/^\\?{3} is no character, \\?\\? is none$/": [3],
    "line~/^😀 is one\\t\\\\$/": [4],
    'line=""': [5],
    "reason:*reason* -line:?*": [0, 1, 2, 4, 5],
    "source:test.log group:shop file:test.log line_offset<2": [0, 1],
    "rejected_at<now-90m or rejected_at<2015-05-17": [],
    "source:other.log or group:x": [],
}


def test_a_query_finds_rejected_lines_of_any_bytes(store: Store) -> None:
    Source(store, group="shop").append(rejects(*LINES))

    def find_lines(text: str) -> list[int]:
        reading = Reading(text=text, vocabulary=REJECTS, now=NOW)
        condition = render(translate(parse_query(text), reading), dialect_of(store))
        found = [row for batch in iter_rejects(store, RejectFilter(condition=condition)) for row in batch.to_pylist()]
        return [LINES.index(row["line"]) for row in found]

    assert {text: find_lines(text) for text in FOUND_LINES} == FOUND_LINES


FOUND_WORDS = {
    "book": ["BooK", "boo\u212a"],  # the sign for kelvin is another case of k
    "reset": ["RESET", "re\u017fet"],  # the long s is another case of s
    "list": ["List", "li\u017ft"],  # a capital I with a dot is no other case of i
    "user:list": ["List"],
    "time*out": ["Time Out", "timeout"],
    "message~/tim(e|ing)out/": ["timeout"],
}


def test_a_word_is_found_in_any_case(store: Store) -> None:
    texts = [
        "BooK",
        "boo\u212a",
        "bok",
        "RESET",
        "re\u017fet",
        "li\u017ft",
        "L\u0130ST",
        "Time Out",
        "timeout",
        "outtime",
    ]
    source = Source(store)
    source.append(rows([{"message": text} for text in texts] + [{"message": "List", "attributes": '{"user": "LIST"}'}]))

    def find_texts(query: str) -> list[str]:
        text = f"({query})"
        expression = translate(parse_query(text), Reading(text=text, attributes=KNOWN, now=NOW))
        found = find_records(store, Search(render(expression, dialect_of(store))), records=100)
        return sorted(found["message"].to_pylist())

    assert {query: find_texts(query) for query in FOUND_WORDS} == FOUND_WORDS


@pytest.mark.sampled
@pytest.mark.hypothesis
@pytest.mark.long
def test_a_query_finds_what_its_tree_means(store: Store) -> None:
    stored = store_records(store, examples(90))

    @settings(max_examples=examples(15, soak=120), suppress_health_check=list(HealthCheck))
    @given(query=queries)
    def check(query: Query) -> None:
        wanted = {place for place, (record, origin) in stored.items() if matches(query, record, origin)}
        found = find(store, query)
        differing = random.sample(sorted(found ^ wanted), k=min(2, len(found ^ wanted)))
        assert not differing, (write_query(query), [(place in found, *stored[place]) for place in differing])

    check()
