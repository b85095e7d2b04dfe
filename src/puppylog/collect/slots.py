"""Limits how many log files are open at once, so that the process stays within its limit on descriptors."""

from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from puppylog.tail.descriptors import allow_many_files

_RESERVE: Final = 64
"""Descriptors for other uses: the store, its spool files, and directories and rotated files during a search."""

_DESCRIPTORS_EACH: Final = 3
"""Descriptors that one source needs: the newest rotated file is kept open, and after a rotation the file before it for
some seconds more. All files may be rotated at the same time."""

_MIN_OPEN: Final = 8
_MAX_TRIED: Final = 32  # how many open sources are tried when one has to be closed: each try costs a check


class Closable(Protocol):
    """A source that can be open or closed."""

    def close_at_rest(self) -> bool:
        """Close the source if all of it was read; return whether it is closed."""


class Slots:
    """The open sources. When the limit is reached and another source has to be opened, an idle one is closed."""

    def __init__(self, limit: int | None = None, *, on_full: Callable[[], None] = lambda: None) -> None:
        """Prepare.

        Args:
            limit: how many sources may be open; None: as many as the process's limit on descriptors allows.
            on_full: called when the limit is reached for the first time.
        """
        self.descriptors = allow_many_files()
        """How many files the process may have open."""
        in_use = sum(1 for _ in Path("/dev/fd").iterdir())
        possible = (self.descriptors - in_use - _RESERVE) // _DESCRIPTORS_EACH
        self.limit = max(_MIN_OPEN, possible) if limit is None else limit
        self._on_full: Callable[[], None] | None = on_full
        self._open: dict[Closable, None] = {}  # the source that has not grown for the longest time is first

    def take(self, source: Closable) -> bool:
        """Return whether the source may be opened now."""
        if source in self._open or len(self._open) < self.limit or self._close_one():
            self._open[source] = None
            return True
        return False

    def touch(self, source: Closable) -> None:
        """Note that an open source has grown. It is the last to be closed now."""
        if source in self._open:
            del self._open[source]
            self._open[source] = None

    def release(self, source: Closable) -> None:
        """Note that a source was closed. It is OK to call this twice."""
        self._open.pop(source, None)

    def _close_one(self) -> bool:
        if self._on_full is not None:
            self._on_full()
            self._on_full = None
        for source in list(self._open)[:_MAX_TRIED]:
            self.touch(source)  # moved to the end: all others are tried before it is tried again
            if source.close_at_rest():
                self.release(source)
                return True
        return False
