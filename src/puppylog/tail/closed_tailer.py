"""Stands in for the tailer of a source that is not open: not opened yet, closed while idle, or read to its end."""

import os
from collections.abc import Iterator
from typing import TypeAlias

from puppylog.tail.chunk import Chunk

PathState: TypeAlias = tuple[int, ...]
"""Of the file at a path: device, inode, size in bytes, time of change in nanoseconds. If `stat` fails: its errno."""


class ClosedTailer:
    """Has the methods of a `Tailer`, but holds no descriptor and reads nothing."""

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
            state: of the path when everything there had been read; None if there is something to read.
            problem: why the source could not be opened or read.
            unfinished_bytes: how much was read of the last line, which has no newline.
            is_ended: whether the source is never opened again.
        """
        self.path = path
        self.problem = problem
        self.unfinished_bytes = unfinished_bytes
        self.is_ended = is_ended
        self._state = state

    def has_changed(self) -> bool:
        """Return whether there may be something to read."""
        return not self.is_ended and (self._state is None or read_path_state(self.path) != self._state)

    def read(self, limit_bytes: int | None = None) -> Iterator[Chunk]:  # noqa: ARG002 - the signature of a tailer
        """Return no chunk."""
        return iter(())

    def backlog_bytes(self) -> int:
        """Return the size of the file at the path in bytes if it has changed, else 0.

        How much of the file was read before is not known here, so the size is an upper limit.
        """
        if not self.has_changed():
            return 0
        try:
            return os.stat(self.path).st_size  # noqa: PTH116 - see `read_path_state`
        except OSError:
            return 0

    def close(self) -> None:
        """Do nothing: no file is open."""


def read_path_state(path: str) -> PathState:
    """Return the state of the path now. It differs whenever the path has another file, or its file has changed."""
    try:
        status = os.stat(path)  # noqa: PTH116 - it takes a third of the time of pathlib, and runs for every idle file
    except OSError as error:
        return (error.errno or 0,)
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
