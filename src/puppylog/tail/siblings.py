"""The files beside a path: those that rotation has made of it, and those that have an inode we look for.

Compressed files are not among them yet: their inode and their bytes are new, so they need a search of their own here.
"""

import os
import re
import stat
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from puppylog.tail.handle import Handle, identity_of, signed64

# .1  .2026-11-23T18:00  .old  -20261123; not .1.gz, and not the -1 of a second program's live log.
_SUFFIX = re.compile(r"\.old|\.\d[\d.\-_:T]*|[\-_](?:\d{6}|\d{4}[\-_.]\d\d)[\d.\-_:T]*")
_NUMBER = re.compile(r"\.(\d{1,3})")


@dataclass(frozen=True, slots=True)
class Sibling:
    """A regular file in the directory of the path, as it was listed."""

    path: str
    identity: tuple[int, int]
    size: int
    mtime_ns: int
    is_rotated: bool  # it is named as rotation names the files of the path
    number: int | None  # of a rotation that numbers: 1 is the newest

    def open(self) -> Handle | None:
        """Open it; None if we may not.

        Raises:
            Rearranged: the name belongs to another file by now, or to none.
            OSError: it cannot be opened now.
        """
        try:
            handle = Handle(self.path)
        except PermissionError:
            return None
        except FileNotFoundError:
            raise Rearranged(f"{self.path} is gone") from None
        if handle.identity != self.identity:
            handle.close()
            raise Rearranged(f"{self.path} is another file by now")
        return handle


class Rearranged(Exception):
    """Files were renamed while we looked. It is time to look again."""


def is_rotation_of(base: str, name: str) -> bool:
    """Whether rotation gives such a name to the file called ``base``, and leaves it uncompressed."""
    return name.startswith(base) and _SUFFIX.fullmatch(name, len(base)) is not None


def list_bases(path: str) -> list[str]:
    """Return the paths that this one is a rotated file of, going by its name."""
    start = path.rfind("/") + 2
    return [path[:at] for at in range(start, len(path)) if _SUFFIX.fullmatch(path, at)]


def list_siblings(path: str, inodes: Collection[int]) -> list[Sibling]:
    """Return the rotated files of the path and those with one of the inodes, but never the path itself.

    The one that was last written comes last; of two that were written at the same instant, the one with the lower
    number or the later date in its name.

    Raises:
        Rearranged: a chain of files is being renamed, and one of them may have moved behind our back.
        OSError: the directory cannot be listed.
    """
    at = Path(path)
    entries = _scan(at, inodes)
    siblings = [sibling for name, _ in entries if (sibling := _look_at(at, name)) is not None]
    if _scan(at, inodes) != entries:
        raise Rearranged(f"{at.parent} has changed")
    return sorted(siblings, key=lambda sibling: (sibling.mtime_ns, -(sibling.number or 0), sibling.path))


def _scan(path: Path, inodes: Collection[int]) -> set[tuple[str, int]]:
    with os.scandir(path.parent) as entries:
        return {
            (entry.name, entry.inode())
            for entry in entries
            if entry.name != path.name and (is_rotation_of(path.name, entry.name) or signed64(entry.inode()) in inodes)
        }


def _look_at(path: Path, name: str) -> Sibling | None:
    found = path.parent / name
    try:
        status = found.stat()
    except OSError:
        return None  # gone again, or none of ours
    if not stat.S_ISREG(status.st_mode):
        return None
    number = _NUMBER.fullmatch(name, len(path.name))
    return Sibling(
        str(found),
        identity_of(status),
        status.st_size,
        status.st_mtime_ns,
        is_rotated=is_rotation_of(path.name, name),
        number=int(number[1]) if number else None,
    )
