"""Which rotated files are newer than the last known file, and which are from before the stream began."""

import gzip
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from puppylog.model.stream import EMPTY_FINGERPRINT, FilePosition
from puppylog.tail.checkpoint import START_OF_FILE
from puppylog.tail.handle import identity_of
from puppylog.tail.rotation.candidate import Candidate
from puppylog.tail.rotation.evidence import Evidence
from puppylog.tail.rotation.position import LastFile, ReadPosition, position_identity
from puppylog.tail.rotation.snapshot import list_candidates
from puppylog.tail.rotation.unseen import (
    CandidatePool,
    find_last_by_inode,
    find_last_known,
    take_changed_later,
    take_emptied,
    take_newer,
)


class Directory:
    """Rotated files of ``a.log``. Each has a later time of change than the file before."""

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
        fingerprint = START_OF_FILE.after(data, len(data)).fingerprint()
        identity = identity_of(path.stat())
        position = FilePosition(len(self.known) + 1, str(path), *identity, fingerprint, len(data), finished=True)
        if is_known:
            self.known.append(position)
        return position

    def pool(self) -> CandidatePool:
        candidates = list_candidates([str(self.path / "a.log")], {position.inode for position in self.known})
        return CandidatePool([ReadPosition.of(position) for position in self.known], candidates, [], None, Evidence())

    def newer(self, last: LastFile) -> list[str]:
        return [name(candidate) for candidate in take_newer(self.pool(), last)]


def name(candidate: Candidate) -> str:
    return Path(candidate.path).name


def last_of(position: FilePosition) -> LastFile:
    return LastFile(position_identity(position), Path(position.path).stat().st_mtime_ns)


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    return Directory(tmp_path)


def test_files_with_a_lower_number_are_newer_even_if_the_last_known_file_has_grown(directory: Directory) -> None:
    directory.write("a.log.4", b"before\n")
    directory.write("a.log.2", b"two\n")
    directory.write("a.log.1", b"three\n")
    known = directory.write("a.log.3", b"one\nlate\n", is_known=True)
    assert directory.newer(last_of(known)) == ["a.log.2", "a.log.1"]


def test_files_without_numbers_are_newer_by_their_dates(directory: Directory) -> None:
    directory.write("a.log-20261121", b"before\n")
    known = directory.write("a.log-20261122", b"one\n", is_known=True)
    directory.write("a.log-20261123", b"two\n")
    directory.write("a.log-20261124", b"three\n")
    assert directory.newer(last_of(known)) == ["a.log-20261123", "a.log-20261124"]


def test_a_deleted_last_file_is_compared_by_its_time_of_change(directory: Directory) -> None:
    directory.write("a.log.2", b"before\n")
    gone = last_of(directory.write("a.log", b"one\n"))
    (directory.path / "a.log").unlink()
    directory.write("b.log")  # takes the inode
    directory.write("a.log.1", b"two\n")
    assert directory.newer(gone) == ["a.log.1"]


def test_another_file_with_the_inode_of_the_last_file_is_newer(directory: Directory) -> None:
    known = directory.write("a.log.1", b"one\n", is_known=True)
    last = last_of(known)
    directory.write("a.log.1", b"another\n")  # the same inode
    assert directory.newer(last) == ["a.log.1"]


def test_an_empty_file_with_the_inode_of_an_empty_last_file_is_another_file_if_it_has_changed(
    directory: Directory,
) -> None:
    known = directory.write("a.log.2", is_known=True)
    last = last_of(known)
    directory.write("a.log.3", b"one\n")
    directory.write("a.log.2")  # the same inode, later
    assert directory.newer(last) == ["a.log.3"]


def test_finished_files_and_their_copies_are_not_newer(directory: Directory) -> None:
    known = directory.write("a.log.3", b"one\n", is_known=True)
    directory.write("a.log.2", b"two\n", is_known=True)
    directory.write("a.log.1", b"two\n")
    assert directory.newer(last_of(known)) == []
    directory.write("a.log.1", b"two\nand more\n")
    assert directory.newer(last_of(known)) == ["a.log.1"]


