"""Completions of the word at the caret, which is a bar in these queries."""

import pytest

from puppylog.model.query import parse_query
from puppylog.model.query.fields import Kind
from puppylog.monitor.completion import Completions, complete_query
from puppylog.monitor.field_sample import FieldSample, SampledField

SAMPLE = FieldSample(
    100,
    [
        SampledField("message", Kind.TEXT, 100, {}),
        SampledField("status_code", Kind.NUMBER, 90, {"200": 80, "503": 10}),
        SampledField("request_route", Kind.TEXT, 90, {"/shop/pay": 60, "/a b": 30}),
        SampledField("severity", Kind.SEVERITY, 10, {"error": 10}),
        SampledField("x y", Kind.ATTRIBUTE, 1, {"star*": 1}),
    ],
)


def complete(written: str) -> Completions:
    return complete_query(written.replace("|", ""), written.index("|"), lambda: SAMPLE)


def inserts(written: str) -> list[str]:
    return [item.insert for item in complete(written).items]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("stat|", ["status_code:"]),
        ("-stat|", ["status_code:"]),
        ("error (stat|", ["status_code:"]),
        ("STATUS|", ["status_code:"]),
        ("route|", ["request_route:"]),
        ("x|", ['"x y":']),
        ("has:sev|", ["severity"]),
        ("status_code:|", ["200", "503"]),
        ("status_code:5|", ["503"]),
        ("status_code >= |", ["200", "503"]),
        ("-status_code:5|", ["503"]),
        ("request_route:|", ["/shop/pay", '"/a b"']),
        ('request_route:"/a|', ['"/a b"']),
        ('"x y":st|', ['"star*"']),
        ("severity>=e|", ["error", "emergency", "trace", "debug"]),
        ("ts>now-1|", ["now-15m", "now-1h"]),
        ("no_such:a|", []),
        ('"a phrase|', []),
        ("/regex|", []),
        ("message~/a|", []),
    ],
)
def test_a_word_is_completed(written: str, expected: list[str]) -> None:
    found = inserts(written)
    assert found[: len(expected)] == expected
    assert expected or not found


def test_a_name_is_completed_within_its_test() -> None:
    found = complete("a status|_co:503 b")
    assert (found.start, found.end) == (2, 11)
    assert found.items[0].insert == "status_code"


def test_a_value_is_replaced_as_a_whole() -> None:
    found = complete('a status_code:5|00 "b c"')
    assert (found.start, found.end) == (14, 17)
    assert found.items[0].insert == "503"
    assert found.items[0].detail == "10 of the newest 100 records"


def test_nothing_typed_offers_the_most_used_fields_and_the_keywords() -> None:
    for written in ("|", "a |", "a | b", "(|"):
        found = inserts(written)
        assert found[:2] == ["message:", "status_code:"]
        assert "has:" in inserts("ha|")


def test_a_whole_name_offers_operators() -> None:
    assert "status_code>=" in inserts("status_code|")


@pytest.mark.parametrize("before", ["", "a ", "(", "-", 'b "c d" ', "not "])
@pytest.mark.parametrize("value", ["a b", "-x", "*", '"', "\\", "a:b", ":a", "/a/", "🐶", "and", "(x)"])
def test_a_completed_query_can_be_read_and_means_the_value(before: str, value: str) -> None:
    sample = FieldSample(1, [SampledField("f", Kind.ATTRIBUTE, 1, {value: 1})])
    text = f"{before}f:"
    found = complete_query(text, len(text), lambda: sample)
    [item] = found.items
    query = text[: found.start] + item.insert + (")" if "(" in before else "")
    assert repr((value,)) in repr(parse_query(query))


@pytest.mark.parametrize("text", ['a "b (c', "a:(", "((", '"', "a\\", "-", "--", "a:b:c", "~/", "x~", "has:", "  "])
def test_every_caret_in_an_unfinished_query_has_an_answer(text: str) -> None:
    for at in range(len(text) + 1):
        found = complete_query(text, at, lambda: SAMPLE)
        assert 0 <= found.start <= at <= found.end <= len(text)
