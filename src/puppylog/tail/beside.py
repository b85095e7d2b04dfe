"""The files beside a path in one look, and whose they are: spoken for, finished, or new."""

import contextlib
from collections.abc import Iterator, Sequence

from puppylog.model.stream import HEAD_BYTES, FilePosition, hash_bytes
from puppylog.tail.copies import is_beginning_of, is_copy_of
from puppylog.tail.handle import OpenFile
from puppylog.tail.identity import confirm
from puppylog.tail.siblings import Sibling


class Beside:
    """What was found in the directory. Every method may raise `Rearranged`, and the look is worth nothing then."""

    def __init__(self, known: Sequence[FilePosition], held: Sequence[OpenFile]) -> None:
        self.known = known
        self.held = list(held)
        """Files that are open already: being read, standing at the path, or the answer to an open position."""
        self.siblings: Sequence[Sibling] = ()
        self._heads: dict[str, bytes] = {}
        self._copies: dict[tuple[str, int], bool] = {}  # whether a path is a copy of a finished file, by its id

    def take(self, handle: OpenFile) -> None:
        """Let nobody else have this file."""
        self.held.append(handle)

    def is_taken(self, sibling: Sibling) -> bool:
        return any(handle.identity == sibling.identity for handle in self.held)

    def free(self) -> Iterator[Sibling]:
        """Give those that nobody speaks for, the oldest first."""
        return (sibling for sibling in self.siblings if not self.is_taken(sibling))

    def begins_like(self, sibling: Sibling, position: FilePosition) -> bool:
        """Whether the file may be the one of the position, going by its first bytes."""
        fingerprint = position.fingerprint
        head = self._head(sibling)[: fingerprint.head_size]
        return len(head) == fingerprint.head_size and hash_bytes(head) == fingerprint.head_hash

    def is_finished(self, sibling: Sibling) -> bool:
        """Whether the store has all of this file, going by its inode and content, or as a copy by its content."""
        return any(self.is_finished_as(sibling, position) for position in self.known if position.finished)

    def is_finished_as(self, sibling: Sibling, position: FilePosition) -> bool:
        """Whether this file is the one of the finished position."""
        if position_identity(position) != sibling.identity:
            return sibling.is_rotated and self._is_copy(sibling, position)
        handle = sibling.open()
        if handle is None:
            return False
        with contextlib.closing(handle):
            # Of a file that was empty to its end we know only the inode, so it must still be empty.
            return confirm(handle, position) is not None and (position.byte_offset > 0 or not handle.read(1, 0))

    def is_copy_of_held(self, sibling: Sibling, handle: OpenFile) -> bool:
        """Whether this is a compressed copy of a file that is open here, or that stands beside it while it is made."""
        if not sibling.is_compressed:
            return False
        if any(is_beginning_of(handle, held) for held in self.held):
            return True
        for plain in self.siblings:
            if plain.path == sibling.plain_path and (original := plain.open()) is not None:
                with contextlib.closing(original):
                    return is_beginning_of(handle, original)
        return False

    def open_new(self, sibling: Sibling) -> OpenFile | None:
        """Open and take a file that is new to the store; None if it is a copy of one that is not, or unreadable."""
        handle = sibling.open()
        if handle is None:
            return None
        try:
            is_known = self.is_copy_of_held(sibling, handle) or self.is_finished(sibling)
        except BaseException:
            handle.close()
            raise
        if is_known:
            handle.close()
            return None
        self.take(handle)
        return handle

    def _is_copy(self, sibling: Sibling, position: FilePosition) -> bool:
        if not self.begins_like(sibling, position):
            return False
        key = sibling.path, position.file_id
        if key not in self._copies:
            handle = sibling.open()
            if handle is None:
                return False
            with contextlib.closing(handle):
                self._copies[key] = is_copy_of(handle, position)
        return self._copies[key]

    def _head(self, sibling: Sibling) -> bytes:
        if sibling.path not in self._heads:
            handle = sibling.open()
            if handle is None:
                return b""
            with contextlib.closing(handle):
                self._heads[sibling.path] = handle.read(HEAD_BYTES, 0)
        return self._heads[sibling.path]


def position_identity(position: FilePosition) -> tuple[int, int]:
    return position.device, position.inode
