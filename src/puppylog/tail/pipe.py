"""Reads standard input or a named pipe: once and in order. Reading cannot be resumed after a restart."""

import contextlib
import errno
import fcntl
import os
import select
import stat
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

from puppylog.errors import SourceError
from puppylog.tail.boundary import OpenBoundary, no_boundary
from puppylog.tail.checkpoint import START_OF_FILE
from puppylog.tail.chunk import Chunk, TailedFile
from puppylog.tail.chunker import Chunker
from puppylog.tail.handle import cannot_read, identity_of
from puppylog.tail.limits import CHUNK_BYTES, MAX_LINE_BYTES, RECORD_WAIT_S
from puppylog.tail.source import STDIN

# How long a poll of standard input waits for the first write, and gathers small writes into one chunk. A poll of a
# named pipe does not wait: there are other sources to read.
_GATHER_S = 0.1

# A large buffer lets a fast writer go on between two polls. Only privileged users may set a larger one.
_PIPE_BYTES = 1 << 20


class PipeTailer:
    """Reads a pipe. Has the interface of a `Tailer`, but ends: poll until `is_ended`."""

    def __init__(
        self,
        source: int | str = 0,
        *,
        watch: bool = False,
        chunk_bytes: int = CHUNK_BYTES,
        max_line_bytes: int = MAX_LINE_BYTES,
        open_boundary: OpenBoundary = no_boundary,
        record_wait_s: float = RECORD_WAIT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare to read.

        Args:
            source: a file descriptor, which its owner closes, or the path of a named pipe.
            watch: when all writers of a named pipe have closed it, wait for others. Otherwise the input ends then. The
                first writer is waited for in any case.
            chunk_bytes: how much is read at once.
            max_line_bytes: longer lines are cut.
            open_boundary: returns where records of several lines begin in a file.
            record_wait_s: after how many seconds without data the last record counts as complete.
            clock: returns seconds that never go back.

        Raises:
            SourceError: the source cannot be opened, or is not a pipe.
        """
        self.problem: str | None = None
        """Why a named pipe cannot be read now; None if it can. Errors of other sources do not pass, and are raised."""
        self.has_more = False
        """Whether the last `read` stopped at its limit: there may be more to read at once."""
        self._path = source if isinstance(source, str) else None
        self._name = STDIN if self._path is None else str(Path(self._path).absolute())
        self._watch = watch and self._path is not None
        self._chunk_bytes = chunk_bytes
        self._max_line_bytes = max_line_bytes
        self._open_boundary = open_boundary
        self._record_wait_s = record_wait_s
        self._clock = clock
        self._came_at = clock()
        self._ready: deque[Chunk] = deque()
        self._have_left = False  # the writers; not handled yet
        self._is_at_end = False
        try:
            self._descriptor = _open_pipe(source) if isinstance(source, str) else source
            self._begin()
        except OSError as error:
            raise self._cannot_read(error) from None

    def _begin(self, serial: int = 1) -> None:
        self._identity = identity_of(os.fstat(self._descriptor))
        if hasattr(fcntl, "F_SETPIPE_SZ"):
            with contextlib.suppress(OSError):  # the source is a file or a terminal
                fcntl.fcntl(self._descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        file = TailedFile(serial, self._name, *self._identity, 0, None, modified_at_us=time.time_ns() // 1000)
        self._chunker = Chunker(file, START_OF_FILE, self._max_line_bytes, self._open_boundary(file))

    @property
    def is_ended(self) -> bool:
        """Whether the writers have closed the pipe and every chunk was returned."""
        return self._is_at_end and not self._ready

    def read(self, limit_bytes: int | None = None) -> Iterator[Chunk]:
        """Yield what can be read without a pause; at the end of the input, a chunk that finishes it.

        Args:
            limit_bytes: about how many bytes to read, as in `Tailer.read`.

        Raises:
            SourceError: the source cannot be read.
        """
        taken = 0
        self.has_more = False
        yield from self._give()
        while not self._is_at_end:
            block = self._gather()
            self._take(block)
            yield from self._give()
            taken += len(block)
            if len(block) < self._chunk_bytes:
                break
            if limit_bytes is not None and taken >= limit_bytes:
                self.has_more = True
                return
        if self._watch and not self._is_at_end:
            self._follow_path()
            yield from self._give()

    def backlog_bytes(self) -> int:
        """Return 0: how much a writer will still write to a pipe cannot be known."""
        return 0

    @property
    def unfinished_bytes(self) -> int:
        """How many bytes were read of the last line, which has no newline yet."""
        return self._chunker.waiting_bytes

    @property
    def has_waiting_record(self) -> bool:
        """Whether whole lines wait because their record may go on."""
        return self._chunker.has_record

    def close(self) -> None:
        """Stop reading. A file descriptor is left open for its owner, a named pipe is closed."""
        self._ready.clear()
        self._is_at_end = True
        if self._path is not None and self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _give(self) -> Iterator[Chunk]:
        while self._ready:
            yield self._ready.popleft()

    def _take(self, block: bytes) -> None:
        if block:
            self._came_at = self._clock()
            self._ready += self._chunker.feed(block)
        elif self._clock() - self._came_at >= self._record_wait_s:
            self._ready += self._chunker.flush_record()
        if self._have_left:
            self._have_left = False
            self._is_at_end = not self._watch
            self._ready += self._chunker.flush_all() if self._watch else self._chunker.finish()

    def _gather(self) -> bytes:
        """Return what is written until a chunk is full, the time is over, or no writer has the pipe open."""
        parts: list[bytes] = []
        missing = self._chunk_bytes
        deadline = time.monotonic() + (_GATHER_S if self._path is None else 0.0)
        while missing and self._is_readable(deadline - time.monotonic()):
            try:
                part = os.read(self._descriptor, missing)
            except BlockingIOError:
                continue  # another reader of a shared pipe has read it first
            except OSError as error:
                raise self._cannot_read(error) from None
            if not part:
                self._have_left = True
                break
            parts.append(part)
            missing -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _is_readable(self, wait_s: float) -> bool:
        return bool(select.select([self._descriptor], [], [], max(0.0, wait_s))[0])

    def _follow_path(self) -> None:
        """Open the pipe that is at the path now, once the pipe that was there before has been read to its end."""
        self.problem = None
        try:
            if identity_of(Path(self._name).stat()) == self._identity or self._has_writers():
                return
            descriptor = _open_pipe(self._name)
        except OSError as error:
            self.problem = self._cannot_read(error).message
            return
        self._ready += self._chunker.finish()
        os.close(self._descriptor)
        self._descriptor = descriptor
        self._begin(self._chunker.file.serial + 1)

    def _has_writers(self) -> bool:
        try:
            self._take(os.read(self._descriptor, self._chunk_bytes))
        except BlockingIOError:
            return True
        return bool(self._ready)

    def _cannot_read(self, error: OSError) -> SourceError:
        return cannot_read("standard input" if self._path is None else self._name, error)


def _open_pipe(path: str) -> int:
    """Open a named pipe without waiting for a writer."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a pipe", path)
    return descriptor
