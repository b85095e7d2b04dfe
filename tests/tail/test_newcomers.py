"""Rotated files that nobody has seen, and those of before the stream began, lie beside each other."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from puppylog.model.stream import EMPTY_FINGERPRINT, FilePosition
from puppylog.tail.beside import Beside
from puppylog.tail.handle import Handle, OpenFile, identity_of
from puppylog.tail.identity import BLANK
from puppylog.tail.newcomers import Last, find_last_known, iter_newcomers, open_emptied
from puppylog.tail.siblings import list_siblings


class Directory:
    """Rotated files of ``a.log``, each written later than the one before."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.known: list[FilePosition] = []
        self._time = 1_000

    def write(self, name: str, data: bytes = b"", *, is_known: bool = False) -> FilePosition:
        """Write a file, and return a position at which it is finished."""
        path = self.path / name
        path.write_bytes(data)
        self._time += 1
        os.utime(path, (self._time, self._time))
        fingerprint = BLANK.after(data, len(data)).fingerprint()
        identity = identity_of(path.stat())
        position = FilePosition(len(self.known) + 1, str(path), *identity, fingerprint, len(data), finished=True)
        if is_known:
            self.known.append(position)
        return position

    def look(self) -> Beside:
        beside = Beside(self.known, [])
        beside.siblings = list_siblings([str(self.path / "a.log")], {position.inode for position in self.known})
        return beside

    def newcomers(self, last: Last) -> list[str]:
        return names(list(iter_newcomers(self.look(), last)))


def names(handles: Sequence[OpenFile]) -> list[str]:
    for handle in handles:
        handle.close()
    return [Path(handle.path).name for handle in handles]


def last_of(position: FilePosition) -> Last:
    return Last((position.device, position.inode), Path(position.path).stat().st_mtime_ns)


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    return Directory(tmp_path)


def test_those_with_a_lower_number_came_later_even_if_the_last_was_written_to_since(directory: Directory) -> None:
    directory.write("a.log.4", b"before\n")
    directory.write("a.log.2", b"two\n")
    directory.write("a.log.1", b"three\n")
    known = directory.write("a.log.3", b"one\nlate\n", is_known=True)
    assert directory.newcomers(last_of(known)) == ["a.log.2", "a.log.1"]


def test_without_numbers_those_came_later_that_were_written_later(directory: Directory) -> None:
    directory.write("a.log-20261121", b"before\n")
    known = directory.write("a.log-20261122", b"one\n", is_known=True)
    directory.write("a.log-20261123", b"two\n")
    directory.write("a.log-20261124", b"three\n")
    assert directory.newcomers(last_of(known)) == ["a.log-20261123", "a.log-20261124"]


def test_a_last_file_that_is_gone_is_remembered_by_when_it_was_written(directory: Directory) -> None:
    directory.write("a.log.2", b"before\n")
    gone = last_of(directory.write("a.log", b"one\n"))
    (directory.path / "a.log").unlink()
    directory.write("b.log")  # takes the inode
    directory.write("a.log.1", b"two\n")
    assert directory.newcomers(gone) == ["a.log.1"]


def test_another_file_with_the_inode_of_the_last_one_is_a_newcomer(directory: Directory) -> None:
    known = directory.write("a.log.1", b"one\n", is_known=True)
    last = last_of(known)
    directory.write("a.log.1", b"another\n")  # the same inode
    assert directory.newcomers(last) == ["a.log.1"]


def test_another_empty_file_with_the_inode_of_an_empty_last_one_is_not_that(directory: Directory) -> None:
    known = directory.write("a.log.2", is_known=True)
    last = last_of(known)
    directory.write("a.log.3", b"one\n")
    directory.write("a.log.2")  # the same inode, later
    assert directory.newcomers(last) == ["a.log.3"]


def test_finished_files_and_their_copies_are_none(directory: Directory) -> None:
    known = directory.write("a.log.3", b"one\n", is_known=True)
    directory.write("a.log.2", b"two\n", is_known=True)
    directory.write("a.log.1", b"two\n")
    assert directory.newcomers(last_of(known)) == []
    directory.write("a.log.1", b"two\nand more\n")
    assert directory.newcomers(last_of(known)) == ["a.log.1"]


def test_a_long_file_is_the_copy_of_a_finished_one_even_if_it_has_grown(directory: Directory) -> None:
    known = directory.write("a.log.2", b"one\n" * 1000, is_known=True)
    directory.write("a.log.1", b"one\n" * 1000 + b"more\n")
    assert directory.newcomers(last_of(known)) == []


def test_a_finished_empty_file_is_known_only_while_it_is_empty(directory: Directory) -> None:
    known = directory.write("a.log.3", b"one\n", is_known=True)
    directory.write("a.log.2", is_known=True)
    directory.write("a.log.1", is_known=True)
    assert directory.newcomers(last_of(known)) == []
    directory.write("a.log.1", b"two\n")  # the same inode
    assert directory.newcomers(last_of(known)) == ["a.log.1"]


def test_the_last_known_file_is_the_last_one_that_its_bytes_confirm(directory: Directory) -> None:
    directory.write("a.log.3", b"one\n", is_known=True)
    known = directory.write("a.log.2", b"two\n", is_known=True)
    blank = directory.write("a.log.1", b"three\n")
    directory.known.append(replace(blank, file_id=3, fingerprint=EMPTY_FINGERPRINT, byte_offset=0, finished=False))
    handle = Handle(str(directory.path / "a.log.1"))
    assert find_last_known(directory.look(), {3: handle}) == last_of(known)
    handle.close()


def test_where_only_inodes_speak_the_oldest_file_is_the_last_known(directory: Directory) -> None:
    blanks = [directory.write("a.log.2", is_known=True), directory.write("a.log.1", is_known=True)]
    assert find_last_known(directory.look(), {}) == last_of(blanks[0])


def test_without_a_known_file_there_is_no_last_one(directory: Directory) -> None:
    directory.write("a.log.1", b"before\n")
    assert find_last_known(directory.look(), {}) is None


def test_a_file_that_was_emptied_while_it_was_read_is_new_from_its_start(directory: Directory) -> None:
    position = directory.write("a.log.1", b"one\n")
    directory.write("a.log.1", b"another\n")  # the same inode
    emptied = open_emptied(directory.look(), [replace(position, finished=False)])
    assert emptied is not None
    handle, last = emptied
    assert names([handle]) == ["a.log.1"]
    assert last.identity == (position.device, position.inode)
    assert open_emptied(directory.look(), [replace(position, inode=1, finished=False)]) is None
