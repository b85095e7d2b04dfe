"""A checkpoint that is advanced while reading equals the one that is read from the file later."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.model.stream import EMPTY_FINGERPRINT, HEAD_BYTES, MARKER_BYTES, FilePosition, Fingerprint, hash_bytes
from puppylog.tail.checkpoint import START_OF_FILE, confirm, read_checkpoint
from puppylog.tail.handle import Handle

DATA = bytes(range(1, 251)) * 20


def position(data: bytes, fingerprint: Fingerprint | None = None) -> FilePosition:
    checkpoint = START_OF_FILE.after(data, len(data))
    return FilePosition(1, "/log", 0, 0, fingerprint or checkpoint.fingerprint(), len(data), finished=False)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log"
    path.write_bytes(DATA)
    return path


@given(sizes=st.lists(st.integers(0, 700), max_size=10))
def test_a_checkpoint_is_advanced_with_each_block(sizes: list[int]) -> None:
    checkpoint, at = START_OF_FILE, 0
    for size in sizes:
        block = DATA[at : at + size]
        checkpoint = checkpoint.after(block + b"more", len(block))
        at += len(block)
    assert checkpoint.offset == at
    assert checkpoint.head == DATA[: min(at, HEAD_BYTES)]
    assert checkpoint.marker == DATA[max(0, at - MARKER_BYTES) : at]


def test_a_fingerprint_covers_the_head_and_the_bytes_before_the_offset() -> None:
    fingerprint = START_OF_FILE.after(DATA, 2000).fingerprint()
    assert fingerprint == Fingerprint(
        HEAD_BYTES, hash_bytes(DATA[:HEAD_BYTES]), MARKER_BYTES, hash_bytes(DATA[2000 - MARKER_BYTES : 2000])
    )
    assert START_OF_FILE.fingerprint() == EMPTY_FINGERPRINT


@pytest.mark.parametrize("offset", [0, 1, 256, 257, 1023, 1024, 1025, 5000])
def test_a_checkpoint_that_is_read_from_the_file_equals_the_advanced_one(log: Path, offset: int) -> None:
    handle = Handle(str(log))
    assert read_checkpoint(handle, offset) == START_OF_FILE.after(DATA, offset)
    handle.close()


def test_a_file_that_is_too_short_has_no_checkpoint(log: Path) -> None:
    handle = Handle(str(log))
    assert read_checkpoint(handle, len(DATA) + 1) is None
    handle.close()


def test_a_file_that_has_grown_is_confirmed(log: Path) -> None:
    handle = Handle(str(log))
    checkpoint = confirm(handle, position(DATA[:3000]))
    assert checkpoint is not None
    assert checkpoint.offset == 3000
    handle.close()


@pytest.mark.parametrize(("at", "is_seen"), [(0, True), (1023, True), (2999, True), (2744, True), (2743, False)])
def test_a_change_in_the_head_or_marker_is_detected(log: Path, at: int, is_seen: bool) -> None:
    changed = bytearray(DATA)
    changed[at] ^= 1
    log.write_bytes(changed)
    handle = Handle(str(log))
    assert (confirm(handle, position(DATA[:3000])) is None) == is_seen
    handle.close()


def test_a_position_without_a_fingerprint_is_confirmed_by_any_file_that_is_long_enough(log: Path) -> None:
    handle = Handle(str(log))
    assert confirm(handle, position(DATA[:70], EMPTY_FINGERPRINT)) == START_OF_FILE.after(DATA, 70)
    handle.close()


def test_a_checkpoint_does_not_match_a_file_that_was_truncated_or_written_again(log: Path) -> None:
    checkpoint = START_OF_FILE.after(DATA, 3000)
    handle = Handle(str(log))
    assert checkpoint.is_of(handle)
    log.write_bytes(DATA[:2999])
    assert not checkpoint.is_of(handle)
    log.write_bytes(DATA[1:])
    assert not checkpoint.is_of(handle)
    assert START_OF_FILE.is_of(handle)
    handle.close()
