"""Reading of one open file, and detection of its truncation."""

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
    """Return a list of the sizes of the blocks that are read. Reads of the marker before a block are not counted."""
    counted: list[int] = []
    real = Handle.read

    def counting(handle: Handle, size: int, offset: int) -> bytes:
        data = real(handle, size, offset)
        if offset == sum(counted):
            counted.append(len(data))
        return data

    monkeypatch.setattr(Handle, "read", counting)
    return counted


def test_appended_bytes_are_read_once(log: Path, reader: Reader) -> None:
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
def test_a_truncated_file_that_has_grown_again_is_detected(log: Path, reader: Reader, size: int) -> None:
    append(log, b"one\ntwo\n")
    read(reader)
    log.write_bytes(b"3333333\n" + b"x" * size)
    assert read(reader) == b""
    assert reader.is_truncated


def test_bytes_that_were_read_after_a_truncation_are_not_given(
    log: Path, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is truncated, and gets longer than before, between two reads of one poll."""
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


def test_a_last_line_that_is_rewritten_is_dropped_and_is_not_a_truncation(log: Path, reader: Reader) -> None:
    append(log, b"one\nhal")
    assert read(reader) == b"one\n"
    log.write_bytes(b"one\nwhole\n")
    assert read(reader) == b"whole\n"
    assert not reader.is_truncated


def test_a_line_that_is_written_byte_by_byte_is_read_once(
    log: Path, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = count_block_bytes(monkeypatch)
    for _ in range(300):
        append(log, b"x")
        assert read(reader) == b""
    append(log, b"\n")
    assert read(reader) == b"x" * 300 + b"\n"
    assert sum(counted) == 301


def test_an_unchanged_file_is_recognized_by_its_status(log: Path, reader: Reader) -> None:
    append(log, b"one\n")
    read(reader)
    assert not reader.is_untouched(log.stat())
    assert reader.is_untouched(log.stat())
    append(log, b"two\n")
    assert not reader.is_untouched(log.stat())
    assert not reader.is_untouched(log.stat()), "not read yet"


def test_chunks_that_were_not_taken_are_given_by_the_next_read(log: Path, reader: Reader) -> None:
    append(log, b"a\n" + b"x" * 2000 + b"\nb\nc\n")
    first = next(iter(reader.read()))
    assert first.data == b"a\n"
    append(log, b"d\n")
    assert read(reader) == b"x" * 1000 + b"\nb\nc\nd\n"


@pytest.mark.parametrize("is_truncated", [True, False])
def test_finishing_gives_the_unfinished_line_unless_it_was_truncated(
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


def test_a_new_file_without_a_line_is_announced_once(log: Path) -> None:
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


def test_the_fingerprint_of_a_chunk_is_that_at_its_end(log: Path, reader: Reader) -> None:
    append(log, b"one\ntwo\nhal")
    (chunk,) = reader.read()
    assert chunk.fingerprint == START_OF_FILE.after(b"one\ntwo\n", 8).fingerprint()
