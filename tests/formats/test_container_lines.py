"""A message that a container wrote is one record: its parts and its stack trace are joined, on both paths."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formats.agreement import Outcome, assert_no_line_is_lost, read, starts_of
from formats.paths import PATHS
from puppylog.formats.base import Options
from puppylog.formats.registry import find_format
from puppylog.formats.rows import MAX_RECORD_BYTES, MAX_RECORD_LINES

BEGIN = datetime(2026, 11, 24, 10, tzinfo=UTC)
RUNTIMES = ("cri", "json")
JAVA = [
    "2026-11-24 10:00:00,000 ERROR [main] org.example.Shop - boom",
    "java.lang.IllegalStateException: boom",
    "\tat org.example.Shop.buy(Shop.java:7)",
    "Caused by: java.io.IOException: no cart",
    "\t... 12 more",
]
PYTHON = [
    "ERROR: no cart",
    "Traceback (most recent call last):",
    '  File "shop.py", line 3, in buy',
    "    cart[7]",
    "KeyError: 7",
]


def line_of(runtime: str, text: str | bytes, *, at: float = 0, stream: str = "stdout", is_part: bool = False) -> bytes:
    """Return the line that a runtime keeps of a text, which was written so many seconds after 10:00."""
    stamp = f"{BEGIN + timedelta(seconds=at):%Y-%m-%dT%H:%M:%S.%f}Z"
    if runtime == "cri":
        data = text.encode() if isinstance(text, str) else text
        return f"{stamp} {stream} {'P' if is_part else 'F'} ".encode() + data + b"\n"
    written = text if isinstance(text, str) else text.decode("utf-8", "replace")
    return json.dumps({"log": written + "\n" * (not is_part), "stream": stream, "time": stamp}).encode() + b"\n"


def messages(outcome: Outcome) -> list[str | None]:
    return [record["message"] for record in outcome.records]


def read_whole(runtime: str, data: bytes, path: str) -> Outcome:
    """Read lines at once, and again cut at each line: the rows are the same."""
    outcome = read(runtime, data, path)
    assert_no_line_is_lost(data, outcome)
    for cut in starts_of(data):
        assert read(runtime, data, path, [cut]) == outcome
    return outcome


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("runtime", RUNTIMES)
class TestParts:
    def test_a_record_within_several_parts_is_read(self, runtime: str, path: str) -> None:
        text = json.dumps({"level": "warn", "msg": "x" * 40_000, "n": 7})
        parts = [text[:16_384], text[16_384:32_768], text[32_768:]]
        lines = [line_of(runtime, part, is_part=part is not parts[-1]) for part in parts]
        outcome = read_whole(runtime, line_of(runtime, "one") + b"".join(lines) + line_of(runtime, "two"), path)
        assert messages(outcome) == ["one", "x" * 40_000, "two"]
        record = outcome.records[1]
        assert record["severity"] == "warning"
        assert json.loads(record["attributes"]) == {"stream": "stdout", "n": 7, "severity_text": "warn"}
        assert record["line_offset"] == len(line_of(runtime, "one"))
        assert outcome.continued == 2

    def test_the_time_is_that_of_the_first_part(self, runtime: str, path: str) -> None:
        data = line_of(runtime, "a", is_part=True, at=1) + line_of(runtime, "b", at=1.5)
        (record,) = read_whole(runtime, data, path).records
        assert (record["message"], record["ts"]) == ("ab", BEGIN + timedelta(seconds=1))

    def test_a_message_without_its_last_part_stays(self, runtime: str, path: str) -> None:
        data = line_of(runtime, "a", is_part=True) + line_of(runtime, "b", is_part=True)
        (record,) = read(runtime, data, path).records
        assert record["message"] == "ab"
        assert ("partial" in record["attributes"]) is (runtime == "cri")

    def test_the_last_part_is_empty_if_the_others_have_all_of_the_text(self, runtime: str, path: str) -> None:
        data = line_of(runtime, "x" * 16_384, is_part=True) + line_of(runtime, "") + line_of(runtime, "next")
        outcome = read_whole(runtime, data, path)
        assert messages(outcome) == ["x" * 16_384, "next"]
        assert outcome.continued == 1

    def test_the_other_stream_ends_a_message(self, runtime: str, path: str) -> None:
        data = line_of(runtime, "a", is_part=True) + line_of(runtime, "e", stream="stderr") + line_of(runtime, "b")
        assert messages(read_whole(runtime, data, path)) == ["a", "e", "b"]

    def test_a_part_written_later_is_a_record(self, runtime: str, path: str) -> None:
        data = line_of(runtime, "prompt> ", is_part=True) + line_of(runtime, "started", at=2)
        assert messages(read_whole(runtime, data, path)) == ["prompt> ", "started"]

    def test_a_message_with_the_most_lines_ends(self, runtime: str, path: str) -> None:
        data = line_of(runtime, "x", is_part=True) * (MAX_RECORD_LINES + 1) + line_of(runtime, "y")
        outcome = read(runtime, data, path)
        assert messages(outcome) == ["x" * MAX_RECORD_LINES, "xy"]
        assert outcome.continued == MAX_RECORD_LINES

    def test_a_message_with_the_most_bytes_ends(self, runtime: str, path: str) -> None:
        part = line_of(runtime, "x" * (MAX_RECORD_BYTES // 8), is_part=True)
        outcome = read(runtime, part * 15 + line_of(runtime, "y"), path)
        assert [len(message or "") // (MAX_RECORD_BYTES // 8) for message in messages(outcome)] == [8, 7]

    def test_without_joining_each_part_is_a_record(self, runtime: str, path: str) -> None:
        data = line_of(runtime, "a", is_part=True) + line_of(runtime, " b")
        assert messages(read(runtime, data, path, options=Options(joins_lines=False))) == ["a", " b"]


@pytest.mark.parametrize("path", PATHS)
def test_a_part_may_end_within_a_character(path: str) -> None:
    text = '{"level": "info", "msg": "café"}'.encode()
    end = text.index(b"\xa9")
    data = line_of("cri", text[:end], is_part=True) + line_of("cri", text[end:])
    (record,) = read_whole("cri", data, path).records
    assert (record["message"], record["severity"]) == ("café", "info")
    assert "invalid_utf8" not in record["attributes"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("runtime", RUNTIMES)
class TestStackTraces:
    @pytest.mark.parametrize("trace", [JAVA, PYTHON], ids=["Java", "Python"])
    def test_they_belong_to_the_record_before(self, runtime: str, path: str, trace: list[str]) -> None:
        lines = ["before", *trace, "behind"]
        data = b"".join(line_of(runtime, line, at=number / 1000) for number, line in enumerate(lines))
        outcome = read_whole(runtime, data, path)
        assert [record["severity"] for record in outcome.records] == [None, "error", None]
        assert (messages(outcome)[1] or "").split("\n")[1:] == trace[1:]

    def test_they_end_after_a_second(self, runtime: str, path: str) -> None:
        data = line_of(runtime, "one") + line_of(runtime, " two", at=1) + line_of(runtime, " three", at=2.1)
        assert messages(read_whole(runtime, data, path)) == ["one\n two", " three"]

    def test_nothing_continues_json(self, runtime: str, path: str) -> None:
        data = line_of(runtime, '{"msg": "one"}') + line_of(runtime, " two")
        assert messages(read_whole(runtime, data, path)) == ["one", " two"]

    def test_a_rejected_line_ends_a_record(self, runtime: str, path: str) -> None:
        data = line_of(runtime, "one") + b"neither\n" + line_of(runtime, " two")
        assert messages(read_whole(runtime, data, path)) == ["one", " two"]

    def test_auto_finds_the_format_of_lines_that_are_mostly_traces(self, runtime: str, path: str) -> None:
        data = b"".join(line_of(runtime, line, at=second * 5) for second in range(20) for line in JAVA)
        outcome = read("auto", data, path)
        assert [record["severity"] for record in outcome.records] == ["error"] * 20
        assert outcome.context.startswith(runtime)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_only_json_does_not_wait_for_more_lines(runtime: str) -> None:
    parser = find_format(runtime).open()
    one, more = line_of(runtime, '{"msg": "one"}'), line_of(runtime, "\tat Shop.java:7")
    assert parser.find_last_start(one) == len(one)
    assert parser.find_last_start(one + line_of(runtime, "two")) == len(one)
    assert parser.find_last_start(more) == -1
    assert parser.find_last_start(more + line_of(runtime, "a", is_part=True)) == len(more)
    assert parser.find_last_start(line_of(runtime, '{"b": 1}')) == -1
    assert parser.find_last_start(line_of(runtime, "c", at=9)) == 0


def test_lines_beside_an_object_that_stays_open_are_counted() -> None:
    data = b'{"msg":"a"\n' + line_of("json", "one") + line_of("json", " two")
    outcome = read("json", data, "native")
    assert (len(outcome.rejects), messages(outcome), outcome.continued) == (1, ["one\n two"], 1)
    assert_no_line_is_lost(data, outcome)


texts = st.sampled_from(
    ["a", "é", " b", '{"msg": "c"}', '{"msg": ', '"d"}', "}", *JAVA, *PYTHON, "", "error: x", "\x1b[1m"]
)
drawn: st.SearchStrategy[list[dict[str, Any]]] = st.lists(
    st.fixed_dictionaries(
        {
            "text": texts,
            "at": st.sampled_from([0, 0.2]),
            "stream": st.sampled_from(["stdout", "stdout", "stderr"]),
            "is_part": st.booleans(),
        }
    ),
    max_size=8,
)


@settings(deadline=None)
@given(drawn, st.sampled_from(RUNTIMES), st.data())
def test_both_paths_join_the_same_lines_in_any_pieces(
    lines: list[dict[str, Any]], runtime: str, draw: st.DataObject
) -> None:
    # A part takes 16 KiB, so the name of an exception is never divided.
    data = b"".join(line_of(runtime, **line | {"text": line["text"] + " " * line["is_part"]}) for line in lines)
    cuts = draw.draw(st.sets(st.sampled_from(starts_of(data)), max_size=3)) if data else set()
    outcome = read(runtime, data, "native")
    assert_no_line_is_lost(data, outcome)
    assert read(runtime, data, "python") == outcome
    assert read(runtime, data, "native", cuts) == outcome
