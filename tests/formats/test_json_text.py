"""JSON objects whose values are kept as written, compared with the json module."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.formats.json_text import DEEPEST, MALFORMED, NO_OBJECT, NUMBER_RANGE, TOO_DEEP, InvalidJson, read_object


def members_of(text: str) -> dict[str, str]:
    items, _ = read_object(text)
    return {item.key: item.json for item in items}


def test_values_are_kept_as_they_are_written() -> None:
    text = ' { "a" : 1.10 , "b":[ 1, 2 ],"c": {"d":"\\u00e9" } , "e":"\\u00e9"}\t'
    assert members_of(text) == {"a": "1.10", "b": "[ 1, 2 ]", "c": '{"d":"\\u00e9" }', "e": '"\\u00e9"'}


@pytest.mark.parametrize(
    ("text", "tidy"),
    [
        ('{"a": {"b":1, "c":2,\t"b":3}}', '{"c":2,\t"b":3}'),
        ('{"a": {"b":{"c":1,"c":2}, "b":{"c":3,"c":4}}}', '{"b":{"c":4}}'),
        ('{"a": [{"b":1,"b":2,"b":3}, {"b":1}]}', '[{"b":3}, {"b":1}]'),
        ('{"a": {"é":1,"\\u00e9":2}}', '{"é":2}'),
        ('{"a": {"\\u0041\\n\\"" :1}}', '{"A\\n\\"" :1}'),
        ('{"a": {"\\u0000":1,"\\udfff":2,"\\ufffd":3}}', '{"�":3}'),
    ],
)
def test_only_the_last_of_equal_keys_is_kept(text: str, tidy: str) -> None:
    assert members_of(text) == {"a": tidy}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", NO_OBJECT),
        ("[]", NO_OBJECT),
        ("\ufeff{}", NO_OBJECT),
        ('{"a":1', MALFORMED),
        ('{"a"', MALFORMED),
        ("{", MALFORMED),
        ('{"a":1}}', MALFORMED),
        ('{"a":1,}', MALFORMED),
        ('{"a":[1,]}', MALFORMED),
        ('{"a":Infinity}', MALFORMED),
        ('{"a":-}', MALFORMED),
        ('{"a":1.}', MALFORMED),
        ('{"a":"\x1f"}', MALFORMED),
        ('{"a":"\\u12g4"}', MALFORMED),
        ('{"a":1,"a":2,"b":}', MALFORMED),
        ('{"a":{"b":1,"b":2},"c":1e10000}', NUMBER_RANGE),
        ('{"a":' + "1" * 1001 + "}", NUMBER_RANGE),
        ('{"a":1e10000,}', NUMBER_RANGE),
        ("{" * 101, TOO_DEEP),
        ('{"a":' * 100 + "{}" + "}" * 100, TOO_DEEP),
    ],
)
def test_invalid_json_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidJson) as error:
        read_object(text)
    assert str(error.value) == reason


def test_brackets_in_strings_do_not_count_as_depth() -> None:
    text = json.dumps({"a": '[{"\\' * DEEPEST, "b": [[]]})
    assert members_of(text)["b"] == "[[]]"


def test_the_largest_depth_is_read() -> None:
    inner = "[" * (DEEPEST - 1) + "]" * (DEEPEST - 1)
    assert members_of(f'{{"a":{inner}}}') == {"a": inner}


keys = st.sampled_from(["a", "b", "é", "\\", '"', "/", "\U0001f436", "\0", ""]) | st.text(max_size=3)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | keys


class Pairs(list[tuple[str, Any]]):
    """An object that may have equal keys."""


documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.lists(st.tuples(keys, inner), max_size=5).map(Pairs),
    max_leaves=12,
)


def write(draw: st.DrawFn, value: Any) -> str:
    """Write a document, with strings and blanks in different forms."""
    blank = draw(st.sampled_from(["", "", " ", "\t "]))
    match value:
        case Pairs():
            members = [f"{write(draw, key)}{blank}:{write(draw, inner)}" for key, inner in value]
            return f"{blank}{{{','.join(members)}{blank}}}"
        case list():
            return f"{blank}[{','.join(write(draw, inner) for inner in value)}]{blank}"
        case str():
            return blank + json.dumps(value, ensure_ascii=draw(st.booleans()))
    return json.dumps(value) + blank


@st.composite
def written_objects(draw: st.DrawFn) -> str:
    text = write(draw, draw(st.lists(st.tuples(keys, documents), max_size=8).map(Pairs)))
    return text.encode("utf-8", "replace").decode()


def without_invalid_characters(value: Any) -> Any:
    match value:
        case dict():
            return {without_invalid_characters(key): without_invalid_characters(inner) for key, inner in value.items()}
        case list():
            return [without_invalid_characters(inner) for inner in value]
        case str():
            return "".join("\ufffd" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in value)
    return value


@given(written_objects())
def test_objects_mean_the_same_to_the_json_module(text: str) -> None:
    items, has_invalid_escapes = read_object(text)
    expected = json.loads(text)
    assert {item.key: json.loads(item.json) for item in items} == without_invalid_characters(expected)
    assert len({item.key for item in items}) == len(items)
    if not has_invalid_escapes:
        assert without_invalid_characters(expected) == expected
