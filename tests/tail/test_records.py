"""Records of several lines are never torn, and every byte is accounted for, however the bytes come."""

from hypothesis import given
from hypothesis import strategies as st

from puppylog.tail.boundary import IndentationBoundary
from puppylog.tail.chunk import Chunk, TailedFile
from puppylog.tail.chunker import Chunker
from puppylog.tail.identity import BLANK

MAX = 200
LINES = st.lists(
    st.sampled_from([b"a\n", b" b\n", b" " + b"c" * 60 + b"\n", b"\n", b"d" * 300 + b"\n", b"\0\0e\n", b"\0 f\n"]),
    max_size=40,
)


def make_chunker() -> Chunker:
    return Chunker(TailedFile(1, "/log", 0, 0, 0, None), BLANK, MAX, IndentationBoundary())


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
    assert (chunk.since, chunk.until, chunk.data) == (0, 18, b"one\n  two\n  three\n")
    (chunk,) = chunker.feed(b"ve\nsix\n")
    assert (chunk.since, chunk.data) == (18, b"four\n five\n")


def test_a_record_ends_when_nobody_believes_in_more() -> None:
    chunker = make_chunker()
    chunker.feed(b"one\n two\nthr")
    (chunk,) = chunker.end_record()
    assert (chunk.data, chunk.until, chunker.has_record, chunker.waiting_bytes) == (b"one\n two\n", 9, False, 3)
    assert chunk.fingerprint == BLANK.after(b"one\n two\n", 9).fingerprint()
    assert chunker.feed(b"ee\n") == []
    assert [chunk.data for chunk in chunker.finish()] == [b"three\n"]


def test_the_unfinished_line_at_the_end_belongs_to_its_record() -> None:
    chunker = make_chunker()
    chunker.feed(b"one\n two\n thr")
    (last,) = chunker.finish()
    assert (last.data, last.since, last.until, last.finished, last.is_unfinished) == (
        b"one\n two\n thr\n",
        0,
        13,
        True,
        True,
    )


def test_forgetting_the_unfinished_line_keeps_the_record() -> None:
    chunker = make_chunker()
    chunker.feed(b"one\n two\n thr")
    chunker.drop_line()
    assert chunker.taken == chunker.whole == BLANK.after(b"one\n two\n", 9)
    chunker.feed(b" four\n")
    assert [chunk.data for chunk in chunker.finish()] == [b"one\n two\n four\n"]


def test_a_record_that_is_too_long_is_given_as_the_whole_lines_that_it_has() -> None:
    chunker = make_chunker()
    chunks = chunker.feed(b"one\n" + b" more\n" * 100)
    chunks += chunker.feed(b" more\n" * 100)
    assert b"".join(chunk.data for chunk in chunks) == b"one\n" + b" more\n" * 200
    assert not chunker.has_record


@given(lines=LINES, sizes=st.lists(st.integers(1, 90), max_size=60))
def test_records_are_whole_and_every_byte_is_accounted_for(lines: list[bytes], sizes: list[int]) -> None:
    data = b"".join(lines)
    chunker = make_chunker()
    chunks = [*feed(chunker, data, sizes), *chunker.finish()]
    assert [chunk.since for chunk in chunks] == [0, *(chunk.until for chunk in chunks[:-1])]
    assert chunks[-1].until == len(data)
    held = 0
    for chunk in chunks:
        assert chunk.fingerprint == BLANK.after(data, chunk.until).fingerprint()
        if not chunk.is_cut:
            assert chunk.data == data[chunk.offset : chunk.until]
        follows_a_long_one = held > MAX or chunk.is_cut
        held = len(chunk.data)
        is_torn = data[chunk.until : chunk.until + 1] in {b" ", b"\n"} and chunk.until < len(data)
        assert not is_torn or held > MAX or chunk.is_cut or follows_a_long_one
