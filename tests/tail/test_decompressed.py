"""A compressed file is read as if it were plain. A damaged or incomplete file is read as far as possible."""

import os
import random
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from puppylog.tail.compression import find_compression
from puppylog.tail.decompressed import DecompressedHandle, open_log
from puppylog.tail.handle import OpenFile
from support.compressing import COMPRESS

pytestmark = pytest.mark.sampled

_CHANCE = random.Random(1)
LINES = b"".join(b"%d line %d\n" % (_CHANCE.getrandbits(60), number) for number in range(30_000))

Open = Callable[[bytes], OpenFile]


@cache
def compress(suffix: str, data: bytes) -> bytes:
    return COMPRESS[suffix](data)


@pytest.fixture(params=sorted(COMPRESS))
def suffix(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def path(tmp_path: Path, suffix: str) -> Path:
    return tmp_path / f"a.log.1{suffix}"


@pytest.fixture
def open_file(path: Path) -> Iterator[Open]:
    handles: list[OpenFile] = []

    def open_it(data: bytes) -> OpenFile:
        path.write_bytes(data)
        handles.append(open_log(str(path)))
        return handles[-1]

    yield open_it
    for handle in handles:
        handle.close()


def read_on(handle: OpenFile, offset: int = 0, size: int = 100_000) -> bytes:
    parts = []
    while block := handle.read(size, offset):
        parts.append(block)
        offset += len(block)
    return b"".join(parts)


def test_a_compressed_file_reads_as_the_bytes_that_were_compressed(open_file: Open, suffix: str, path: Path) -> None:
    data = compress(suffix, LINES)
    handle = open_file(data)
    assert handle.is_compressed
    assert handle.identity == (path.stat().st_dev, path.stat().st_ino)
    assert read_on(handle) == LINES
    assert (handle.fault, handle.raw_offset(len(LINES)), handle.status().st_size) == (None, len(data), len(data))


def test_any_offset_can_be_read_in_any_order(open_file: Open, suffix: str) -> None:
    handle = open_file(compress(suffix, LINES))
    for offset, size in [(500_000, 100), (499_744, 256), (0, 1024), (100, 300), (700_000, 5), (10, 200_000), (0, 0)]:
        assert handle.read(size, offset) == LINES[offset : offset + size]
    assert handle.read(10, len(LINES)) == b""
    assert handle.read(10, len(LINES) + 1000) == b""
    assert handle.read(100, len(LINES) - 5) == LINES[-5:]


def test_compressed_members_that_follow_one_another_are_read_as_one_file(open_file: Open, suffix: str) -> None:
    parts = [LINES[:100], b"", LINES[100:300_000], LINES[300_000:]]
    assert read_on(open_file(b"".join(compress(suffix, part) for part in parts))) == LINES


def test_a_compressed_empty_file_has_no_bytes(open_file: Open, suffix: str) -> None:
    handle = open_file(compress(suffix, b""))
    assert (handle.is_compressed, read_on(handle), handle.fault) == (True, b"", None)


def test_an_empty_file_is_recognized_by_its_name_and_read_as_it_grows(open_file: Open, suffix: str, path: Path) -> None:
    handle = open_file(b"")
    assert (handle.is_compressed, handle.read(10, 0), handle.fault) == (True, b"", None)
    data, offset = compress(suffix, LINES), 0
    for end in (5, len(data) // 3, len(data) // 3 + 1, len(data) - 1, len(data)):
        with path.open("r+b") as file:
            file.write(data[:end])
        for _ in range(2):
            part = read_on(handle, offset)
            assert part == LINES[offset : offset + len(part)]
            offset += len(part)
        if end < len(data):
            assert handle.fault == f"it ends too early, after {offset} decompressed bytes"
    assert (offset, handle.fault) == (len(LINES), None)
    with path.open("ab") as file:
        file.write(compress(suffix, b"more\n"))
    assert read_on(handle, offset) == b"more\n"


@pytest.mark.parametrize("size", [1, 4096, 100_000])
def test_a_compressed_file_that_ends_too_early_is_read_up_to_its_end(open_file: Open, suffix: str, size: int) -> None:
    data = compress(suffix, LINES * 3)
    handle = open_file(data[: len(data) * 2 // 3])
    part = handle.read(200_000, 0) if size == 1 else read_on(handle, 0, size)
    assert part == (LINES * 3)[: len(part)]
    if suffix != ".xz":  # a small file is one block, and the decoder returns its bytes late
        assert len(part) > 150_000


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz"])
def test_a_damaged_file_is_read_up_to_the_damage(open_file: Open, suffix: str) -> None:
    whole = compress(suffix, LINES)
    damaged = bytearray(whole + whole)
    damaged[len(whole) + len(whole) // 2] ^= 0xFF
    damaged[len(whole) + len(whole) // 2 + 1] ^= 0xFF
    handle = open_file(bytes(damaged))
    part = read_on(handle)
    assert len(part) >= len(LINES)
    assert part.startswith(LINES)  # damage is noticed only at an invalid code or a wrong checksum
    assert handle.fault is not None
    assert handle.fault.startswith(f"it is damaged after {len(part)} decompressed bytes (")
    assert handle.read(10, len(part)) == b""
    assert handle.raw_offset(len(part)) == len(damaged), "no more bytes can be read"


def test_other_bytes_behind_the_compressed_data_are_damage_and_nuls_are_not(open_file: Open, suffix: str) -> None:
    handle = open_file(compress(suffix, LINES) + b"this is not compressed at all")
    assert read_on(handle) == LINES
    assert handle.fault is not None
    if suffix != ".zst":
        handle = open_file(compress(suffix, LINES) + b"\0" * 4096)
        assert (read_on(handle), handle.fault) == (LINES, None)


def test_every_byte_before_the_damage_is_returned(open_file: Open, suffix: str) -> None:
    """The decoder reads the last bytes and the damage in one call."""
    for size in (10, 70_000, 131_072):
        handle = open_file(compress(suffix, LINES[:size]) + b"garbage")
        assert read_on(handle) == LINES[:size]


def test_a_compressed_file_that_is_written_again_is_read_from_its_new_start(
    open_file: Open, suffix: str, path: Path
) -> None:
    handle = open_file(compress(suffix, LINES))
    assert handle.read(100, 400_000) == LINES[400_000:400_100]
    path.write_bytes(compress(suffix, LINES[::-1]))
    assert handle.read(100, 400_000) == LINES[::-1][400_000:400_100]


def test_memory_holds_little_more_than_the_bytes_of_the_last_read(open_file: Open, suffix: str) -> None:
    bomb = open_file(compress(suffix, b"\0" * (6 << 20)))
    assert isinstance(bomb, DecompressedHandle)
    offset, most = 0, 0
    while block := bomb.read(10_000, offset):
        offset += len(block)
        most = max(most, len(bomb._window))
    assert offset == 6 << 20
    assert most < 100_000
    assert bomb.read(1, offset - 1) == b"\0"


def test_a_read_error_that_passes_loses_no_byte(open_file: Open, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    handle = open_file(compress(suffix, LINES))
    begin = handle.read(1000, 0)
    real, failed = os.pread, list[int]()

    def fail_once(descriptor: int, size: int, offset: int) -> bytes:
        if size > 1024 and not failed:
            failed.append(offset)
            raise OSError(5, "Input/output error")
        return real(descriptor, size, offset)

    monkeypatch.setattr(os, "pread", fail_once)
    with pytest.raises(OSError, match="Input/output error"):
        handle.read(len(LINES), 1000)
    assert begin + read_on(handle, 1000) == LINES


def test_a_compression_is_recognized_by_the_first_bytes(tmp_path: Path) -> None:
    for suffix, compress in COMPRESS.items():
        found = find_compression("/log", compress(LINES)[:16])
        assert found is not None
        assert found.suffix == suffix
    assert find_compression("/log.gz", b"plain text in spite of its name") is None
    assert find_compression("/log", b"BZh1 is how this line begins") is None
    assert find_compression("/log", b"") is None
    (tmp_path / "a.gz").write_bytes(b"plain\n")
    handle = open_log(str(tmp_path / "a.gz"))
    assert (handle.is_compressed, handle.read(10, 0)) == (False, b"plain\n")
    handle.close()


def test_a_file_that_needs_too_much_memory_is_refused(tmp_path: Path) -> None:
    import lzma  # noqa: PLC0415 - used only here

    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 200 << 20, "preset": 0, "mode": lzma.MODE_FAST}]
    (tmp_path / "a.xz").write_bytes(lzma.compress(b"one\n", filters=filters))
    handle = open_log(str(tmp_path / "a.xz"))
    assert handle.read(10, 0) == b""
    assert handle.fault is not None
    assert "emory" in handle.fault
    handle.close()
