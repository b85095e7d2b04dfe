from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.formats.block import MARGIN, find_damaged, find_newlines, iter_blocks, starts_of

many_lines = st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"")), max_size=40)


def joined(lines: list[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)


def pieces_of(data: bytes | memoryview) -> list[tuple[int, bytes, bytes]]:
    """Where each block starts in a file that starts at 0, its raw bytes and its text."""
    return [
        (part.offset + MARGIN, part.raw[MARGIN:-MARGIN].tobytes(), part.text[MARGIN:-MARGIN].tobytes())
        for part in iter_blocks(data, 0, 64)
    ]


@pytest.mark.parametrize("size", [0, 1, 15, 63, 64, 65, 200])
@pytest.mark.parametrize("count", [1, 2, 9])
def test_blocks_are_whole_lines_one_after_another(size: int, count: int) -> None:
    data = joined([b"x" * size] * count)
    pieces = pieces_of(memoryview(data))
    assert b"".join(raw for _, raw, _ in pieces) == data
    assert [since for since, _, _ in pieces] == [sum(len(raw) for _, raw, _ in pieces[:k]) for k in range(len(pieces))]
    assert all(raw.endswith(b"\n") for _, raw, _ in pieces)


def test_blocks_of_short_lines_are_never_large() -> None:
    sizes = [len(raw) for _, raw, _ in pieces_of(joined([b"x" * 9] * 100))]
    assert sizes[:-1] == [60] * (len(sizes) - 1)
    assert sizes[-1] <= 64


def test_a_line_longer_than_a_block_stays_whole() -> None:
    pieces = [raw for _, raw, _ in pieces_of(joined([b"short", b"x" * 500, b"short"]))]
    assert pieces == [b"short\n", joined([b"x" * 500, b"short"])]


def test_nothing_is_no_block() -> None:
    assert pieces_of(b"") == []


def test_a_last_line_without_its_end_is_refused() -> None:
    with pytest.raises(ValueError, match="has no newline"):
        pieces_of(b"a\nb")


@given(many_lines)
def test_what_is_not_utf8_is_replaced_within_its_line(lines: list[bytes]) -> None:
    repaired = [line.decode("utf-8", "replace").encode() for line in lines]
    for part in iter_blocks(joined(lines), 0, 1000):
        assert part.raw[MARGIN:-MARGIN].tobytes() == joined(lines)
        assert part.text[MARGIN:-MARGIN].tobytes() == joined(repaired)
        assert part.is_damaged == (lines != repaired)
        assert find_damaged(part).tolist() == [line != other for line, other in zip(lines, repaired, strict=True)]


@given(many_lines.filter(bool))
def test_the_margins_are_zero_even_in_memory_that_is_used_again(lines: list[bytes]) -> None:
    def margins(part: Any) -> list[int]:
        return [*part[:MARGIN].tolist(), *part[-MARGIN:].tolist()]

    for part in iter_blocks(joined(lines), 0, 64):
        assert margins(part.raw) == margins(part.text) == [0] * (2 * MARGIN)


def test_lines_start_after_the_margin_and_after_each_newline() -> None:
    padded = np.zeros(2 * MARGIN + 4, np.uint8)
    padded[MARGIN : MARGIN + 4] = list(b"a\n\n\n")
    newlines = find_newlines(padded)
    assert newlines.tolist() == [MARGIN + 1, MARGIN + 2, MARGIN + 3]
    assert starts_of(newlines).tolist() == [MARGIN, MARGIN + 2, MARGIN + 3]
