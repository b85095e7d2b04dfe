from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.errors import UsageError
from puppylog.tail.boundary import Boundary, IndentationBoundary, PatternBoundary

TRACE = b"""10:00 it failed
java.lang.IllegalStateException: no
\tat shop.Cart.pay(Cart.java:7)
Caused by: java.io.IOException: gone
\t... 12 more
10:01 {
  "a": 1
}

"""


def test_indented_lines_causes_brackets_and_empty_lines_continue_the_record() -> None:
    lines = TRACE.splitlines(keepends=True)
    ends = list(accumulate(len(line) for line in lines))
    starts = [IndentationBoundary().find_last_start(TRACE[:end]) for end in ends]
    assert [TRACE[start:].split(b"\n")[0] for start in starts] == [
        b"10:00 it failed",
        *[b"java.lang.IllegalStateException: no"] * 4,
        *[b"10:01 {"] * 4,
    ]


def test_a_line_with_the_pattern_begins_a_record() -> None:
    boundary = PatternBoundary(r"^\d\d:\d\d ")
    assert boundary.find_last_start(TRACE) == TRACE.index(b"10:01")
    assert boundary.find_last_start(TRACE[: TRACE.index(b"10:01")]) == 0


@pytest.mark.parametrize("boundary", [IndentationBoundary(), PatternBoundary("^[^ ]")])
def test_lines_that_begin_no_record_have_no_start(boundary: Boundary) -> None:
    assert boundary.find_last_start(b" a\n b\n" * 5000) == -1
    assert boundary.find_last_start(b"") == -1


def test_a_record_that_begins_far_before_the_end_is_found() -> None:
    lines = b" a\n" * 3 + b"begin\n" + b" go on\n" * 20_000
    assert PatternBoundary("^begin").find_last_start(lines) == 9
    assert IndentationBoundary().find_last_start(lines) == 9


def test_lines_that_are_not_utf_8_are_matched() -> None:
    assert PatternBoundary("^ä").find_last_start(b"\xff\xfe\n" + "äb\n".encode() + b"\xc3\n") == 3


@pytest.mark.parametrize("pattern", ["(", r"(?=a)", r"(a)\1"])
def test_a_pattern_that_would_not_take_linear_time_is_refused(pattern: str) -> None:
    with pytest.raises(UsageError, match="cannot use the pattern"):
        PatternBoundary(pattern)


@given(lines=st.lists(st.sampled_from([b"a\n", b" b\n", b"\n", b"a" * 3000 + b"\n", b" " * 5000 + b"\n"]), max_size=30))
def test_the_last_line_that_begins_a_record_is_found(lines: list[bytes]) -> None:
    starts = [sum(map(len, lines[:index])) for index, line in enumerate(lines) if line.startswith(b"a")]
    expected = starts[-1] if starts else -1
    assert PatternBoundary("^a").find_last_start(b"".join(lines)) == expected
    assert IndentationBoundary().find_last_start(b"".join(lines)) == expected
