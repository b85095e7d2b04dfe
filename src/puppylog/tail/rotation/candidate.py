"""A file that may have stood at the path: what its directory says of it, and its content for whom asks."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from puppylog.tail.compression import SUFFIXES
from puppylog.tail.handle import OpenFile
from puppylog.tail.rotation.names import RotatedName
from puppylog.tail.rotation.place import Identity


class Content(Protocol):
    """What a candidate holds. Nothing of it is read before it is opened."""

    def opened(self) -> AbstractContextManager[OpenFile | None]:
        """Open the file for as long as the context lasts; None if it may not be read, or is not what its name says.

        Raises:
            DirectoryChanged: another file, or none, stands at the candidate's path by now.
            OSError: the file cannot be opened now.
        """


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A regular file as it was listed."""

    path: str
    identity: Identity
    size: int  # on disk, in bytes
    mtime_ns: int
    rotated: RotatedName | None  # what its name says, if rotation gives such names to files of the path
    content: Content
    is_nearby: bool = False  # it lies in another directory, where logrotate's `olddir` may have put it

    @property
    def is_rotated(self) -> bool:
        """Whether it is named as rotation names the files of the path."""
        return self.rotated is not None

    @property
    def number(self) -> int | None:
        """The number in its name: 1 is the newest."""
        return None if self.rotated is None else self.rotated.number

    @property
    def date(self) -> str | None:
        """The digits of the date in its name, year first."""
        return None if self.rotated is None else self.rotated.date

    @property
    def is_extended(self) -> bool:
        """Whether number or date stand before the extension, as they may in the name of another program's log."""
        return self.rotated is not None and self.rotated.is_extended

    @property
    def is_compressed(self) -> bool:
        """Whether its name says so."""
        return self.path.endswith(SUFFIXES)

    @property
    def plain_path(self) -> str:
        """The path that the file had, or still has, before it was compressed."""
        return self.path[: self.path.rfind(".")]

    def is_newer_than(self, other: "Candidate") -> bool | None:
        """Compare the numbers or dates of the names; None if the names cannot be compared."""
        if self.is_extended != other.is_extended:
            return None
        if self.number is not None and other.number is not None:
            return self.number < other.number
        if self.date is not None and other.date is not None and len(self.date) == len(other.date):
            return self.date > other.date
        return None


class DirectoryChanged(Exception):
    """Files were renamed while they were looked at. The directory must be listed again."""
