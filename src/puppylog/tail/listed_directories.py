"""Tells whether the directories in which a pattern was searched have other entries now.

Reading the time of a directory costs far less than listing its entries, so a collector of many idle files searches
its patterns again only when a directory has changed.
"""

import os
import time
from collections.abc import Callable
from typing import Final, TypeAlias

_State: TypeAlias = tuple[int, int, int] | None  # device, inode, time of the last change in ns; None: not readable

_GRAIN_NS: Final = 3_000_000_000
"""The coarsest time stamps of a file system have 2 seconds. A directory that changed so shortly before it was listed
may change again and keep its time."""


class ListedDirectories:
    """The directories that one search has listed."""

    def __init__(self, clock_ns: Callable[[], int] = time.time_ns) -> None:
        """Start without directories.

        Args:
            clock_ns: returns the time in nanoseconds since the epoch. It may be set back.
        """
        self._clock_ns = clock_ns
        self._states: dict[str, _State] = {}
        self._is_recent = False  # a directory had changed shortly before it was listed

    def note(self, directory: str) -> None:
        """Note a directory. Call this before it is listed, so that no change during the listing is missed."""
        state = self._states[directory] = _read_state(directory)
        self._is_recent |= state is not None and abs(self._clock_ns() - state[2]) < _GRAIN_NS

    def have_changed(self) -> bool:
        """Return whether any of the directories may have other entries than when it was listed."""
        return self._is_recent or any(_read_state(directory) != state for directory, state in self._states.items())


def _read_state(directory: str) -> _State:
    try:
        status = os.stat(directory)  # noqa: PTH116 - a third of the time of pathlib, for each directory of a pattern
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_mtime_ns
