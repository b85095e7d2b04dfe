"""A metric's filter and segment, written as a query again."""

import pytest

from puppylog.model.expression import parse_filter, parse_segment
from puppylog.model.query import Reading, parse_query, translate
from puppylog.model.query.reverse import find_field_name, find_query

QUERIES = (
    "status_code>=500 -host:a*",
    'severity>=warning (disk or "no space")',
    "severity:error -severity<=info",
    "attributes.duration_ms>1000 attributes.duration_ms<=-5.5",
    "attributes.a.b:x -has:message message~/took [0-9]+/",
    "response_bytes:5* request_route:/shop/*/pay",
    "ts>2026-01-01T10:00:00Z",
    "request_method:get host=Web1 host!=b",
    "-(a b) or not c (d or e f)",
    '/x[0-9]/ "a.b*c" time*out "with \\"quotes\\" and \\\\ strokes"',
    "host=\"it's\" ruser:'quoted'",
)


def canonical(query: str) -> str:
    return parse_filter(translate(parse_query(query), Reading(text=query, is_kept=True)))


@pytest.mark.parametrize("query", QUERIES)
def test_a_filter_made_of_a_query_is_written_as_a_query_that_finds_the_same(query: str) -> None:
    found = find_query(canonical(query))
    assert found is not None
    assert canonical(found) == canonical(query)


@pytest.mark.parametrize(
    ("filter_", "query"),
    [
        ("status_code between 500 and 599", "status_code>=500 status_code<=599"),
        ("request_method in ('GET', 'HEAD')", 'request_method="GET" or request_method="HEAD"'),
        ("host = 'x IN (1, 2)'", 'host="x IN (1, 2)"'),
        ("status_code >= 500 and severity is not null", "status_code>=500 has:severity"),
    ],
)
def test_a_filter_in_sql_is_written_as_a_query(filter_: str, query: str) -> None:
    assert find_query(parse_filter(filter_)) == query


@pytest.mark.parametrize(
    "filter_",
    [
        "not status_code in (1, 2)",  # it is null for a record without a status, and the query would find the record
        "not status_code between 1 and 2",
        "length(message) > 100",
        "message like 'a%'",
        "attributes ->> 'a.b' = 'x'",  # the field a.b also looks into the object a
        "attributes -> 'a' ->> 'b' = 'x'",
        "response_bytes / 1024 > 5",
    ],
)
def test_a_filter_that_no_query_can_say_has_none(filter_: str) -> None:
    assert find_query(parse_filter(filter_)) is None


@pytest.mark.parametrize(
    ("segment", "field"),
    [
        ("request_method", "request_method"),
        ("attributes.shop", "attributes.shop"),
        ("lower(host)", None),
        ("status_code / 100", None),
        ("attributes -> 'a' ->> 'b'", None),
    ],
)
def test_a_segment_that_is_a_field_has_its_name(segment: str, field: str | None) -> None:
    assert find_field_name(parse_segment(segment)) == field
