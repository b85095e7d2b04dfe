"""The chunks of a file account for every byte of it, each with the fingerprint of the file up to its end."""

from hypothesis import given
from hypothesis import strategies as st

from puppylog.tail.checkpoint import START_OF_FILE
from puppylog.tail.chunk import TailedFile
from puppylog.tail.chunker import Chunker

FILE = TailedFile(1, "/log", 0, 0, 0, None)
LINES = st.lists(st.sampled_from([b"short\n", b"x" * 300 + b"\n", b"\0" * 400 + b"line\n", b"y" * 2000 + b"\n"]))


@given(data=LINES.map(b"".join), sizes=st.lists(st.integers(1, 700), max_size=30))
def test_every_chunk_has_the_fingerprint_of_the_file_up_to_its_end(data: bytes, sizes: list[int]) -> None:
    chunker = Chunker(FILE, START_OF_FILE, 500)
    chunks, at = [], 0
    for size in [*sizes, len(data)]:
        chunks += chunker.feed(data[at : at + size])
        at += size
    at_end = 0
    for chunk in chunks:
        assert chunk.start == at_end
        assert chunk.fingerprint == START_OF_FILE.after(data, chunk.end).fingerprint()
        at_end = chunk.end
    assert at_end == len(data)


def test_after_the_waiting_line_is_dropped_feeding_goes_on_behind_the_last_chunk() -> None:
    chunker = Chunker(FILE, START_OF_FILE, 500)
    chunker.feed(b"one\nhal")
    assert (chunker.fed_to.offset, chunker.chunked_to.offset, chunker.waiting_bytes) == (7, 4, 3)
    chunker.drop_line()
    assert chunker.fed_to == chunker.chunked_to == START_OF_FILE.after(b"one\n", 4)
    (chunk,) = chunker.feed(b"two\n")
    assert (chunk.start, chunk.end, chunk.data) == (4, 8, b"two\n")


def test_the_last_chunk_is_empty_if_no_line_waits() -> None:
    chunker = Chunker(FILE, START_OF_FILE, 500)
    chunker.feed(b"one\n")
    (last,) = chunker.finish()
    assert (last.start, last.end, last.data, last.finished, last.is_unfinished) == (4, 4, b"", True, False)
    assert last.fingerprint == START_OF_FILE.after(b"one\n", 4).fingerprint()


def test_a_file_equals_only_itself() -> None:
    assert TailedFile(1, "/log", 0, 0, 0, None) != FILE
    assert len({FILE, FILE, TailedFile(1, "/log", 0, 0, 0, None)}) == 2
