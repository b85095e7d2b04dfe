"""UTF-16 text with a byte order mark is read as UTF-8: every line once, at the same offset in every pass."""

import os
import random
import shutil
from pathlib import Path

import pytest

from puppylog.tail.decompressed import open_log
from puppylog.tail.handle import OpenFile
from puppylog.tail.limited_file import LimitedFile
from puppylog.tail.source import check_source
from support.compressing import COMPRESS
from support.tail_world import World

pytestmark = pytest.mark.sampled

TEXT = "".join(f"{number} grün 漢 🐶 {number * 7919}\r\n" for number in range(20_000))


@pytest.fixture(params=["utf-16-le", "utf-16-be"])
def encoding(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def encode(text: str, encoding: str) -> bytes:
    return ("\ufeff" + text).encode(encoding)


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def read_on(handle: OpenFile, offset: int = 0, size: int = 100_000) -> bytes:
    parts = []
    while block := handle.read(size, offset):
        parts.append(block)
        offset += len(block)
    return b"".join(parts)


def test_any_offset_of_the_text_can_be_read_in_any_order(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.log").write_bytes(encode(TEXT, encoding))
    handle, text = open_log(str(tmp_path / "a.log")), TEXT.encode()
    assert (handle.is_compressed, handle.is_converted, handle.fault) == (False, True, None)
    assert read_on(handle) == text
    assert handle.raw_offset(len(text)) == handle.status().st_size
    for offset, size in [(400_000, 100), (399_744, 256), (0, 1024), (100, 300), (300_001, 5), (10, 200_000), (0, 0)]:
        assert handle.read(size, offset) == text[offset : offset + size]
    assert handle.read(10, len(text)) == b""
    limited = LimitedFile(handle, 1000)
    assert (limited.is_converted, read_on(limited)) == (True, text[:1000])
    limited.close()


@pytest.mark.parametrize("seed", range(3))
def test_text_that_grows_by_odd_pieces_reads_as_the_whole_text(tmp_path: Path, encoding: str, seed: int) -> None:
    chosen = random.Random(seed)
    characters = ["\n", "a", "ü", "漢", "🐶", "\ud83d", "\udc36", "\ufeff", "\0"]
    raw = "".join(["\ufeff", *chosen.choices(characters, k=500)]).encode(encoding, "surrogatepass")
    expected = raw[2:].decode(encoding, "replace").encode()
    path = tmp_path / "a.log"
    path.touch()
    handle, read, written = open_log(str(path)), b"", 0
    while written < len(raw):
        size = chosen.randint(1, 5)
        append(path, raw[written : written + size])
        written += size
        read += read_on(handle, len(read), chosen.randint(1, 9))
        assert expected.startswith(read)
        assert handle.raw_offset(len(read)) == handle.status().st_size
    assert read == expected
    handle.close()


@pytest.mark.parametrize("suffix", sorted(COMPRESS))
def test_a_compressed_file_of_utf_16_is_read_as_utf_8(tmp_path: Path, encoding: str, suffix: str) -> None:
    path = tmp_path / f"a.log.1{suffix}"
    path.write_bytes(COMPRESS[suffix](encode(TEXT, encoding)))
    handle = open_log(str(path))
    assert (read_on(handle), handle.fault) == (TEXT.encode(), None)
    handle.close()


def test_damage_in_a_compressed_file_of_utf_16_is_found_behind_the_text_before_it(tmp_path: Path) -> None:
    path = tmp_path / "a.log.1.gz"
    path.write_bytes(COMPRESS[".gz"](encode(TEXT, "utf-16-le")) + b"garbage")
    handle = open_log(str(path))
    assert read_on(handle) == TEXT.encode()
    assert handle.fault is not None
    assert handle.fault.startswith(f"it is damaged after {len(TEXT.encode())} decompressed bytes (")
    handle.close()


@pytest.mark.parametrize("data", [b"\xff", b"\xfe", b"\xff\xfe", b"\xfe\xff"])
def test_a_mark_or_its_first_byte_is_no_text(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(data)
    check_source(str(path))
    handle = open_log(str(path))
    assert (handle.read(10, 0), handle.raw_offset(0)) == (b"", len(data))
    handle.close()


def test_bytes_like_half_a_mark_are_read_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"\xff")
    handle = open_log(str(path))
    assert handle.read(10, 0) == b""
    append(path, b"a\n")
    assert (handle.read(1, 0), handle.read(10, 0), handle.is_converted) == (b"\xff", b"\xffa\n", False)
    handle.close()


def test_a_file_gets_its_encoding_anew_when_it_is_written_again(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("plain\n")
    handle = open_log(str(path))
    for data in (
        encode("one\n", "utf-16-le"),
        encode("two\n", "utf-16-be"),
        b"three\n",
        b"",
        encode("4\n", "utf-16-le"),
    ):
        path.write_bytes(data)
        expected = data.decode("utf-16").lstrip("\ufeff").encode() if data[:1] in {b"\xff", b"\xfe"} else data
        assert handle.read(100, 0) == expected
    handle.close()


# Following


@pytest.fixture
def windows(world: World, encoding: str) -> World:
    """A tailer has read two lines of UTF-16 text from a file that was empty before, and they are stored."""
    world.start()
    assert world.poll() == []
    world.log.write_bytes(encode("one\r\ntwo ü\r\n", encoding))
    assert world.poll() == [b"one", "two ü".encode()]
    return world


def test_lines_are_read_once_as_the_file_grows_and_after_a_restart(windows: World, encoding: str) -> None:
    raw = "three 🐶\r\nfour".encode(encoding)
    append(windows.log, raw[:13])  # in the middle of a surrogate pair
    assert windows.poll() == windows.run_once() == []
    append(windows.log, raw[13:])
    assert windows.run_once() == ["three 🐶".encode()]
    assert windows.ledger.known[-1].byte_offset == len("one\r\ntwo ü\r\nthree 🐶\r\n".encode())
    windows.start()
    assert windows.poll() == []
    assert windows.tailer.backlog_bytes() == 0
    assert windows.tailer.unfinished_bytes == 4
    assert windows.tailer.is_at_rest
    append(windows.log, "\r\n".encode(encoding))
    assert windows.poll() == [b"four"]
    assert windows.tailer.problem is None
    assert windows.run_once() == []


@pytest.mark.parametrize("is_running", [True, False])
def test_a_rotated_file_is_read_to_its_end_and_then_the_new_one(
    windows: World, encoding: str, is_running: bool
) -> None:
    append(windows.log, "three\r\n".encode(encoding))
    if not is_running:
        windows.stop()
    windows.rotate()
    append(windows.log.with_name("a.log.1"), "four\r\n".encode(encoding))
    windows.log.write_bytes(encode("five\r\n", encoding))
    if not is_running:
        windows.start(rotate_wait_s=0)
    assert [*windows.poll(), *windows.poll_after_the_wait()] == [b"three", b"four", b"five"]
    assert windows.run_once() == []


@pytest.mark.parametrize("is_running", [True, False])
@pytest.mark.parametrize("new", ["", "new\r\n", "new and longer than all that was there before it was emptied\r\n"])
def test_what_was_not_read_of_an_emptied_file_is_read_from_its_copy(
    windows: World, encoding: str, is_running: bool, new: str
) -> None:
    append(windows.log, "three\r\n".encode(encoding))
    if not is_running:
        windows.stop()
    shutil.copyfile(windows.log, windows.log.with_name("a.log.1"))
    os.truncate(windows.log, 0)
    append(windows.log, encode(new, encoding))
    if not is_running:
        windows.start(rotate_wait_s=0)
    read = [*windows.poll(), *windows.poll_after_the_wait()]
    assert read == [b"three", *new.encode().splitlines()]
    append(windows.log, "last\r\n".encode(encoding))
    assert windows.poll() == [b"last"]
    assert windows.run_once() == []


def test_the_rest_of_a_file_is_read_from_its_compressed_copy(windows: World, encoding: str) -> None:
    append(windows.log, "three\r\n".encode(encoding))
    windows.stop()
    windows.log.with_name("a.log.1.gz").write_bytes(COMPRESS[".gz"](windows.log.read_bytes()))
    windows.log.write_bytes(encode("four\r\n", encoding))
    assert windows.run_once() == [b"three", b"four"]
    assert windows.run_once() == []


def test_from_the_end_only_new_lines_are_read(world: World, encoding: str) -> None:
    world.log.write_bytes(encode("one\r\ntwo\r\nhal", encoding))
    world.start(from_end=True)
    assert world.poll() == []
    append(world.log, "f\r\n".encode(encoding))
    assert world.poll() == [b"half"]


def test_a_last_line_without_newline_is_read_once_its_writer_is_idle(world: World, encoding: str) -> None:
    world.log.write_bytes(encode("one\r\ntwo", encoding))
    world.start(line_wait_s=0)
    assert world.poll() == [b"one", b"two"]
    assert world.ledger.known[-1].byte_offset == 8
