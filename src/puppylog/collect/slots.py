"""How many log files are open at once: no more than the process's limit on descriptors has room for."""

from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from puppylog.tail.descriptors import allow_many_files

_RESERVE: Final = 64
"""Descriptors for everything else: the store, its spool files, directories and rotated files that are looked at."""

_DESCRIPTORS_EACH: Final = 2
"""A file takes one descriptor; for some seconds after a rotation, the rotated file takes another one. All files may be
rotated at once."""

_LEAST_OPEN: Final = 8
_MOST_TRIED: Final = 32  # of the open sources, when one of them is to be closed: each costs a look


class Closable(Protocol):
    """A source that can be open or closed."""

    def close_at_rest(self) -> bool:
        """Close the source if everything of it is read; return whether it is closed."""


class Slots:
    """The open sources. When there is no room for another one, one that is at rest is closed."""

    def __init__(self, limit: int | None = None, *, on_full: Callable[[], None] = lambda: None) -> None:
        """Prepare.

        Args:
            limit: how many sources may be open; None: what the process may have, once its limit is raised.
            on_full: called when there is no room for a source for the first time.
        """
        self.descriptors = allow_many_files()
        """How many files the process may have open."""
        in_use = sum(1 for _ in Path("/dev/fd").iterdir())
        room = (self.descriptors - in_use - _RESERVE) // _DESCRIPTORS_EACH
        self.limit = max(_LEAST_OPEN, room) if limit is None else limit
        self._on_full: Callable[[], None] | None = on_full
        self._open: dict[Closable, None] = {}  # in the order in which they were last seen to grow

    def take(self, source: Closable) -> bool:
        """Return whether the source may be opened now."""
        if source in self._open or len(self._open) < self.limit or self._close_one():
            self._open[source] = None
            return True
        return False

    def touch(self, source: Closable) -> None:
        """Note that an open source has grown: others are closed before it."""
        if source in self._open:
            del self._open[source]
            self._open[source] = None

    def release(self, source: Closable) -> None:
        """Note that a source was closed. It is OK to note it twice."""
        self._open.pop(source, None)

    def _close_one(self) -> bool:
        if self._on_full is not None:
            self._on_full()
            self._on_full = None
        for source in list(self._open)[:_MOST_TRIED]:
            self.touch(source)  # its turn to be tried comes again when all others were
            if source.close_at_rest():
                self.release(source)
                return True
        return False
