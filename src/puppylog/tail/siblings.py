"""The files beside a path: those that rotation has made of it, and those that have an inode we look for."""

import os
import stat
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from puppylog.tail.compression import SUFFIXES
from puppylog.tail.decompressed import open_log
from puppylog.tail.handle import OpenFile, identity_of
from puppylog.tail.rotated_names import RotatedName, parse_rotated_name

_MOST_NEARBY = 200  # directories: each is listed twice when a file is looked for


@dataclass(frozen=True, slots=True)
class Sibling:
    """A regular file in the directory of the path, as it was listed."""

    path: str
    identity: tuple[int, int]
    size: int  # on disk
    mtime_ns: int
    rotated: RotatedName | None  # it is named as rotation names the files of the path

    @property
    def is_rotated(self) -> bool:
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
        """Where a compressed file stood, or still stands, before it was compressed."""
        return self.path[: self.path.rfind(".")]

    def is_newer_than(self, other: "Sibling") -> bool | None:
        """Go by the names; None if they do not say it."""
        if self.is_extended != other.is_extended:
            return None
        if self.number is not None and other.number is not None:
            return self.number < other.number
        if self.date is not None and other.date is not None and len(self.date) == len(other.date):
            return self.date > other.date
        return None

    def open(self) -> OpenFile | None:
        """Open it; None if we may not, or if it is not compressed although its name says so.

        Raises:
            Rearranged: the name belongs to another file by now, or to none.
            OSError: it cannot be opened now.
        """
        try:
            handle = open_log(self.path)
        except PermissionError:
            return None
        except FileNotFoundError:
            raise Rearranged(f"{self.path} is gone") from None
        if handle.identity != self.identity:
            handle.close()
            raise Rearranged(f"{self.path} is another file by now")
        if self.is_compressed and not handle.is_compressed:
            handle.close()
            return None
        return handle


class Rearranged(Exception):
    """Files were renamed while we looked. It is time to look again."""


def list_siblings(paths: Sequence[str], inodes: Collection[int]) -> list[Sibling]:
    """Return the rotated files of the paths and, beside them, those with one of the inodes; never the first path.

    The one that was last written comes last; of two that were written at the same instant, the one with the lower
    number or the later date in its name.

    Args:
        paths: the path, and others that its file has or had, such as the target of a link.
        inodes: signed, as `identity_of` has them.

    Raises:
        Rearranged: a chain of files is being renamed, and one of them may have moved behind our back.
        OSError: a directory cannot be listed.
    """
    siblings: dict[tuple[int, int], Sibling] = {}
    for path in dict.fromkeys(paths):
        try:
            beside = _list_beside(Path(path), inodes)
        except PermissionError:
            continue  # we may read the file, but not list its directory
        except (FileNotFoundError, NotADirectoryError):
            if path == paths[0]:
                raise
            continue  # it has left nothing
        for sibling in beside:
            if sibling.path != paths[0] and (sibling.identity not in siblings or sibling.is_rotated):
                siblings[sibling.identity] = sibling
    return sort_siblings(siblings.values())


def sort_siblings(siblings: Iterable[Sibling]) -> list[Sibling]:
    """Return them in the order that `list_siblings` gives."""
    return sorted(
        siblings, key=lambda sibling: (sibling.mtime_ns, -(sibling.number or 0), sibling.date or "", sibling.path)
    )


def list_nearby(path: str) -> list[str]:
    """Return the path's name in the directories below that of the path, and beside it.

    Logrotate's `olddir` is one of them, as a rule: ``old`` or ``../old``. Of very many directories, some are left out.
    """
    directory = Path(path).parent
    found: dict[str, None] = {}
    for parent in (directory, directory.parent):
        try:
            with os.scandir(parent) as entries:
                found.update((entry.path, None) for entry in entries if entry.is_dir(follow_symlinks=False))
        except OSError:
            continue  # what we may not list, we cannot search
    found.pop(str(directory), None)
    return [f"{found_in}/{Path(path).name}" for found_in in islice(found, _MOST_NEARBY)]


def _list_beside(path: Path, inodes: Collection[int]) -> list[Sibling]:
    entries = _scan(path, inodes)
    siblings = [sibling for name, _ in entries if (sibling := _look_at(path, name)) is not None]
    if _scan(path, inodes) != entries:
        raise Rearranged(f"{path.parent} has changed")
    return siblings


def _scan(path: Path, inodes: Collection[int]) -> set[tuple[str, int]]:
    # Thousands of files in one directory are scanned for each of them, so there is little to do for an entry.
    base, stem, wanted = path.name, path.stem, {inode % 2**64 for inode in inodes}
    with os.scandir(path.parent) as entries:
        return {
            (entry.name, entry.inode())
            for entry in entries
            if entry.inode() in wanted
            or (entry.name.startswith(stem) and parse_rotated_name(base, entry.name) is not None)
        }


def _look_at(path: Path, name: str) -> Sibling | None:
    found = path.parent / name
    try:
        status = found.stat()
    except OSError:
        return None  # gone again, or none of ours
    if not stat.S_ISREG(status.st_mode):
        return None
    rotated = parse_rotated_name(path.name, name)
    return Sibling(str(found), identity_of(status), status.st_size, status.st_mtime_ns, rotated)
