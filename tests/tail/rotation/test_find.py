"""The files that are opened at a path and next to it. The tests of the tailer show what this means for lines."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from puppylog.model.stream import EMPTY_FINGERPRINT, FilePosition
from puppylog.tail.checkpoint import START_OF_FILE
from puppylog.tail.handle import Handle, OpenFile, identity_of
from puppylog.tail.rotation import find as find_module
from puppylog.tail.rotation.candidate import Candidate, DirectoryChanged
from puppylog.tail.rotation.content import FileContent
from puppylog.tail.rotation.find import FilesToRead, FileToRead, find_files
from puppylog.tail.rotation.position import ReadPosition
from puppylog.tail.rotation.snapshot import list_candidates


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "a.log"


@pytest.fixture
def opened() -> Iterator[list[OpenFile]]:
    handles: list[OpenFile] = []
    yield handles
    for handle in handles:
        handle.close()


def write(path: Path, data: bytes, file_id: int = 0) -> FilePosition:
    """Write a file, and return a position at its end."""
    path.write_bytes(data)
    fingerprint = START_OF_FILE.after(data, len(data)).fingerprint()
    return FilePosition(file_id, str(path), *identity_of(path.stat()), fingerprint, len(data), finished=False)


def find(log: Path, known: list[FilePosition], opened: list[OpenFile]) -> FilesToRead:
    at_path = Handle(str(log)) if log.exists() else None
    found = find_files(str(log), at_path, [ReadPosition.of(position) for position in known])
    opened += [one.handle for one in found]
    return found


def position_of(found: FileToRead | None) -> FilePosition | None:
    assert found is not None
    return None if found.position is None else found.position.stored


def missing(found: FilesToRead) -> list[FilePosition | None]:
    return [position.stored for position in found.missing]


def open_files() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def test_a_position_continues_in_its_file(log: Path, opened: list[OpenFile]) -> None:
    position = write(log, b"one\n", 7)
    found = find(log, [position], opened)
    assert found.at_path is not None
    assert (position_of(found.at_path), found.at_path.checkpoint.offset) == (position, 4)
    assert (found.rotated, missing(found)) == ([], [])


def test_each_position_continues_in_one_file_and_their_order_is_kept(log: Path, opened: list[OpenFile]) -> None:
    first, second = write(log.with_name("a.log.2"), b"one\n", 1), write(log.with_name("a.log.1"), b"two\n", 2)
    write(log, b"three\n")
    found = find(log, [first, second], opened)
    assert [position_of(one) for one in found.rotated] == [first, second]
    assert found.at_path is not None
    assert position_of(found.at_path) is None


def test_files_with_equal_content_are_distinguished_by_their_inodes(log: Path, opened: list[OpenFile]) -> None:
    rotated = write(log.with_name("a.log.1"), b"ping\nping\n", 1)
    write(log, b"ping\nping\nping\n")
    found = find(log, [rotated], opened)
    assert [position_of(one) for one in found.rotated] == [rotated]
    assert found.at_path is not None
    assert found.at_path.checkpoint == START_OF_FILE


def test_a_small_file_that_begins_like_a_missing_file_is_new(log: Path, opened: list[OpenFile]) -> None:
    position = replace(write(log, b"ping\n" * 20, 1), inode=1)
    found = find(log, [position], opened)
    assert missing(found) == [position]
    assert found.at_path is not None
    assert position_of(found.at_path) is None


def test_a_long_file_at_the_path_with_the_same_content_is_a_copy(log: Path, opened: list[OpenFile]) -> None:
    position = replace(write(log, b"ping\n" * 2000, 1), inode=1)
    found = find(log, [position], opened)
    assert found.at_path is not None
    assert position_of(found.at_path) == position


def test_a_position_with_only_an_inode_continues_only_in_a_file_with_a_rotated_name(
    log: Path, opened: list[OpenFile]
) -> None:
    write(log, b"new\n")
    rotated = replace(write(log.with_name("a.log.1"), b"one\n", 1), fingerprint=EMPTY_FINGERPRINT, byte_offset=0)
    other = replace(write(log.with_name("b.log"), b"one\n", 2), fingerprint=EMPTY_FINGERPRINT, byte_offset=0)
    found = find(log, [rotated, other], opened)
    assert [position_of(one) for one in found.rotated] == [rotated]
    assert missing(found) == [other]


def test_a_copy_that_matches_by_content_is_not_matched_by_inode_with_another_position(
    log: Path, opened: list[OpenFile]
) -> None:
    """The copy got the inode that a deleted file had."""
    copy = write(log.with_name("a.log.1"), b"one\n", 1)
    known, by_inode = replace(copy, inode=1), replace(copy, file_id=2, fingerprint=EMPTY_FINGERPRINT, byte_offset=0)
    write(log, b"new\n")
    found = find(log, [known, by_inode], opened)
    assert [position_of(one) for one in found.rotated] == [known]
    found = find(log, [replace(known, finished=True), by_inode], opened)
    assert (found.rotated, missing(found)) == ([], [by_inode])


def test_no_position_counts_as_missing_while_no_file_is_at_the_path(log: Path, opened: list[OpenFile]) -> None:
    position = write(log, b"one\n", 1)
    log.unlink()
    found = find(log, [position], opened)
    assert (found.rotated, found.at_path, missing(found)) == ([], None, [])


def test_a_directory_that_may_not_be_listed_has_no_candidates(
    log: Path, opened: list[OpenFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    position = write(log.with_name("a.log.1"), b"one\n", 1)
    write(log, b"new\n")

    def refuse(_: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", refuse)
        found = find(log, [position], opened)
    assert missing(found) == [position]


def test_a_search_is_repeated_if_a_rotation_happens_during_it(
    log: Path, opened: list[OpenFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    position = write(log.with_name("a.log.1"), b"one\n", 1)
    write(log, b"new\n")
    looks: list[int] = []

    def list_and_rename(paths: list[str], inodes: set[int]) -> list[Candidate]:
        candidates = list_candidates(paths, inodes)
        if not looks:
            log.with_name("a.log.1").rename(log.with_name("a.log.2"))
        looks.append(1)
        return candidates

    monkeypatch.setattr(find_module, "list_candidates", list_and_rename)
    found = find(log, [position], opened)
    assert [one.handle.path for one in found.rotated] == [str(log.with_name("a.log.2"))]
    assert len(looks) == 2


@pytest.mark.parametrize("error", [DirectoryChanged("again"), OSError(5, "Input/output error")])
def test_a_search_that_fails_leaves_nothing_open(log: Path, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file of the first position is opened; opening the second fails."""
    first, second = write(log.with_name("a.log.2"), b"one\n", 2), write(log.with_name("a.log.1"), b"two\n", 1)
    real = FileContent.open

    def fail(content: FileContent) -> OpenFile | None:
        if content.path.endswith(".1"):
            raise error
        return real(content)

    monkeypatch.setattr(FileContent, "open", fail)
    before = open_files()
    with pytest.raises(OSError, match=r"renamed all the time|Input/output"):
        find_files(str(log), None, [ReadPosition.of(second), ReadPosition.of(first)])
    assert open_files() == before
