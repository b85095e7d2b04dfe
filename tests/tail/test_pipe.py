"""Standard input comes to an end, and cannot be read twice."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from puppylog.errors import SourceError
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


def test_a_poll_gives_what_has_come_and_does_not_wait_for_the_end(pipe: Pipe) -> None:
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
    assert (last.data, last.finished, last.is_unfinished, last.since, last.until) == (b"two\n", True, True, 4, 7)
    assert list(pipe.tailer.read()) == []


def test_an_empty_input_is_finished_too(pipe: Pipe) -> None:
    pipe.end()
    (last,) = pipe.read_all()
    assert (last.data, last.finished, last.until) == (b"", True, 0)


def test_the_input_is_one_file_that_the_store_does_not_know(pipe: Pipe) -> None:
    pipe.write(b"one\n")
    pipe.end()
    files = {chunk.file for chunk in pipe.read_all()}
    assert len(files) == 1
    (file,) = files
    assert (file.path, file.start, file.file_id) == ("-", 0, None)


def test_much_data_comes_whole_and_in_order(pipe: Pipe) -> None:
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
    assert [chunk.since for chunk in chunks] == [0, *(chunk.until for chunk in chunks[:-1])]


def test_what_was_not_taken_is_given_next_time_and_before_the_end(pipe: Pipe) -> None:
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


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    with pytest.raises(SourceError, match="cannot read standard input: is a directory"):
        list(PipeTailer(descriptor).read())
    os.close(descriptor)
    with pytest.raises(SourceError, match="cannot read standard input: bad file descriptor"):
        PipeTailer(descriptor)


def test_closing_leaves_the_descriptor_to_its_owner(pipe: Pipe) -> None:
    pipe.tailer.close()
    assert pipe.tailer.is_ended
    assert list(pipe.tailer.read()) == []
    os.fstat(pipe.output)
