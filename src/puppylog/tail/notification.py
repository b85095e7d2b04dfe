"""Notification of changes to paths, by inotify on Linux.

Notification only makes a collector react faster. Network file systems, writes through mapped memory and other kernels
give none, so a collector also polls every file. If the queue of events overflows, any path may have changed. If
the system allows no further watch, the caller is told which limit was reached.
"""

import ctypes
import errno
import os
import select
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

_CLOEXEC_NONBLOCK: Final = os.O_CLOEXEC | os.O_NONBLOCK
_MODIFY, _ATTRIB, _MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x2, 0x4, 0x40, 0x80, 0x100, 0x200
_ONLY_DIRECTORIES = 0x01000000
_EVENTS: Final = _MODIFY | _ATTRIB | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE | _ONLY_DIRECTORIES
_OVERFLOW, _IGNORED = 0x4000, 0x8000  # the queue was full; the watch was removed
_EVENT: Final = struct.Struct("iIII")  # watch, mask, cookie, length of the name that follows
_READ_BYTES: Final = 64 << 10

# The errors of inotify(7) that mean a limit, for another instance and for another watch, and the name of the limit.
_INSTANCE_LIMITS: Final = {
    errno.EMFILE: "fs.inotify.max_user_instances, or ulimit -n",
    errno.ENFILE: "fs.file-max",
    errno.ENOMEM: "the kernel's memory",
}
_WATCH_LIMITS: Final = {errno.ENOSPC: "fs.inotify.max_user_watches", errno.ENOMEM: "the kernel's memory"}


class Notification:
    """Watches the directories of paths. If the kernel cannot notify, no change is reported. Usable with ``with``."""

    def __init__(self, on_limit: Callable[[str], None] = lambda _: None) -> None:
        """Start without paths.

        Args:
            on_limit: called by `watch`, once, with the name of the limit that prevents the watch of a path.
        """
        self._on_limit = on_limit
        self._limit: str | None = None  # that was reached
        self._is_limit_told = False
        self._descriptor = -1
        self._events = select.poll()
        self._directories: dict[int, str] = {}  # by watch
        self._watches: dict[str, int] = {}
        self._watched: dict[
            str, set[str]
        ] = {}  # watched paths, by the path that changes: their own, or that of their link's target
        try:
            self._libc = ctypes.CDLL(None, use_errno=True)
            self._descriptor = self._libc.inotify_init1(_CLOEXEC_NONBLOCK)
            if self._descriptor < 0:
                self._limit = _INSTANCE_LIMITS.get(ctypes.get_errno())
            else:
                self._events.register(self._descriptor, select.POLLIN)
        except (OSError, AttributeError):  # another kernel, or another C library without inotify
            pass

    def watch(self, path: str) -> None:
        """Watch ``path``, and the file that it links to now. It is OK to watch a path twice."""
        for watched in {path, os.path.realpath(path)}:
            self._watched.setdefault(watched, set()).add(path)
            directory = str(Path(watched).parent)
            if self._descriptor >= 0 and directory not in self._watches:
                watch = self._libc.inotify_add_watch(self._descriptor, os.fsencode(directory), _EVENTS)
                if watch >= 0:
                    self._watches[directory] = watch
                    self._directories[watch] = directory
                else:  # a limit was reached, or the directory does not exist
                    self._limit = _WATCH_LIMITS.get(ctypes.get_errno(), self._limit)
        if self._limit is not None and not self._is_limit_told:
            self._is_limit_told = True
            self._on_limit(self._limit)

    def is_watching(self, path: str) -> bool:
        """Return whether the kernel watches the directories of ``path`` and of the file that it links to now."""
        return all(str(Path(watched).parent) in self._watches for watched in (path, os.path.realpath(path)))

    def wait(self, seconds: float) -> bool:
        """Wait until something has changed in a watched directory, but at most ``seconds``; return whether it has.

        If the kernel cannot notify, this waits for the whole time.
        """
        return bool(self._events.poll(seconds * 1000))

    def take_changes(self) -> set[str] | None:
        """Return the watched paths that have changed since the last call; None if any of them may have changed."""
        changed: set[str] = set()
        while events := self._read():
            at = 0
            while at < len(events):
                watch, happened, _, size = _EVENT.unpack_from(events, at)
                name = os.fsdecode(events[at + _EVENT.size : at + _EVENT.size + size].rstrip(b"\0"))
                at += _EVENT.size + size
                if happened & _OVERFLOW:
                    return None
                directory = self._directories.get(watch)
                if happened & _IGNORED and directory is not None:
                    del self._directories[watch], self._watches[directory]
                elif directory is not None:
                    changed |= self._watched.get(f"{directory.rstrip('/')}/{name}", set())
        return changed

    def _read(self) -> bytes:
        if self._descriptor < 0:
            return b""
        try:
            return os.read(self._descriptor, _READ_BYTES)
        except BlockingIOError:
            return b""

    def close(self) -> None:
        """Close the descriptor. It is OK to close twice."""
        if self._descriptor >= 0:
            self._events.unregister(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
