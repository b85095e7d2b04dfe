"""What came before the file that stands at a path, and where reading goes on: found by inode and content.

A position goes on in the file that has its inode and still holds what the position was committed for: at the path, or
renamed beside it. Failing that, in a rotated file that holds the same, a copy. Failing that, its file is lost.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from puppylog.model.stream import HEAD_BYTES, FilePosition
from puppylog.tail.beside import Beside, position_identity
from puppylog.tail.handle import OpenFile
from puppylog.tail.identity import BLANK, Imprint, confirm
from puppylog.tail.newcomers import Last, find_last_known, iter_newcomers, open_emptied, open_newest_compressed
from puppylog.tail.siblings import Rearranged, Sibling, list_nearby, list_siblings, sort_siblings

# Rotation renames a chain of files within milliseconds; a directory that changes so often is no chain.
_TRIES = 20


@dataclass(frozen=True, slots=True)
class Found:
    """An open file, and where reading goes on in it."""

    handle: OpenFile
    imprint: Imprint
    position: FilePosition | None  # None: a file that is new to the store
    stream_id: int | None = None  # of another stream, to which the position belongs

    @property
    def is_certain(self) -> bool:
        """Whether its content says that it is the file of the position. An inode alone may be another file's by now."""
        return self.position is None or self.position.fingerprint.head_size > 0


@dataclass(slots=True)
class Succession:
    """Who comes before the file at the path. Whoever gets it owns its handles."""

    before: list[Found] = field(default_factory=list)  # rotated files with something left to read, oldest first
    standing: Found | None = None  # the file at the path
    lost: list[FilePosition] = field(default_factory=list)  # positions that no file answers to
    last: Last | None = None  # the newest file that is known to have stood at the path before


def find_succession(
    path: str,
    standing: OpenFile | None,
    known: Sequence[FilePosition],
    *,
    held: Sequence[OpenFile] = (),
    last: Last | None = None,
    before: Last | None = None,
) -> Succession:
    """Return what is to be read at the path and beside it.

    Args:
        path: whose directory is searched.
        standing: the file at the path; None while there is none, and then nothing is given up as lost.
        known: the positions of the stream in opening order; where the unfinished ones go on is asked.
        held: files that are being read anyway.
        last: the last file that was seen at the path; None to go by the known positions.
        before: the last file that was seen at the path before, should no known position be found.

    Raises:
        OSError: the search failed, and is to be repeated.
    """
    for _ in range(_TRIES):
        search = _Search(path, standing, known, held, last=last, before=before)
        try:
            return search.run()
        except Rearranged:
            search.close()
        except BaseException:
            search.close()
            raise
    raise BlockingIOError("the files in its directory are being renamed all the time")


