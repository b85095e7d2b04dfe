import pytest

from puppylog.model.query import parse_query
from puppylog.model.query.finders import find_matches
from puppylog.model.query.matches import Matches, merge_spans


@pytest.mark.parametrize(
    ("query", "name", "text", "found"),
    [
        ("time", "message", "a Timeout at this time", ["Time", "time"]),
        ('"no space" or disk', "a.b", "disk: no space", ["disk", "no space"]),
        ("time*out", "message", "time is out", ["time", "out"]),
        (r"a\*b", "message", "a*b", ["a*b"]),
        ("/t[0-9]+/", "message", "t12 t t3", ["t12", "t3"]),
        ("message~/a+/", "message", "baac", ["aa"]),
        ("message~/a+/", "host", "baac", []),
        ("request_route:/shop/*", "request_route", "/shop/1", ["/shop/"]),
        ("attributes.user:Ann", "user", "ann", ["ann"]),
        ("indent_logname:x", "ident", "x", ["x"]),
        ("-a b", "message", "a b", ["b"]),
        ("not (a or b)", "message", "a b", []),
        ("status_code>=500 has:user", "status_code", "500", []),
        ("host:*", "host", "anything", []),
        ("ab bc", "message", "abc", ["abc"]),
        ('"."', "message", "a.b", ["."]),
    ],
)
def test_the_parts_of_a_text_that_a_query_finds(query: str, name: str, text: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in find_matches(parse_query(query)).find(name, text)] == found


def test_without_a_query_nothing_matches_and_long_texts_are_not_searched() -> None:
    assert not Matches()
    assert not find_matches(parse_query("status_code>=500"))
    assert not find_matches(parse_query("a")).find("message", "a" * 20_001)


def test_spans_that_overlap_or_touch_become_one() -> None:
    assert merge_spans([(5, 6), (0, 2), (1, 3), (3, 4)]) == [(0, 4), (5, 6)]
