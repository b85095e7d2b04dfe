"""The files beside a path in one look, and whose they are: spoken for, finished, or new."""

import contextlib
from collections.abc import Iterator, Sequence

from puppylog.model.stream import HEAD_BYTES, FilePosition
from puppylog.tail.handle import Handle
from puppylog.tail.identity import confirm
from puppylog.tail.siblings import Sibling


class Beside:
    """What was found in the directory. Every method may raise `Rearranged`, and the look is worth nothing then."""

    def __init__(self, known: Sequence[FilePosition], taken: set[tuple[int, int]]) -> None:
        self.known = known
        self.taken = taken
        """The identities of files that are spoken for: being read, or the answer to an open position."""
        self.siblings: Sequence[Sibling] = ()

    def free(self) -> Iterator[Sibling]:
        """Give those that nobody speaks for, the oldest first."""
        return (sibling for sibling in self.siblings if sibling.identity not in self.taken)

    def is_finished(self, sibling: Sibling) -> bool:
        """Whether the store has all of this file, going by its inode and its content."""
        positions = [known for known in self.known if known.finished and position_identity(known) == sibling.identity]
        if not positions:
            return False
        handle = sibling.open()
        if handle is None:
            return False
        with contextlib.closing(handle):
            # Of a file that was empty to its end we know only the inode, so it must still be empty.
            return any(
                confirm(handle, position) is not None and (position.byte_offset > 0 or sibling.size == 0)
                for position in positions
            )

    def open_new(self, sibling: Sibling) -> Handle | None:
        """Open and take a file that is new to the store; None if it is a copy of a finished one, or unreadable."""
        handle = sibling.open()
        if handle is None:
            return None
        if any(_is_copy(handle, sibling, position) for position in self.known if position.finished):
            handle.close()
            return None
        self.taken.add(sibling.identity)
        return handle


def position_identity(position: FilePosition) -> tuple[int, int]:
    return position.device, position.inode


def _is_copy(handle: Handle, sibling: Sibling, finished: FilePosition) -> bool:
    """Whether the file is a copy of a finished one. A small file says little: then it must be no longer, either."""
    head_size = finished.fingerprint.head_size
    if head_size == 0 or (head_size < HEAD_BYTES and sibling.size != finished.byte_offset):
        return False
    return confirm(handle, finished) is not None
