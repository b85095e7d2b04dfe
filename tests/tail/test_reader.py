"""One open file: what is read of it, and how it is noticed that it is not what it was."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from puppylog.tail.checkpoint import START_OF_FILE
from puppylog.tail.chunk import TailedFile
from puppylog.tail.chunker import Chunker
from puppylog.tail.handle import Handle
from puppylog.tail.reader import Reader


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log"
    path.touch()
    return path


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


@pytest.fixture
def reader(log: Path) -> Iterator[Reader]:
    file = TailedFile(1, str(log), 0, 0, 0, file_id=7)
    reader = Reader(Handle(str(log)), Chunker(file, START_OF_FILE, 1000), chunk_bytes=64)
    yield reader
    reader.close()


def read(reader: Reader) -> bytes:
    return b"".join(chunk.data for chunk in reader.read())


def count_block_bytes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return how many bytes each block had; the looks at the bytes before it are small and not among them."""
    counted: list[int] = []
    real = Handle.read

    def counting(handle: Handle, size: int, offset: int) -> bytes:
        data = real(handle, size, offset)
        if offset == sum(counted):
            counted.append(len(data))
        return data

    monkeypatch.setattr(Handle, "read", counting)
    return counted


def test_what_was_appended_is_read_and_nothing_twice(log: Path, reader: Reader) -> None:
    lines = b"".join(b"line %d\n" % number for number in range(100))
    append(log, lines)
    assert read(reader) == lines
    append(log, b"more\n")
    assert read(reader) == b"more\n"
    assert read(reader) == b""


def test_a_file_that_shrinks_is_truncated(log: Path, reader: Reader) -> None:
    append(log, b"one\ntwo\n")
    read(reader)
    log.write_bytes(b"new\n")
    assert read(reader) == b""
    assert reader.is_truncated


@pytest.mark.parametrize("size", [0, 1, 50])
def test_a_file_that_shrank_and_has_grown_beyond_is_truncated(log: Path, reader: Reader, size: int) -> None:
    append(log, b"one\ntwo\n")
    read(reader)
    log.write_bytes(b"3333333\n" + b"x" * size)
    assert read(reader) == b""
    assert reader.is_truncated


def test_bytes_that_were_read_across_a_truncation_are_not_given_out(
    log: Path, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is truncated, and grows beyond where it stood, between two reads of one poll."""
    old = b"".join(b"old %4d\n" % number for number in range(8))
    append(log, old + b"old    8\n")
    real = Handle.read

    def read_then_truncate(handle: Handle, size: int, offset: int) -> bytes:
        data = real(handle, size, offset)
        if offset == 0 and size == 64:
            log.write_bytes(b"".join(b"new %6d\n" % number for number in range(50)))
        return data

    monkeypatch.setattr(Handle, "read", read_then_truncate)
    given = read(reader)
    assert given in (b"", old[: len(given)])
    assert b"new" not in given
    assert reader.is_truncated


def test_an_unfinished_line_that_is_taken_back_is_forgotten_and_no_truncation(log: Path, reader: Reader) -> None:
    append(log, b"one\nhal")
    assert read(reader) == b"one\n"
    log.write_bytes(b"one\nwhole\n")
    assert read(reader) == b"whole\n"
    assert not reader.is_truncated


def test_a_line_that_trickles_in_is_read_once(log: Path, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = count_block_bytes(monkeypatch)
    for _ in range(300):
        append(log, b"x")
        assert read(reader) == b""
    append(log, b"\n")
    assert read(reader) == b"x" * 300 + b"\n"
    assert sum(counted) == 301


def test_a_file_that_nobody_touched_is_told_by_its_status(log: Path, reader: Reader) -> None:
    append(log, b"one\n")
    read(reader)
    assert not reader.is_untouched(log.stat())
    assert reader.is_untouched(log.stat())
    append(log, b"two\n")
    assert not reader.is_untouched(log.stat())
    assert not reader.is_untouched(log.stat()), "not read yet"


def test_chunks_that_nobody_took_are_given_next_time(log: Path, reader: Reader) -> None:
    append(log, b"a\n" + b"x" * 2000 + b"\nb\nc\n")
    first = next(iter(reader.read()))
    assert first.data == b"a\n"
    append(log, b"d\n")
    assert read(reader) == b"x" * 1000 + b"\nb\nc\nd\n"


@pytest.mark.parametrize("is_truncated", [True, False])
def test_the_unfinished_line_comes_with_the_end_but_not_if_it_is_gone(
    log: Path, reader: Reader, is_truncated: bool
) -> None:
    append(log, b"one\nhal")
    read(reader)
    if is_truncated:
        log.write_bytes(b"")
        read(reader)
    (last,) = reader.finish()
    assert last.finished
    assert (last.start, last.end, last.data) == ((4, 4, b"") if is_truncated else (4, 7, b"hal\n"))
    assert last.is_unfinished != is_truncated


def make_new(log: Path) -> Reader:
    return Reader(Handle(str(log)), Chunker(TailedFile(1, str(log), 0, 0, 0, None), START_OF_FILE, 1000), 64)


def test_a_new_file_is_announced_once_even_if_there_is_no_line_yet(log: Path) -> None:
    append(log, b"hal")
    reader = make_new(log)
    assert [(chunk.data, chunk.start, chunk.end) for chunk in reader.read()] == [(b"", 0, 0)]
    append(log, b"f\n")
    assert [chunk.data for chunk in reader.read()] == [b"half\n"]
    reader.close()


def test_a_new_file_with_a_line_needs_no_announcement(log: Path) -> None:
    append(log, b"line\n")
    reader = make_new(log)
    assert [chunk.data for chunk in reader.read()] == [b"line\n"]
    assert list(reader.read()) == []
    reader.close()


def test_a_fingerprint_goes_with_the_end_of_its_chunk(log: Path, reader: Reader) -> None:
    append(log, b"one\ntwo\nhal")
    (chunk,) = reader.read()
    assert chunk.fingerprint == START_OF_FILE.after(b"one\ntwo\n", 8).fingerprint()
