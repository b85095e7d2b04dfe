from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats.paths import PATHS, reading
from puppylog.formats.base import UTC
from puppylog.formats.line_format import LineFormat
from puppylog.formats.multiline import Multiline
from puppylog.formats.registry import find_format
from puppylog.formats.rows import Rows, RowsBuilder
from puppylog.model.record import Parsed
from puppylog.tail.boundary import PatternBoundary


def read(text: bytes | memoryview) -> Rows:
    """Read lines: ``m…`` has a message, ``n…`` has no message, other lines are rejected."""
    rows = RowsBuilder(bytes(text))
    at = 0
    for line in bytes(text).split(b"\n")[:-1]:
        if line[:1] in {b"m", b"n"}:
            rows.add(at, columns={"message": line.decode() if line[:1] == b"m" else None, "severity": "x"})
        else:
            rows.reject(at, "no")
        at += len(line) + 1
    return rows.build()


def mark_starts(lines: Sequence[bytes]) -> list[bool]:
    return [not line.startswith(b" ") for line in lines]


FORMAT = Multiline(LineFormat("letters", read, UTC, len), mark_starts)


def parse(data: bytes, offset: int = 0) -> Parsed:
    return FORMAT.open().parse(data, offset, 0)


def test_continuation_lines_are_added_to_the_message_or_become_it() -> None:
    parsed = parse(b"m1\n a\n b\nn2\n c\nm3\n", 100)
    assert parsed.records["message"].to_pylist() == ["m1\n a\n b", " c", "m3"]
    assert parsed.records["line_offset"].to_pylist() == [100, 109, 115]
    assert (parsed.rowless, parsed.continued) == (0, 3)


def test_a_rejected_record_keeps_all_its_lines() -> None:
    parsed = parse(b"m1\nbad\n \xff\n b\nm2\n", 100)
    assert parsed.rejects.to_pylist() == [{"line_offset": 103, "reason": "no", "line": b"bad\n \xff\n b"}]


def test_continuation_lines_without_a_first_line_are_one_record() -> None:
    parsed = parse(b" a\n b\nm1\n")
    assert parsed.rejects["line"].to_pylist() == [b" a\n b"]
    assert parsed.records["message"].to_pylist() == ["m1"]


def test_name_and_mismatch_are_those_of_the_inner_format() -> None:
    assert (FORMAT.name, FORMAT.open().name, FORMAT.open("x").context) == ("letters", "letters", "")
    assert FORMAT.find_mismatch("four") == 4


@given(st.lists(st.sampled_from([b"m1", b"n2", b"bad", b" more", b"", b" \xff"]), max_size=20))
def test_no_line_is_lost(lines: list[bytes]) -> None:
    data = b"".join(line + b"\n" for line in lines)
    parsed = parse(data)
    parsed.records.validate(full=True)
    parsed.rejects.validate(full=True)
    assert parsed.lines + parsed.rowless + parsed.continued == len(lines)
    offsets = sorted(parsed.records["line_offset"].to_pylist() + parsed.rejects["line_offset"].to_pylist())
    starts = [sum(len(line) + 1 for line in lines[:number]) for number in range(len(lines))]
    assert offsets == [
        at
        for number, at in enumerate(starts)
        if number == 0
        or not lines[number].startswith(b" ")
        or not lines[number - 1]  # an empty line has no continuation lines
    ]


OBJECTS = b"""{
  "time": "2026-11-24T10:00:00Z",
  "msg": "a",
  "n": [1,
    2]
}
{"time": "2026-11-24T10:00:01Z", "msg": "b"}
{"time": "2026-11-24T10:00:02Z", "msg": "c"}
  at line 1
{ "msg":
  oops
}
{\r
  "msg": "d"\r
}\r
"""


@pytest.mark.parametrize("path", PATHS)
def test_an_object_of_json_may_take_several_lines(path: str) -> None:
    with reading(path):
        parser = Multiline(find_format("json"), PatternBoundary(r"^\{").mark_starts).open()
        parsed = parser.parse(OBJECTS, 100, 0)
    records = parsed.records.to_pylist()
    assert [record["message"] for record in records] == ["a", "b", "c\n  at line 1", "d"]
    begin = (b"{\n", b'{"time": "2026-11-24T10:00:01Z', b'{"time": "2026-11-24T10:00:02Z', b"{\r")
    assert [record["line_offset"] for record in records] == [100 + OBJECTS.index(text) for text in begin]
    assert records[0]["attributes"] == '{"n": [1,     2]}'
    (reject,) = parsed.rejects.to_pylist()
    assert (reject["line_offset"], reject["line"]) == (100 + OBJECTS.index(b'{ "msg"'), b'{ "msg":\n  oops\n}')
    assert parsed.continued == OBJECTS.count(b"\n") - 5


def test_joined_lines_and_records_without_a_time_are_counted() -> None:
    pattern = Multiline(find_format("plain"), lambda lines: [line.startswith(b"start") for line in lines])
    parsed = pattern.open().parse(b"start a\nb\nc\nstart d\n", 0, 0)

    assert (parsed.continued, parsed.read, parsed.before, parsed.rowless) == (2, 2, 0, 0)
