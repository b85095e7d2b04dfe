"""Arrays of JSON objects as lines."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.formats.registry import find_format
from puppylog.receive.json_array import split_array
from puppylog.receive.lines import decode_lines

_VALUES = st.dictionaries(st.text(max_size=3), st.none() | st.integers() | st.text(max_size=5) | st.lists(st.floats()))


@given(st.lists(_VALUES, max_size=4), st.sampled_from((None, 1)))
def test_each_object_of_an_array_becomes_a_line(objects: list[dict[str, object]], indent: int | None) -> None:
    lines = split_array(json.dumps(objects, indent=indent).encode())
    assert lines is not None
    assert repr([json.loads(line) for line in lines.splitlines()]) == repr(objects)  # as NaN is not equal to itself


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[",
        b"[1]",
        b'["a"]',
        b'[{"a": 1},',
        b'[{"a": 1}] more',
        b'[{"a": 1} {"b": 2}]',
        b'[{"a": "\xff"}]',
        b"[error] a",
    ],
)
def test_other_bodies_are_left_as_they_are(body: bytes) -> None:
    assert split_array(body) is None


def test_an_array_is_read_as_lines_unless_the_format_is_another_one() -> None:
    body = b'[{"message": "one"}, {"message": "two"}]'
    for name, messages in (("auto", ["one", "two"]), ("json", ["one", "two"]), ("plain", [body.decode()])):
        (lines,) = decode_lines(body, find_format(name), read_at_us=0).lines
        assert lines.parsed.records["message"].to_pylist() == messages
        assert lines.size == len(lines.parsed.data)
    assert decode_lines(b"[]", find_format("auto"), read_at_us=0).lines == ()
