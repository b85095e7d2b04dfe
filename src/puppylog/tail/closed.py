"""A source that holds no descriptor: not opened yet, closed while it is at rest, or read to its end."""

import os
from collections.abc import Iterator
from typing import TypeAlias

from puppylog.tail.chunk import Chunk

PathState: TypeAlias = tuple[int, ...]
"""Device, inode, size and time of change of the file at a path, or why there is none."""


class ClosedTailer:
    """Stands in for a `Tailer`: there is nothing to read from it until it is opened."""

    has_more = False

    def __init__(
        self,
        path: str,
        *,
        state: PathState | None = None,
        problem: str | None = None,
        unfinished_bytes: int = 0,
        is_ended: bool = False,
    ) -> None:
        """Remember a source.

        Args:
            path: of the source.
            state: what stood there when everything of it had been read; None if something is to be read.
            problem: why it could not be opened or read.
            unfinished_bytes: of its last line.
            is_ended: it will not be opened again.
        """
        self.path = path
        self.problem = problem
        self.unfinished_bytes = unfinished_bytes
        self.is_ended = is_ended
        self._state = state

    def has_changed(self) -> bool:
        """Whether there may be something to read."""
        return not self.is_ended and (self._state is None or read_path_state(self.path) != self._state)

    def read(self, limit_bytes: int | None = None) -> Iterator[Chunk]:  # noqa: ARG002 - as a tailer has it
        """Give nothing."""
        return iter(())

    def backlog_bytes(self) -> int:
        """How many bytes lie at the path, if they are to be read; what was read of them before is not known here."""
        if not self.has_changed():
            return 0
        try:
            return os.stat(self.path).st_size  # noqa: PTH116 - see `read_path_state`
        except OSError:
            return 0

    def close(self) -> None:
        """There is nothing to close."""


def read_path_state(path: str) -> PathState:
    """Return what stands at the path now; another value whenever the file, or anything in it, is another."""
    try:
        status = os.stat(path)  # noqa: PTH116 - a third of the cost, and this is what idle files cost
    except OSError as error:
        return (error.errno or 0,)
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
