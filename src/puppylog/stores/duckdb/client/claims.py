"""Claims on streams: a process that follows a stream locks the stream's few bytes of one file.

All streams share one file, because a collector of thousands of files may have few descriptors left. The locks belong to
an open file description (on Linux): the system releases them when the process ends, even if it is killed.
"""

import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

_NOTE_BYTES: Final = 16
"""The size of a stream's part of the file, which starts at the stream's id times this size. The process with the claim
locks this part and writes its process number there."""

_FLOCK: Final = struct.Struct("@hhqqi0q")  # struct flock: type, whence, start, length, pid
_END: Final = 1 << 62

# Other systems have only locks that belong to a process. Two clients in one process do not exclude each other there.
_SET: Final[int] = getattr(fcntl, "F_OFD_SETLK", fcntl.F_SETLK)
_GET: Final[int] = getattr(fcntl, "F_OFD_GETLK", fcntl.F_GETLK)


class Claims:
    """The claims of one client. They end with `close`, or when the process ends. Only one thread uses an instance."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "claims"
        self._fd = -1
        self._held: set[int] = set()

    def acquire(self, stream_id: int) -> bool:
        """Claim the stream; return False if another client, or this client, has claimed it already.

        Raises:
            OSError: the file cannot be created or opened.
        """
        if self._fd < 0:
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if stream_id in self._held or not self._lock(stream_id, fcntl.F_WRLCK):
            return False
        self._held.add(stream_id)
        with suppress(OSError):  # if the disk is full, the claim still holds: it is the lock, not this note
            os.pwrite(self._fd, str(os.getpid()).encode().ljust(_NOTE_BYTES), stream_id * _NOTE_BYTES)
        return True

    def release(self, stream_id: int) -> None:
        """Release the claim on the stream. It is OK to release a stream that is not claimed."""
        if stream_id in self._held:
            self._held.remove(stream_id)
            self._lock(stream_id, fcntl.F_UNLCK)

    def describe_holder(self, stream_id: int) -> str:
        """Return a description of the process that has claimed the stream, such as "process 123"."""
        note = os.pread(self._fd, _NOTE_BYTES, stream_id * _NOTE_BYTES).strip(b" \0").decode("ascii", "replace")
        return f"process {note}" if note else "another collector"

    def close(self) -> None:
        """Release all claims. It is OK to close twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        self._held.clear()

    def _lock(self, stream_id: int, kind: int) -> bool:
        try:
            fcntl.fcntl(self._fd, _SET, _FLOCK.pack(kind, os.SEEK_SET, stream_id * _NOTE_BYTES, _NOTE_BYTES, 0))
        except (BlockingIOError, PermissionError):  # systems differ in which one says that another client has the lock
            return False
        return True


def iter_claimed(folder: Path) -> Iterator[int]:
    """Yield the ids of the streams that any process follows now, without locking anything."""
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
            # The kernel returns any one of the locks in the range. The others are before its start or after its end.
            lock_start, lock_end = max(start, found), min(end, found + size)
            yield from range(lock_start // _NOTE_BYTES, lock_end // _NOTE_BYTES)
            ranges += [(low, high) for low, high in ((start, lock_start), (lock_end, end)) if low < high]
    finally:
        os.close(fd)
