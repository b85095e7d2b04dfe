"""Reading one file on: each block is checked to be the continuation of what was read before."""

import os
from collections import deque
from collections.abc import Iterator

from puppylog.tail.chunk import Chunk
from puppylog.tail.chunker import Chunker
from puppylog.tail.handle import Handle


class Reader:
    """Owns its handle. Chunks that were made but not taken are given by the next `read`."""

    def __init__(self, handle: Handle, chunker: Chunker, chunk_bytes: int) -> None:
        """Read on from where the chunker stands."""
        self.handle = handle
        self.is_truncated = False
        """What chunks were made of is not in the file any more."""
        self._chunker = chunker
        self._chunk_bytes = chunk_bytes
        self._ready: deque[Chunk] = deque()
        self._is_announced = chunker.file.file_id is not None
        self._mtime_ns = -1

    @property
    def end(self) -> int:
        """Everything before it was read from the file."""
        return self._chunker.taken.offset

    @property
    def waiting_bytes(self) -> int:
        """How much was read of an unfinished last line."""
        return self._chunker.waiting_bytes

    def is_untouched(self, status: os.stat_result) -> bool:
        """Whether the file stands as it stood when this was asked last, and was read to its end then."""
        same_time = status.st_mtime_ns == self._mtime_ns
        self._mtime_ns = status.st_mtime_ns
        return same_time and status.st_size == self.end and self._is_announced and not self._ready

    def read(self) -> Iterator[Chunk]:
        """Give everything up to the end of the file. Stops where the file turns out to be truncated.

        A file that is new to the store is announced by a chunk without data, if there is no line in it yet: so a
        restart knows it by its inode, even if it is rotated before its first line is stored.

        Raises:
            OSError: the file cannot be read now.
        """
        more = True
        while more:
            more = self._read_block()
            while self._ready:
                self._is_announced = True
                yield self._ready.popleft()
        if not self._is_announced:
            self._is_announced = True
            yield self._chunker.bare_chunk()

    def finish(self) -> Chunk:
        """Return the last chunk of the file, with the unfinished line that may be left."""
        if self.is_truncated:
            self._chunker.drop_waiting()
        return self._chunker.finish()

    def close(self) -> None:
        self.handle.close()

    def _read_block(self) -> bool:
        """Read a block and make chunks of it; return whether there may be more.

        The bytes before the block are looked at after it was read: had the file been truncated, and had it grown
        again before the block was read, they would be others.
        """
        if self.is_truncated:
            return False
        block = self.handle.read(self._chunk_bytes, self.end)
        if not self._chunker.taken.is_of(self.handle):
            return self._go_back()
        self._ready += self._chunker.feed(block)
        return bool(block)

    def _go_back(self) -> bool:
        """Forget the unfinished line. The file is truncated only if what is in chunks is gone as well."""
        self.is_truncated = not self._chunker.made.is_of(self.handle)
        self._chunker.drop_waiting()
        return not self.is_truncated
