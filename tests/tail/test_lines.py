r"""Cutting is pure: the same bytes give the same lines, however they are split into blocks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.tail.lines import LineCutter, Piece

MAX = 8
BYTES = st.lists(st.sampled_from([b"\n", b"\0", b"a", b"bc", b"x" * MAX, b"\r"]), max_size=40).map(b"".join)


def cut(*blocks: bytes, offset: int = 0) -> list[Piece]:
    cutter = LineCutter(offset, MAX)
    return [piece for block in blocks for piece in cutter.feed(block)]


def explain(data: bytes) -> list[tuple[int, int, bytes, bool]]:
    """Return the expected lines: start and end in the file, kept bytes, and whether the line is cut."""
    lines, at = [], 0
    while (end := data.find(b"\n", at) + 1) > 0:
        start = at + len(data[at:]) - len(data[at:].lstrip(b"\0"))
        line = data[start : end - 1]
        lines.append((start, end, line[:MAX] + b"\n", len(line) > MAX))
        at = end
    return lines


def flatten(pieces: list[Piece]) -> list[tuple[int, int, bytes, bool]]:
    lines = []
    for piece in pieces:
        if piece.is_cut:
            lines.append((piece.offset, piece.end, piece.data, True))
            continue
        at = piece.offset
        for line in split(piece.data):
            lines.append((at, at + len(line), line, False))
            at += len(line)
        assert at == piece.end
    return lines


def split(data: bytes) -> list[bytes]:
    return [line + b"\n" for line in data[:-1].split(b"\n")]


def test_whole_lines_are_one_piece_and_not_copied() -> None:
    block = b"one\ntwo\n"
    (piece,) = cut(block)
    assert piece == Piece(0, 8, block, 0)
    assert piece.data is block


def test_a_line_without_its_newline_waits_for_it() -> None:
    cutter = LineCutter(0, MAX)
    assert cutter.feed(b"one\ntw") == [Piece(0, 4, b"one\n", 0)]
    assert cutter.waiting == 2
    assert cutter.feed(b"o\nth") == [Piece(4, 8, b"two\n", 4)]
    assert cutter.waiting == 2


def test_a_last_line_without_newline_is_returned_with_a_newline_added() -> None:
    cutter = LineCutter(100, MAX)
    cutter.feed(b"one\ntwo")
    assert cutter.finish() == Piece(104, 107, b"two\n", 104, is_unfinished=True)
    assert cutter.finish() is None


def test_a_line_of_just_the_allowed_length_is_whole() -> None:
    assert cut(b"x" * MAX + b"\n") == [Piece(0, MAX + 1, b"x" * MAX + b"\n", 0)]
    assert cut(b"x" * MAX, b"\n") == [Piece(0, MAX + 1, b"x" * MAX + b"\n", 0)]


def test_a_line_that_is_too_long_is_cut_and_has_a_piece_of_its_own() -> None:
    kept = b"x" * MAX + b"\n"
    assert cut(b"a\n" + b"x" * 20 + b"\nb\n") == [
        Piece(0, 2, b"a\n", 0),
        Piece(2, 23, kept, 2, is_cut=True),
        Piece(23, 25, b"b\n", 23),
    ]


def test_only_the_beginning_of_an_endless_line_is_kept() -> None:
    cutter = LineCutter(0, MAX)
    for _ in range(1000):
        assert cutter.feed(b"x" * 1000) == []
    assert cutter.waiting == 1_000_000
    assert len(cutter._held) == MAX
    assert cutter.feed(b"x\nb\n")[0] == Piece(0, 1_000_002, b"x" * MAX + b"\n", 0, is_cut=True)


def test_a_long_line_that_never_ends_is_both_cut_and_unfinished() -> None:
    cutter = LineCutter(0, MAX)
    cutter.feed(b"x" * 20)
    assert cutter.finish() == Piece(0, 20, b"x" * MAX + b"\n", 0, is_cut=True, is_unfinished=True)


def test_nuls_at_the_start_of_a_line_are_accounted_for_and_left_out() -> None:
    assert cut(b"\0" * 50, b"\0\0one\n") == [Piece(0, 56, b"one\n", 52)]
    assert cut(b"one\n\0\0two\nthree\n") == [Piece(0, 4, b"one\n", 0), Piece(4, 16, b"two\nthree\n", 6)]


def test_nuls_within_a_line_are_part_of_the_line() -> None:
    assert cut(b"o\0ne\n\n") == [Piece(0, 6, b"o\0ne\n\n", 0)]
    assert cut(b"o", b"\0\n") == [Piece(0, 3, b"o\0\n", 0)]


def test_nuls_before_no_line_are_accounted_for_at_the_end() -> None:
    cutter = LineCutter(0, MAX)
    assert cutter.feed(b"a\n\0\0\0") == [Piece(0, 2, b"a\n", 0)]
    assert cutter.finish() == Piece(2, 5, b"", 5)


@given(data=BYTES, blocks=st.lists(st.integers(1, 9), max_size=60), offset=st.integers(0, 1000))
def test_any_split_into_blocks_gives_the_same_lines(data: bytes, blocks: list[int], offset: int) -> None:
    parts, at = [], 0
    for size in blocks:
        parts.append(data[at : at + size])
        at += size
    pieces = cut(*parts, data[at:], offset=offset)
    expected = [(start + offset, end + offset, kept, is_cut) for start, end, kept, is_cut in explain(data)]
    assert flatten(pieces) == expected
    ends = [offset, *(piece.end for piece in pieces)]
    assert [piece.start for piece in pieces] == ends[:-1], "the ranges follow one another without a gap"


def test_the_rest_of_an_unfinished_line_is_a_line_of_its_own() -> None:
    cutter = LineCutter(100, MAX)
    assert cutter.feed(b"one\ntw") == [Piece(100, 104, b"one\n", 100)]
    assert cutter.finish() == Piece(104, 106, b"tw\n", 104, is_unfinished=True)
    assert cutter.feed(b"o\nthree\n") == [Piece(106, 114, b"o\nthree\n", 106, continues_line=True)]
    assert cutter.feed(b"four\n") == [Piece(114, 119, b"four\n", 114)]


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_the_late_newline_of_an_unfinished_line_is_not_a_line(newline: bytes) -> None:
    cutter = LineCutter(100, MAX, is_in_line=True)
    end = 100 + len(newline)
    assert cutter.feed(newline) == [Piece(100, end, b"", end)]
    assert cutter.feed(b"two\n") == [Piece(end, end + 4, b"two\n", end)]
    cutter = LineCutter(100, MAX, is_in_line=True)
    assert cutter.feed(newline + b"two\n") == [Piece(100, end + 4, b"two\n", end)]


def test_the_rest_of_an_unfinished_line_may_be_too_long_or_unfinished_itself() -> None:
    cutter = LineCutter(0, MAX, is_in_line=True)
    (piece,) = [*cutter.feed(b"x" * (MAX + 5)), *cutter.feed(b"\n")]
    assert (piece.start, piece.end, piece.is_cut, piece.continues_line) == (0, MAX + 6, True, True)
    cutter = LineCutter(0, MAX, is_in_line=True)
    assert cutter.feed(b"tw") == []
    assert cutter.finish() == Piece(0, 2, b"tw\n", 0, is_unfinished=True, continues_line=True)


def test_only_text_is_an_unfinished_line() -> None:
    for block, expected in ((b"", False), (b"\0\0", False), (b"tw\0\0", False), (b"tw", True)):
        cutter = LineCutter(0, MAX)
        cutter.feed(block)
        assert cutter.has_unfinished_line == expected
