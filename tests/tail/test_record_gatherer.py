"""Records of several lines are never split, and every byte is accounted for, with any blocks."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.formats import rows
from puppylog.tail import limits
from puppylog.tail.boundary import IndentationBoundary
from puppylog.tail.checkpoint import START_OF_FILE
from puppylog.tail.chunk import Chunk, TailedFile
from puppylog.tail.chunker import Chunker

MAX = 200
LINES = st.lists(
    st.sampled_from([b"a\n", b" b\n", b" " + b"c" * 60 + b"\n", b"\n", b"d" * 300 + b"\n", b"\0\0e\n", b"\0 f\n"]),
    max_size=40,
)


def make_chunker() -> Chunker:
    return Chunker(TailedFile(1, "/log", 0, 0, 0, None), START_OF_FILE, MAX, IndentationBoundary())


def feed(chunker: Chunker, data: bytes, sizes: list[int]) -> list[Chunk]:
    chunks, at = [], 0
    for size in [*sizes, len(data)]:
        chunks += chunker.feed(data[at : at + size])
        at += size
    return chunks


def test_the_record_at_the_end_waits_for_the_next_one() -> None:
    chunker = make_chunker()
    assert chunker.feed(b"one\n  two\n") == []
    assert chunker.has_record
    (chunk,) = chunker.feed(b"  three\nfour\n fi")
    assert (chunk.start, chunk.end, chunk.data) == (0, 18, b"one\n  two\n  three\n")
    (chunk,) = chunker.feed(b"ve\nsix\n")
    assert (chunk.start, chunk.data) == (18, b"four\n five\n")


def test_a_record_that_waits_can_be_flushed() -> None:
    chunker = make_chunker()
    chunker.feed(b"one\n two\nthr")
    (chunk,) = chunker.flush_record()
    assert (chunk.data, chunk.end, chunker.has_record, chunker.waiting_bytes) == (b"one\n two\n", 9, False, 3)
    assert chunk.fingerprint == START_OF_FILE.after(b"one\n two\n", 9).fingerprint()
    assert chunker.feed(b"ee\n") == []
    assert [chunk.data for chunk in chunker.finish()] == [b"three\n"]


def test_the_unfinished_line_at_the_end_belongs_to_its_record() -> None:
    chunker = make_chunker()
    chunker.feed(b"one\n two\n thr")
    (last,) = chunker.finish()
    assert (last.data, last.start, last.end, last.finished, last.is_unfinished) == (
        b"one\n two\n thr\n",
        0,
        13,
        True,
        True,
    )


def test_dropping_the_unfinished_line_keeps_the_record_before_it() -> None:
    chunker = make_chunker()
    chunker.feed(b"one\n two\n thr")
    chunker.drop_line()
    assert chunker.fed_to == chunker.complete_to == START_OF_FILE.after(b"one\n two\n", 9)
    chunker.feed(b" four\n")
    assert [chunk.data for chunk in chunker.finish()] == [b"one\n two\n four\n"]


@pytest.mark.parametrize("sizes", [[], [650, 500], [1] * 9000, [4, 6000]])
def test_a_record_with_the_most_lines_ends_and_its_next_line_begins_another(sizes: list[int]) -> None:
    chunker = make_chunker()
    data = b"one\n" + b" more\n" * 2500 + b"two\n end\n"
    chunks = [*feed(chunker, data, sizes), *chunker.finish()]
    assert b"".join(chunk.data for chunk in chunks) == data
    assert not any(chunk.is_cut for chunk in chunks)
    starts = [len(b"one\n" + b" more\n" * (number * 1000 - 1)) for number in (1, 2)]
    assert {0, data.index(b"two")} <= {chunk.start for chunk in chunks} <= {0, *starts, data.index(b"two")}


def test_a_record_with_the_most_bytes_ends() -> None:
    chunker = make_chunker()
    line = b" " + b"x" * 190 + b"\n"
    chunks = [*chunker.feed(b"one\n" + line * 3000), *chunker.finish()]
    sizes = [chunk.end - chunk.start for chunk in chunks]
    assert sum(sizes) == 4 + 3000 * len(line)
    assert all(len(chunk.data.splitlines()) <= 1000 for chunk in chunks)


def test_a_line_that_is_too_long_is_a_record_of_its_own() -> None:
    chunker = make_chunker()
    chunks = chunker.feed(b"a" * 300 + b"\n at\n at\nb\n " + b"c" * 300 + b"\n at\nd\n")
    assert [(chunk.is_cut, chunk.data) for chunk in chunks] == [
        (True, b"a" * 200 + b"\n"),
        (False, b" at\n at\n"),
        (False, b"b\n"),
        (True, b" " + b"c" * 199 + b"\n"),
        (False, b" at\n"),
    ]


def test_the_limits_of_a_record_are_those_of_the_readers() -> None:
    assert (limits.MAX_RECORD_LINES, limits.MAX_RECORD_BYTES) == (rows.MAX_RECORD_LINES, rows.MAX_RECORD_BYTES)


@given(lines=LINES, sizes=st.lists(st.integers(1, 90), max_size=60))
def test_records_are_whole_and_every_byte_is_accounted_for(lines: list[bytes], sizes: list[int]) -> None:
    data = b"".join(lines)
    chunker = make_chunker()
    chunks = [*feed(chunker, data, sizes), *chunker.finish()]
    assert [chunk.start for chunk in chunks] == [0, *(chunk.end for chunk in chunks[:-1])]
    assert chunks[-1].end == len(data)
    for chunk in chunks:
        assert chunk.fingerprint == START_OF_FILE.after(data, chunk.end).fingerprint()
        if chunk.is_cut:
            assert len(chunk.data) == MAX + 1
            assert chunk.data.count(b"\n") == 1
        else:
            assert chunk.data == data[chunk.offset : chunk.end]
    for chunk, following in pairwise(chunks):
        is_alone = any(not each.data or each.is_cut or each.offset > each.start for each in (chunk, following))
        assert is_alone or data[chunk.end : chunk.end + 1] not in {b" ", b"\n"}
