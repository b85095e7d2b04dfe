"""Standard input and named pipes: they end, and cannot be read twice."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from puppylog.errors import SourceError
from puppylog.tail.boundary import IndentationBoundary
from puppylog.tail.chunk import Chunk
from puppylog.tail.pipe import PipeTailer


class Pipe:
    def __init__(self) -> None:
        self.output, self.input = os.pipe()
        self.tailer = PipeTailer(self.output, chunk_bytes=1000, max_line_bytes=500)

    def write(self, data: bytes) -> None:
        os.write(self.input, data)

    def end(self) -> None:
        if self.input >= 0:
            os.close(self.input)
            self.input = -1

    def read_all(self) -> list[Chunk]:
        chunks: list[Chunk] = []
        while not self.tailer.is_ended:
            chunks += self.tailer.read()
        return chunks


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    pipe.end()
    pipe.tailer.close()
    os.close(pipe.output)


def test_a_poll_gives_the_lines_that_were_written_and_does_not_wait_for_the_end(pipe: Pipe) -> None:
    pipe.write(b"one\ntw")
    assert [chunk.data for chunk in pipe.tailer.read()] == [b"one\n"]
    assert pipe.tailer.unfinished_bytes == 2
    assert not pipe.tailer.is_ended
    pipe.write(b"o\n")
    assert [(chunk.data, chunk.offset) for chunk in pipe.tailer.read()] == [(b"two\n", 4)]
    assert list(pipe.tailer.read()) == []


def test_at_the_end_the_unfinished_line_is_taken_and_the_input_is_finished(pipe: Pipe) -> None:
    pipe.write(b"one\ntwo")
    pipe.end()
    lines, last = pipe.read_all()
    assert (lines.data, lines.finished) == (b"one\n", False)
    assert (last.data, last.finished, last.is_unfinished, last.start, last.end) == (b"two\n", True, True, 4, 7)
    assert list(pipe.tailer.read()) == []


def test_an_empty_input_is_finished_too(pipe: Pipe) -> None:
    pipe.end()
    (last,) = pipe.read_all()
    assert (last.data, last.finished, last.end) == (b"", True, 0)


def test_the_input_is_one_file_that_the_store_does_not_know(pipe: Pipe) -> None:
    pipe.write(b"one\n")
    pipe.end()
    files = {chunk.file for chunk in pipe.read_all()}
    assert len(files) == 1
    (file,) = files
    assert (file.path, file.start, file.file_id) == ("-", 0, None)


def test_a_large_input_is_read_completely_and_in_order(pipe: Pipe) -> None:
    lines = b"".join(b"line %d\n" % number for number in range(50_000))

    def write() -> None:
        view = memoryview(lines)
        while view:
            view = view[os.write(pipe.input, view) :]
        pipe.end()

    writer = threading.Thread(target=write)
    writer.start()
    chunks = pipe.read_all()
    writer.join()
    assert b"".join(chunk.data for chunk in chunks) == lines
    assert [chunk.start for chunk in chunks] == [0, *(chunk.end for chunk in chunks[:-1])]


def test_chunks_that_were_not_taken_are_given_by_the_next_poll(pipe: Pipe) -> None:
    pipe.write(b"a\n" + b"x" * 600 + b"\nb\n")
    pipe.end()
    assert next(iter(pipe.tailer.read())).data == b"a\n"
    assert not pipe.tailer.is_ended
    assert [chunk.is_cut for chunk in pipe.read_all()] == [True, False, False]


def test_a_file_as_standard_input_is_read_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"one\ntwo\n" * 1000)
    with (tmp_path / "log").open("rb") as file:
        tailer = PipeTailer(file.fileno(), chunk_bytes=512)
        data = b""
        while not tailer.is_ended:
            data += b"".join(chunk.data for chunk in tailer.read())
    assert data == b"one\ntwo\n" * 1000


def test_a_source_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    with pytest.raises(SourceError, match="cannot read standard input: is a directory"):
        list(PipeTailer(descriptor).read())
    os.close(descriptor)
    with pytest.raises(SourceError, match="cannot read standard input: bad file descriptor"):
        PipeTailer(descriptor)


def test_closing_does_not_close_the_descriptor_of_the_caller(pipe: Pipe) -> None:
    pipe.tailer.close()
    assert pipe.tailer.is_ended
    assert list(pipe.tailer.read()) == []
    os.fstat(pipe.output)


# Named pipes


class Fifo:
    def __init__(self, path: Path, **options: Any) -> None:
        self.path = path
        os.mkfifo(path)
        self.tailer = PipeTailer(str(path), **options)

    def poll(self) -> list[bytes]:
        return [line for chunk in self.tailer.read() for line in chunk.data.splitlines()]


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Fifo]:
    fifo = Fifo(tmp_path / "fifo", watch=True)
    yield fifo
    fifo.tailer.close()


def test_a_named_pipe_waits_for_its_first_writer_and_ends_with_the_last(tmp_path: Path) -> None:
    fifo = Fifo(tmp_path / "fifo")
    assert fifo.poll() == []
    assert not fifo.tailer.is_ended
    with fifo.path.open("wb", buffering=0) as one, fifo.path.open("wb", buffering=0) as two:
        one.write(b"one\n")
        assert fifo.poll() == [b"one"]
        one.close()
        assert fifo.poll() == []
        two.write(b"two\nthr")
    (lines, last) = list(fifo.tailer.read())
    assert (lines.data, last.data, last.finished) == (b"two\n", b"thr\n", True)
    assert fifo.tailer.is_ended
    fifo.tailer.close()


def test_a_watched_pipe_is_read_on_with_the_next_writer(watched: Fifo) -> None:
    for text, lines in ((b"one\ntw", [b"one", b"tw"]), (b"three\n", [b"three"])):
        with watched.path.open("wb") as writer:
            writer.write(text)
        assert watched.poll() == lines
        assert watched.poll() == []
        assert not watched.tailer.is_ended


def test_the_input_of_a_watched_pipe_is_one_file(watched: Fifo) -> None:
    chunks: list[Chunk] = []
    for text in (b"one\ntw", b"three\n"):
        with watched.path.open("wb") as writer:
            writer.write(text)
        chunks += watched.tailer.read()
    assert [(chunk.start, chunk.end, chunk.finished) for chunk in chunks] == [
        (0, 4, False),
        (4, 6, False),
        (6, 12, False),
    ]
    assert len({chunk.file for chunk in chunks}) == 1
    assert chunks[0].file.path == str(watched.path)
    assert chunks[0].file.modified_at_us is not None


def test_a_pipe_that_was_replaced_is_opened_again(watched: Fifo) -> None:
    with watched.path.open("wb") as writer:
        writer.write(b"one\nhal")
    watched.path.unlink()
    assert watched.poll() == [b"one", b"hal"]
    assert watched.tailer.problem == f"cannot read {watched.path}: no such file or directory"
    os.mkfifo(watched.path)
    (last,) = list(watched.tailer.read())
    assert last.finished
    with watched.path.open("wb") as writer:
        writer.write(b"new\n")
    assert watched.poll() == [b"new"]
    assert watched.tailer.problem is None


def test_a_pipe_is_read_in_turns_and_loses_no_line(watched: Fifo) -> None:
    watched.tailer.close()
    watched.tailer = PipeTailer(str(watched.path), chunk_bytes=100, watch=True)
    with watched.path.open("wb") as writer:
        writer.write(b"".join(b"line %d\n" % number for number in range(1000)))
        writer.flush()
        turns, lines = 0, list[bytes]()
        while turns == 0 or watched.tailer.has_more:
            lines += [line for chunk in watched.tailer.read(limit_bytes=1000) for line in chunk.data.splitlines()]
            turns += 1
    assert lines == [b"line %d" % number for number in range(1000)]
    assert turns >= 8


def test_a_file_that_is_not_a_pipe_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log").touch()
    with pytest.raises(SourceError, match=r"cannot read .*/log: it is not a pipe"):
        PipeTailer(str(tmp_path / "log"))
    with pytest.raises(SourceError, match="no such file"):
        PipeTailer(str(tmp_path / "none"))


def test_closing_a_named_pipe_closes_its_descriptor(watched: Fifo) -> None:
    before = len(list(Path("/dev/fd").iterdir()))
    watched.tailer.close()
    watched.tailer.close()
    assert len(list(Path("/dev/fd").iterdir())) == before - 1
    assert watched.poll() == []


def test_records_of_a_pipe_wait_for_their_end(tmp_path: Path) -> None:
    now = 0.0
    fifo = Fifo(tmp_path / "fifo", watch=True, open_boundary=lambda _: IndentationBoundary(), clock=lambda: now)
    with fifo.path.open("wb", buffering=0) as writer:
        writer.write(b"one\n  at a\n")
        assert fifo.poll() == []
        now += 5
        assert fifo.poll() == [b"one", b"  at a"]
        writer.write(b"two\n")
        assert fifo.poll() == []
    assert fifo.poll() == [b"two"]
    fifo.tailer.close()