class _Search:
    """One try."""

    def __init__(
        self,
        path: str,
        standing: OpenFile | None,
        known: Sequence[FilePosition],
        held: Sequence[OpenFile],
        *,
        last: Last | None,
        before: Last | None,
    ) -> None:
        self._path = path
        self._standing = standing
        self._known = known
        self._last = last
        self._before = before
        self._beside = Beside(known, [*held, *([standing] if standing else [])])
        self._found: dict[int, Found] = {}  # by file id
        self._new: list[Found] = []

    def run(self) -> Succession:
        if self._standing is not None:
            self._claim_at_path(self._standing)
        if not self._is_complete():
            self._beside.siblings = self._list_siblings()
            self._claim_renamed()
            self._claim_copied()
            self._claim_by_inode()
            if self._open_positions():
                self._claim_in_nearby_directories()
            self._last = self._last or self._find_last_known() or self._before
            if self._standing is not None and not self._is_certain_at_path():
                self._find_newcomers()
        return self._result()

    def close(self) -> None:
        """Close what was opened; the file at the path is its opener's."""
        for found in [*self._found.values(), *self._new]:
            if found.handle is not self._standing:
                found.handle.close()

    def _is_complete(self) -> bool:
        """Whether there is nothing to search for: no history, or all of it goes on at the path."""
        if not self._known and self._last is None:
            return True
        return self._is_certain_at_path() and not self._open_positions()

    def _open_positions(self) -> list[FilePosition]:
        """Return who has no file yet: the newest first, but those that an inode alone must speak for last."""
        absent = [position for position in self._known if not position.finished and position.file_id not in self._found]
        absent.reverse()
        return sorted(absent, key=lambda position: position.fingerprint.head_size == 0)

    def _at_path(self) -> Found | None:
        return next((found for found in self._found.values() if found.handle is self._standing), None)

    def _is_certain_at_path(self) -> bool:
        """Whether the file at the path goes on with a position, beyond doubt."""
        found = self._at_path()
        return found is not None and found.is_certain

    def _list_siblings(self) -> list[Sibling]:
        """Look beside the path, beside what it leads to as a link, and where the open positions were last seen."""
        positions = self._open_positions()
        paths = [self._path, os.path.realpath(self._path), *(position.path for position in positions)]
        return list_siblings(paths, {position.inode for position in positions})

    def _claim_at_path(self, handle: OpenFile) -> None:
        for position in self._open_positions():
            if position_identity(position) == handle.identity and self._claim(position, handle):
                return

    def _claim_renamed(self) -> None:
        for position in self._open_positions():
            for sibling in self._beside.free():
                if sibling.identity == position_identity(position) and position.fingerprint.head_size > 0:
                    self._claim_sibling(position, sibling)
                    break

    def _claim_copied(self, least_head: int = 1) -> None:
        """Look for the same content under another inode, or for the same inode on a device with a new number."""
        for position in self._open_positions():
            if position.fingerprint.head_size < least_head:
                continue
            siblings = [sibling for sibling in self._beside.free() if sibling.is_rotated]
            # While a file is being compressed it stands beside what becomes of it, and only one of them is whole.
            siblings.sort(key=lambda sibling: (sibling.identity[1] != position.inode, sibling.is_compressed))
            for sibling in siblings:
                if not self._beside.begins_like(sibling, position) or self._beside.is_finished(sibling):
                    continue
                if self._claim_sibling(position, sibling):
                    break
            else:
                self._claim_moved_to_path(position)

    def _claim_by_inode(self) -> None:
        """Where nothing was read, only the inode speaks, and inodes are used again: for any file, even for a copy."""
        for position in self._open_positions():
            for sibling in self._beside.free():
                is_certain = position.fingerprint.head_size > 0
                if is_certain or sibling.identity != position_identity(position) or not sibling.is_rotated:
                    continue
                if not self._beside.is_finished(sibling) and self._claim_sibling(position, sibling):
                    break

    def _claim_in_nearby_directories(self) -> None:
        """Look where logrotate's `olddir` may have moved files. A directory counts if a known file is found in it."""
        beside = list(self._beside.siblings)
        seen = {sibling.identity for sibling in beside}
        paths = [self._path, *list_nearby(self._path)]
        inodes = {position.inode for position in self._open_positions()}
        nearby = [sibling for sibling in list_siblings(paths, inodes) if sibling.identity not in seen]
        self._beside.siblings = nearby
        self._claim_renamed()
        self._claim_copied(HEAD_BYTES)  # logs of other programs lie there, and a few equal lines say nothing
        proven = {Path(sibling.path).parent for sibling in nearby if self._beside.is_taken(sibling)}
        moved = [sibling for sibling in nearby if Path(sibling.path).parent in proven]
        self._beside.siblings = sort_siblings([*beside, *moved])

    def _claim_moved_to_path(self, position: FilePosition) -> None:
        """Try the file at the path itself. There, a few equal lines are rather a new file that begins alike."""
        handle = self._standing
        if handle is None or self._at_path() is not None:
            return
        if handle.identity[1] == position.inode or position.fingerprint.head_size == HEAD_BYTES:
            self._claim(position, handle)

    def _claim_sibling(self, position: FilePosition, sibling: Sibling) -> bool:
        handle = sibling.open()
        if handle is None:
            return False
        if self._claim(position, handle):
            return True
        handle.close()
        return False

    def _claim(self, position: FilePosition, handle: OpenFile) -> bool:
        imprint = confirm(handle, position)
        if imprint is None:
            return False
        self._found[position.file_id] = Found(handle, imprint, position)
        self._beside.take(handle)
        return True

    def _find_last_known(self) -> Last | None:
        found_by_id = self._found.items()
        claimed = {file_id: found.handle for file_id, found in found_by_id if found.handle is not self._standing}
        return find_last_known(self._beside, claimed)

    def _find_newcomers(self) -> None:
        if self._last is None:
            positions = self._open_positions()
            first = open_emptied(self._beside, positions)
            if first is None and any(position.fingerprint.head_size == 0 for position in positions):
                first = open_newest_compressed(self._beside)
            if first is None:
                return
            handle, self._last = first
            self._new.append(Found(handle, BLANK, None))
        for handle in iter_newcomers(self._beside, self._last):
            self._new.append(Found(handle, BLANK, None))  # one by one: the next may fail, and these are to be closed

    def _result(self) -> Succession:
        at_path = self._at_path()
        before = [
            self._found[position.file_id]
            for position in self._known
            if position.file_id in self._found and self._found[position.file_id] is not at_path
        ]
        if self._standing is None:
            return Succession(before, last=self._last)
        standing = at_path or Found(self._standing, self._already_read(self._standing), None)
        return Succession([*before, *self._new], standing, self._open_positions()[::-1], self._last)

    def _already_read(self, handle: OpenFile) -> Imprint:
        """Return from where a file at the path is new: a finished one that was put back goes on where it ended."""
        for position in reversed(self._known):
            if position.finished and position.byte_offset > 0 and position_identity(position) == handle.identity:
                imprint = confirm(handle, position)
                if imprint is not None:
                    return imprint
        return BLANK
