"""Makes the readers of one tailer's files, and the last chunk of a file that was not found."""

import time
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import TypedDict

from puppylog.tail.boundary import OpenBoundary, no_boundary
from puppylog.tail.chunk import Chunk, TailedFile
from puppylog.tail.chunker import Chunker
from puppylog.tail.limits import CHUNK_BYTES, MAX_LINE_BYTES, RECORD_WAIT_S
from puppylog.tail.reader import Reader
from puppylog.tail.rotation.find import FileToRead
from puppylog.tail.rotation.position import ReadPosition


class ReadOptions(TypedDict, total=False):
    """How the files of a tailer are read."""

    chunk_bytes: int
    """How many bytes are read at once."""
    max_line_bytes: int
    """Longer lines are cut."""
    open_boundary: OpenBoundary
    """Returns where records of several lines begin in a file."""
    record_wait_s: float
    """How many seconds the file must not grow until its last record is complete."""
    line_wait_s: float | None
    """When a last line without newline counts as ended; see `Reader`."""


class Opener:
    """Gives each file its serial, which is unique within the tailer."""

    def __init__(
        self,
        *,
        chunk_bytes: int = CHUNK_BYTES,
        max_line_bytes: int = MAX_LINE_BYTES,
        open_boundary: OpenBoundary = no_boundary,
        record_wait_s: float = RECORD_WAIT_S,
        line_wait_s: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Set the options that all readers of the tailer share; see `ReadOptions`."""
        self._open_reader = partial(
            Reader, chunk_bytes=chunk_bytes, record_wait_s=record_wait_s, line_wait_s=line_wait_s, clock=clock
        )
        self._max_line_bytes = max_line_bytes
        self._open_boundary = open_boundary
        self._serials = count(1)

    def open_reader(self, found: FileToRead) -> Reader:
        """Return a reader that starts at the file's checkpoint.

        A file that goes on after a finished position is registered as a new file.

        Raises:
            OSError: the file cannot be read now.
        """
        handle, position = found.handle, found.position
        stored = None if position is None or position.finished else position.stored
        file = TailedFile(
            next(self._serials),
            handle.path,
            *handle.identity,
            found.checkpoint.offset,
            None if stored is None else stored.file_id,
            modified_at_us=handle.status().st_mtime_ns // 1000,
            context="" if position is None or position.stored is None else position.stored.context,
            stream_id=found.stream_id,
        )
        boundary = self._open_boundary(file)
        return self._open_reader(handle, Chunker(file, found.checkpoint, self._max_line_bytes, boundary))

    def finish_missing(self, position: ReadPosition) -> Chunk:
        """Return the chunk that finishes a file that was not found."""
        file_id = None if position.stored is None else position.stored.file_id
        file = TailedFile(next(self._serials), position.path, *position.identity, position.byte_offset, file_id)
        offset = position.byte_offset
        return Chunk(file, offset, offset, b"", offset, position.fingerprint, finished=True, is_missing=True)
