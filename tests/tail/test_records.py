"""Records of several lines are never split, and every byte is accounted for, with any blocks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@pytest.mark.parametrize("end", [b"two\n end\nthree\n", b" more\ntwo\n end\nthree\n"])
def test_a_record_that_is_too_long_keeps_its_first_lines_and_drops_the_others(end: bytes) -> None:
    chunker = make_chunker()
    data = b"one\n" + b" more\n" * 200
    chunks = [*feed(chunker, data, [650, 500]), *chunker.feed(end)]
    assert [(chunk.is_cut, chunk.data) for chunk in chunks] == [
        (True, b"one\n" + b" more\n" * 32),
        (False, b"two\n end\n"),
    ]
    assert (chunks[0].start, chunks[0].offset, chunks[0].end) == (0, 0, len(data) + end.index(b"two"))
    assert [chunk.data for chunk in chunker.finish()] == [b"three\n"]


def test_lines_that_continue_a_cut_line_are_dropped_with_it() -> None:
    chunker = make_chunker()
    chunks = chunker.feed(b"a" * 300 + b"\n at\n at\nb\n " + b"c" * 300 + b"\n at\nd\n")
    assert [(chunk.is_cut, chunk.data) for chunk in chunks] == [(True, b"a" * 200 + b"\n"), (True, b"b\n")]


def test_an_unfinished_last_line_is_not_added_to_a_record_that_was_cut() -> None:
    for last, data in ((b" thr", []), (b"thr", [b"thr\n"])):
        chunker = make_chunker()
        chunker.feed(b"one\n" + b" more\n" * 100 + last)
        chunks = chunker.finish()
        assert [chunk.data for chunk in chunks] == [b"one\n" + b" more\n" * 32, *data]
        assert chunks[0].is_cut
        assert chunks[-1].end == 4 + 600 + len(last)


@given(lines=LINES, sizes=st.lists(st.integers(1, 90), max_size=60))
def test_records_are_whole_and_every_byte_is_accounted_for(lines: list[bytes], sizes: list[int]) -> None:
    data = b"".join(lines)
    chunker = make_chunker()
    chunks = [*feed(chunker, data, sizes), *chunker.finish()]
    assert [chunk.start for chunk in chunks] == [0, *(chunk.end for chunk in chunks[:-1])]
    assert chunks[-1].end == len(data)
    for chunk in chunks:
        assert chunk.fingerprint == START_OF_FILE.after(data, chunk.end).fingerprint()
        if not chunk.is_cut:
            assert chunk.data == data[chunk.offset : chunk.end]
        else:
            assert len(chunk.data) <= MAX + 1
        assert chunk.end == len(data) or data[chunk.end : chunk.end + 1] not in {b" ", b"\n"}
