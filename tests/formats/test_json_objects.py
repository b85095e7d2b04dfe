"""An object of JSON may take several lines; a line that is no JSON stands alone."""

import json

import pytest

from formats.agreement import READ_AT_US, assert_no_line_is_lost, read, starts_of
from formats.paths import PATHS
from puppylog.formats.base import Options
from puppylog.formats.registry import find_format

FIRST = json.dumps({"ts": "2026-11-24T10:00:00Z", "msg": "a", "x": {"y": [1, {"z": "}"}]}}, indent=2).encode() + b"\n"
ONE = b'{"ts": "2026-11-24T10:00:01Z", "msg": "one"}\n'
LAST = b'{\n"ts": "2026-11-24T10:00:02Z",\n\n"msg": "b"\n}\n'


@pytest.mark.parametrize("path", PATHS)
def test_objects_of_one_and_of_several_lines_are_records(path: str) -> None:
    data = FIRST + ONE + b"no JSON\n\n" + LAST + ONE
    outcome = read("json", data, path)
    assert [record["message"] for record in outcome.records] == ["a", "one", "b", "one"]
    assert json.loads(outcome.records[0]["attributes"]) == {"x": {"y": [1, {"z": "}"}]}}
    assert [reject["line"] for reject in outcome.rejects] == [b"no JSON"]
    assert_no_line_is_lost(data, outcome)
    for cut in starts_of(data):
        assert read("json", data, path, [cut]) == outcome


def test_an_object_that_stays_open_is_rejected_without_the_next_one() -> None:
    outcome = read("json", b'{"a": [\n 1,\n' + ONE + b'{"b"\n', "native")
    assert [record["message"] for record in outcome.records] == ["one"]
    assert [reject["line"] for reject in outcome.rejects] == [b'{"a": [\n 1,', b'{"b"']


def test_the_first_object_may_follow_a_byte_order_mark() -> None:
    (record,) = read("json", b"\xef\xbb\xbf" + FIRST, "native").records
    assert (record["message"], record["line_offset"]) == ("a", 3)


def test_lines_after_a_complete_object_do_not_wait() -> None:
    parser = find_format("json").open()
    assert parser.find_last_start(ONE) == len(ONE)
    assert parser.find_last_start(ONE + b"no JSON\n") == len(ONE) + 8
    assert parser.find_last_start(b"no JSON\n") == 8
    assert parser.find_last_start(ONE + b"{\n") == len(ONE)
    assert parser.find_last_start(b'  "a": 1,\n') == -1
    assert parser.find_last_start(b'  "a": 1\n}\n') == 11


def test_without_joining_each_line_stands_alone() -> None:
    outcome = read("json", FIRST, "native", options=Options(joins_lines=False))
    assert (len(outcome.records), len(outcome.rejects)) == (0, FIRST.count(b"\n"))


def test_auto_finds_objects_of_several_lines() -> None:
    parser = find_format("auto").open("", READ_AT_US)
    parsed = parser.parse((FIRST + LAST) * 5, 0, READ_AT_US)
    assert (parser.name, parsed.records.num_rows, parsed.rejects.num_rows) == ("json", 10, 0)