def test_a_long_file_is_the_copy_of_a_finished_one_even_if_it_has_grown(directory: Directory) -> None:
    # Unique bytes: tailers of other tests search the directories next to theirs, and this one is among them.
    long = b"a line of a long file that was copied\n" * 100
    known = directory.write("a.log.2", long, is_known=True)
    directory.write("a.log.1", long + b"more\n")
    assert directory.newer(last_of(known)) == []


def test_a_finished_empty_file_is_known_only_while_it_is_empty(directory: Directory) -> None:
    known = directory.write("a.log.3", b"one\n", is_known=True)
    directory.write("a.log.2", is_known=True)
    directory.write("a.log.1", is_known=True)
    assert directory.newer(last_of(known)) == []
    directory.write("a.log.1", b"two\n")  # the same inode
    assert directory.newer(last_of(known)) == ["a.log.1"]


def test_the_last_known_file_is_the_last_one_that_its_content_confirms(directory: Directory) -> None:
    directory.write("a.log.3", b"one\n", is_known=True)
    known = directory.write("a.log.2", b"two\n", is_known=True)
    last = directory.write("a.log.1", b"three\n")
    directory.known.append(replace(last, file_id=3, fingerprint=EMPTY_FINGERPRINT, byte_offset=0, finished=False))
    pool = directory.pool()
    found = next(candidate for candidate in pool.candidates if name(candidate) == "a.log.1")
    assert find_last_known(pool, [(list(pool.known)[-1], found)]) == last_of(known)


def test_of_files_that_match_by_inode_alone_the_oldest_is_the_last_known(directory: Directory) -> None:
    by_inode = [directory.write("a.log.2", is_known=True), directory.write("a.log.1", is_known=True)]
    assert find_last_known(directory.pool(), []) is None
    assert find_last_by_inode(directory.pool(), []) == last_of(by_inode[0])


def test_without_a_known_file_on_disk_the_files_that_were_changed_after_its_registration_are_newer(
    directory: Directory,
) -> None:
    directory.write("a.log.3", b"before\n")
    gone = directory.write("a.log", is_known=True)
    Path(gone.path).unlink()
    registered_at = 1_010.0  # longer after the file before than an answer of a store may take
    directory.known[0] = replace(gone, finished=False, opened_ago_s=time.time() - registered_at)
    for number in (2, 1):
        path = directory.path / f"a.log.{number}"
        path.write_bytes(b"later %d\n" % number)
        os.utime(path, (registered_at + 10 - number,) * 2)
    assert [name(candidate) for candidate in take_changed_later(directory.pool())] == ["a.log.2", "a.log.1"]
    directory.known[0] = replace(gone, opened_ago_s=None)
    assert take_changed_later(directory.pool()) == []


def test_without_a_known_file_there_is_no_last_known_file(directory: Directory) -> None:
    directory.write("a.log.1", b"before\n")
    assert find_last_known(directory.pool(), []) is None


def test_a_file_that_was_emptied_while_it_was_read_is_new_from_its_start(directory: Directory) -> None:
    position = directory.write("a.log.1", b"one\n")
    directory.write("a.log.1", b"another\n")  # the same inode
    emptied = take_emptied(directory.pool(), [ReadPosition.of(replace(position, finished=False))])
    assert emptied is not None
    assert (name(emptied), emptied.identity) == ("a.log.1", position_identity(position))
    assert take_emptied(directory.pool(), [ReadPosition.of(replace(position, inode=1, finished=False))]) is None


def test_an_empty_compressed_file_that_got_the_inode_of_the_last_known_file_is_not_that_file(
    directory: Directory,
) -> None:
    last = last_of(directory.write("a.log", is_known=True))
    directory.write("a.log.2", b"written later\n")
    reused = directory.path / "a.log"
    reused.write_bytes(gzip.compress(b""))
    reused.rename(directory.path / "a.log.1.gz")
    os.utime(directory.path / "a.log.1.gz", (2_000, 2_000))
    assert directory.newer(last) == ["a.log.2"]
