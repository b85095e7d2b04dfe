"""A file that may have been at the path: its directory entry, and its content when it is needed."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePath
from typing import Protocol

from puppylog.tail.compression import SUFFIXES
from puppylog.tail.handle import OpenFile
from puppylog.tail.rotation.names import RotatedName
from puppylog.tail.rotation.position import Identity


class Content(Protocol):
    """The content of a candidate. It is read only while it is opened."""

    def opened(self) -> AbstractContextManager[OpenFile | None]:
        """Open the file until the context ends.

        The result is None if the file may not be read, or is not compressed although its name says so.

        Raises:
            DirectoryChanged: the candidate's path has no file or another file now.
            OSError: the file cannot be opened now.
        """


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A regular file as it was when its directory was listed."""

    path: str
    identity: Identity
    size: int  # on disk, in bytes
    mtime_ns: int  # of its last change, in nanoseconds since the epoch
    rotated: RotatedName | None  # what its name tells, if rotation gives such names to the files of the path
    content: Content
    is_nearby: bool = False  # it is in another directory, where logrotate's `olddir` may have put it

    @property
    def is_rotated(self) -> bool:
        """Whether it has a name that rotation gives to the files of the path."""
        return self.rotated is not None

    @property
    def number(self) -> int | None:
        """The number in its name. 1 is the newest, unless `find_whether_numbers_grow` is true."""
        return None if self.rotated is None else self.rotated.number

    @property
    def date(self) -> str | None:
        """The digits of the date in its name, year first."""
        return None if self.rotated is None else self.rotated.date

    @property
    def is_extended(self) -> bool:
        """Whether the number or date is before the extension. The name may then be that of another program's log."""
        return self.rotated is not None and self.rotated.is_extended

    @property
    def is_compressed(self) -> bool:
        """Whether it has the name of a compressed file."""
        return self.path.endswith(SUFFIXES)

    @property
    def plain_path(self) -> str:
        """The path that the file had, or still has, before it was compressed."""
        return self.path[: self.path.rfind(".")]

    def is_newer_than(self, other: "Candidate", *, numbers_grow: bool = False) -> bool | None:
        """Return whether this file is newer by the number or date in its name; None if the names cannot be compared.

        Args:
            other: the other file.
            numbers_grow: whether the newest file has the greatest number, as `find_whether_numbers_grow` returns it.
        """
        if self.is_extended != other.is_extended:
            return None
        if self.number is not None and other.number is not None:
            if PurePath(self.path).parent != PurePath(other.path).parent:
                return None  # each directory has numbers of its own, as before and after `olddir` was configured
            return self.number > other.number if numbers_grow else self.number < other.number
        if self.date is not None and other.date is not None and len(self.date) == len(other.date):
            return self.date > other.date
        return None


def find_whether_numbers_grow(candidates: Sequence[Candidate]) -> bool | None:
    """Return whether rotation gives the newest file the greatest number, as log4j2 does, and not the number 1.

    Then each file was changed after all files with smaller numbers. Two files do not tell, because a program may still
    write to a file that was rotated: the result is None. Compression may set the times of change to its own, in any
    order, so compressed files are compared only if all files are compressed.
    """
    numbered = [candidate for candidate in candidates if candidate.number is not None]
    alike = [candidate for candidate in numbered if not candidate.is_compressed] or numbered
    alike.sort(key=lambda candidate: candidate.number or 0)
    if len(alike) < 2 or not all(older.mtime_ns < newer.mtime_ns for older, newer in pairwise(alike)):
        return False
    return True if len(alike) > 2 else None


class DirectoryChanged(Exception):
    """Files were renamed during the search, which must be repeated with a new listing of the directory."""
