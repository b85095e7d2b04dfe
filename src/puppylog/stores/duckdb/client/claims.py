"""Which streams some process follows now: a lock for each, on a few bytes of one file.

One file for all of them, because a collector of thousands of files may have few descriptors left. The locks are those
of an open file description (Linux): the system releases them when the process ends, however it ends.
"""

import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

_NOTE_BYTES: Final = 16
"""A stream's part of the file, from stream id times this on. It is what is locked, and tells who has locked it."""

_FLOCK: Final = struct.Struct("@hhqqi0q")  # struct flock: type, whence, start, length, pid
_END: Final = 1 << 62

# Elsewhere there are only the locks of processes. They tell collectors apart, but not two clients of one process.
_SET: Final[int] = getattr(fcntl, "F_OFD_SETLK", fcntl.F_SETLK)
_GET: Final[int] = getattr(fcntl, "F_OFD_GETLK", fcntl.F_GETLK)


class Claims:
    """The claims of one client. They end with `close`, or with the process. One thread uses an instance."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "claims"
        self._fd = -1
        self._held: set[int] = set()

    def acquire(self, stream_id: int) -> bool:
        """Return whether the stream is this client's now; not, if another client or this one has it already.

        Raises:
            OSError: the file cannot be made or opened.
        """
        if self._fd < 0:
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if stream_id in self._held or not self._lock(stream_id, fcntl.F_WRLCK):
            return False
        self._held.add(stream_id)
        with suppress(OSError):  # a full disk; the lock is the claim, the note only names its holder
            os.pwrite(self._fd, str(os.getpid()).encode().ljust(_NOTE_BYTES), stream_id * _NOTE_BYTES)
        return True

    def release(self, stream_id: int) -> None:
        """It is OK to release what is not held."""
        if stream_id in self._held:
            self._held.remove(stream_id)
            self._lock(stream_id, fcntl.F_UNLCK)

    def describe_holder(self, stream_id: int) -> str:
        """Return who has the stream that could not be acquired."""
        note = os.pread(self._fd, _NOTE_BYTES, stream_id * _NOTE_BYTES).strip(b" \0").decode("ascii", "replace")
        return f"process {note}" if note else "another collector"

    def close(self) -> None:
        """Release everything. It is OK to close twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        self._held.clear()

    def _lock(self, stream_id: int, kind: int) -> bool:
        try:
            fcntl.fcntl(self._fd, _SET, _FLOCK.pack(kind, os.SEEK_SET, stream_id * _NOTE_BYTES, _NOTE_BYTES, 0))
        except (BlockingIOError, PermissionError):  # either may say that another has it
            return False
        return True


def iter_claimed(folder: Path) -> Iterator[int]:
    """Give the ids of the streams that some process follows now. Nothing is locked by asking."""
    try:
        fd = os.open(folder / "claims", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        ranges = [(0, _END)]
        while ranges:
            start, end = ranges.pop()
            asked = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, start, end - start, 0)
            kind, _, found, size, _ = _FLOCK.unpack(fcntl.fcntl(fd, _GET, asked))
            if kind == fcntl.F_UNLCK:
                continue
            # The kernel tells one of the locks in the range, whichever: the others are before or behind it.
            first, behind = max(start, found), min(end, found + size)
            yield from range(first // _NOTE_BYTES, behind // _NOTE_BYTES)
            ranges += [(at, to) for at, to in ((start, first), (behind, end)) if at < to]
    finally:
        os.close(fd)
