"""Standard input, or another pipe: read once, in order, and never again. Its place cannot be kept through a restart."""

import contextlib
import fcntl
import os
import select
import time
from collections import deque
from collections.abc import Iterator

from puppylog.errors import SourceError
from puppylog.tail.chunk import Chunk, TailedFile
from puppylog.tail.chunker import Chunker
from puppylog.tail.handle import cannot_read, identity_of
from puppylog.tail.identity import BLANK
from puppylog.tail.source import STDIN
from puppylog.tail.tailer import CHUNK_BYTES, MAX_LINE_BYTES

# How long small writes are gathered into one chunk, and how long a poll waits for the first of them.
_GATHER_S = 0.1

# A writer that is faster than the polls goes on writing meanwhile. More than this is for privileged users only.
_PIPE_BYTES = 1 << 20


class PipeTailer:
    """Reads a file descriptor that stays its owner's. Looks like a `Tailer`, but has an end: poll until `is_ended`."""

    def __init__(
        self, descriptor: int = 0, *, chunk_bytes: int = CHUNK_BYTES, max_line_bytes: int = MAX_LINE_BYTES
    ) -> None:
        """Prepare to read.

        Raises:
            SourceError: there is nothing to read from.
        """
        self.problem: str | None = None
        """Always None: what goes wrong with a pipe does not get better."""
        try:
            identity = identity_of(os.fstat(descriptor))
        except OSError as error:
            raise _cannot_read(error) from None
        if hasattr(fcntl, "F_SETPIPE_SZ"):
            with contextlib.suppress(OSError):  # a file or a terminal
                fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._descriptor = descriptor
        self._chunk_bytes = chunk_bytes
        self._chunker = Chunker(TailedFile(1, STDIN, *identity, 0, None), BLANK, max_line_bytes)
        self._ready: deque[Chunk] = deque()
        self._is_at_end = False

    @property
    def is_ended(self) -> bool:
        """Whether the writers have gone and everything was given out. Until then, more may come."""
        return self._is_at_end and not self._ready

    def read(self) -> Iterator[Chunk]:
        """Give what comes within a moment, or for as long as it comes fast; at the end, a chunk that finishes it.

        Raises:
            SourceError: it cannot be read.
        """
        is_fast = True
        while self._ready or (is_fast and not self._is_at_end):
            if not self._ready:
                block = self._gather()
                is_fast = len(block) == self._chunk_bytes
                self._ready += self._chunker.feed(block)
                if self._is_at_end:
                    self._ready.append(self._chunker.finish())
            while self._ready:
                yield self._ready.popleft()

    def backlog_bytes(self) -> int:
        """Nobody knows."""
        return 0

    @property
    def unfinished_bytes(self) -> int:
        """How many bytes of an unfinished last line were read and wait for their newline."""
        return self._chunker.waiting_bytes

    def close(self) -> None:
        """Read no more. The file descriptor is not ours to close."""
        self._ready.clear()
        self._is_at_end = True

    def _gather(self) -> bytes:
        """Return what comes until there is enough, or a moment has passed, or nobody can write any more."""
        parts: list[bytes] = []
        missing = self._chunk_bytes
        until = time.monotonic() + _GATHER_S
        while missing and self._is_readable(until - time.monotonic()):
            try:
                part = os.read(self._descriptor, missing)
            except BlockingIOError:
                continue  # another reader of a shared pipe was faster
            except OSError as error:
                raise _cannot_read(error) from None
            if not part:
                self._is_at_end = True
                break
            parts.append(part)
            missing -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _is_readable(self, wait_s: float) -> bool:
        return bool(select.select([self._descriptor], [], [], max(0.0, wait_s))[0])


def _cannot_read(error: OSError) -> SourceError:
    return cannot_read("standard input", error)
