"""Reading one file on: each block is checked to be the continuation of what was read before."""

import codecs
import errno
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace

from puppylog.model.stream import HEAD_BYTES, hash_bytes
from puppylog.tail.chunk import Chunk, TailedFile
from puppylog.tail.chunker import Chunker
from puppylog.tail.handle import OpenFile
from puppylog.tail.rotation.place import Place

LINE_WAIT_S = 10.0
"""A run that does not watch takes an unfinished last line when its file has not been changed for so long."""

# Files that were empty when they were opened can tell only now. Their lines are no lines: a newline has two bytes.
_UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Reader:
    """Owns its handle. Chunks that were made but not taken are given by the next `read`."""

    def __init__(
        self,
        handle: OpenFile,
        chunker: Chunker,
        chunk_bytes: int,
        *,
        record_wait_s: float = 0.0,
        line_wait_s: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare to read on from where the chunker stands.

        Args:
            handle: of the file.
            chunker: where reading goes on.
            chunk_bytes: how much is read at once.
            record_wait_s: how long the file must not have grown before its last record is given.
            line_wait_s: how long the file must not have been changed before an unfinished last line is given. That of
                a compressed file which is whole is given at once. None: an unfinished line waits for its newline.
            clock: seconds that never go back.
        """
        self.handle = handle
        self.is_truncated = False
        """What chunks were made of is not in the file any more."""
        self.is_at_end = False
        """Whether `read` came to the end of the file when it was last called."""
        self.needs_owner_check = False
        """Whether nothing was in the file when it was opened: another collector may have opened it since, or it may
        become a copy of a file that is read."""
        self._chunker = chunker
        self._chunk_bytes = chunk_bytes
        self._record_wait_s = record_wait_s
        self._line_wait_s = line_wait_s
        self._clock = clock
        self._grew_at = clock()
        self._ready: deque[Chunk] = deque()
        self._is_announced = chunker.file.file_id is not None
        self._mtime_ns = -1
        # Until a line is read, only this tells that the file was emptied and written anew.
        self._first_bytes = b"" if handle.is_compressed or chunker.fed_to.offset else self._read_first_bytes()

    @property
    def file(self) -> TailedFile:
        return self._chunker.file

    @property
    def end(self) -> int:
        """Everything before it was read from the file."""
        return self._chunker.fed_to.offset

    @property
    def backlog_bytes(self) -> int:
        """How much is not read yet; of a compressed file, as it lies on disk."""
        return max(0, self.handle.status().st_size - self.handle.raw_offset(self.end))

    @property
    def waiting_bytes(self) -> int:
        """How much was read of an unfinished last line."""
        return self._chunker.waiting_bytes

    def is_untouched(self, status: os.stat_result) -> bool:
        """Whether the file stands as it stood when this was asked last, and was read to its end then."""
        same_time = status.st_mtime_ns == self._mtime_ns
        self._mtime_ns = status.st_mtime_ns
        return same_time and self._has_given_all(status)

    @property
    def is_at_rest(self) -> bool:
        """Whether everything was read and given, but for an unfinished last line."""
        return self._has_given_all(self.handle.status())

    def _has_given_all(self, status: os.stat_result) -> bool:
        return (
            self.is_at_end
            and status.st_size == self.handle.raw_offset(self.end)
            and self._is_announced
            and not self._ready
            and not self._chunker.has_record
        )

    def read(self, limit_bytes: int | None = None) -> Iterator[Chunk]:
        """Give everything up to the end of the file. Stops where the file turns out to be truncated.

        A file that is new to the store is announced by a chunk without data, if there is no line in it yet: so a
        restart knows it by its inode, even if it is rotated before its first line is stored.

        Args:
            limit_bytes: stop after the block that makes it so many. What is read of an endless line counts as well.

        Raises:
            OSError: the file cannot be read now, or not as UTF-8.
        """
        self.is_at_end = False
        stop_at = None if limit_bytes is None else self.end + limit_bytes
        yield from self._iter_ready()
        while self._read_block():
            yield from self._iter_ready()
            if stop_at is not None and self.end >= stop_at:
                return
        self.is_at_end = True
        self.needs_owner_check = self.end == 0
        if self._chunker.has_unfinished_line and self._has_last_line_ended():
            self._ready += self._chunker.flush_all()
            yield from self._iter_ready()
        if self._chunker.has_record and self._clock() - self._grew_at >= self._record_wait_s:
            self._ready += self._chunker.flush_record()
            yield from self._iter_ready()
        if not self._is_announced:
            self._is_announced = True
            yield self._chunker.empty_chunk()

    def _has_last_line_ended(self) -> bool:
        """Whether the unfinished line at the end is all that its writer will write of it, as far as can be told."""
        if self._line_wait_s is None or self.is_truncated or self.handle.fault is not None:
            return False
        if self.handle.is_compressed:
            return True
        status = self.handle.status()
        return status.st_size == self.end and quiet_s(status, time.time()) >= self._line_wait_s

    def is_emptied(self) -> bool:
        """Whether what was read is not in the file any more, as `read` would find out.

        Raises:
            OSError: the file cannot be read now.
        """
        return not self._has_same_content()

    def has_data(self) -> bool:
        """Return whether the file holds anything now.

        Raises:
            OSError: the file cannot be read now.
        """
        return self.handle.read(1, 0) != b""

    def place(self, path: str) -> Place:
        """Return how far the file was read, in whole lines."""
        whole = self._chunker.complete_to
        fingerprint = whole.fingerprint()
        if whole.offset == 0:
            first = self._first_bytes
            fingerprint = replace(fingerprint, head_size=len(first), head_hash=hash_bytes(first))
        return Place(path, self.handle.identity, fingerprint, whole.offset, finished=False)

    def continue_in(self, copy: OpenFile) -> None:
        """Read the rest of a truncated file from its copy, and own that. The handle of the file is left to others."""
        self.handle = copy
        self.is_truncated = self.is_at_end = False
        self._chunker.drop_line()

    def finish(self) -> list[Chunk]:
        """Return the last chunks of the file, with the unfinished line that may be left."""
        if self.is_truncated:
            self._chunker.drop_line()
        chunks = [*self._ready, *self._chunker.finish()]
        self._ready.clear()
        return chunks

    def close(self) -> None:
        self.handle.close()

    def _iter_ready(self) -> Iterator[Chunk]:
        while self._ready:
            self._is_announced = True
            yield self._ready.popleft()

    def _read_block(self) -> bool:
        """Read a block and make chunks of it; return whether there may be more.

        The bytes before the block are looked at after it was read: had the file been truncated, and had it grown
        again before the block was read, they would be others.
        """
        if self.is_truncated:
            return False
        block = self.handle.read(self._chunk_bytes, self.end)
        if not self._chunker.fed_to.is_of(self.handle) or (self.end == 0 and not self._has_same_content()):
            return self._check_truncation()
        if self.end == 0 and block.startswith(_UTF_16_MARKS):
            self.is_at_end = True  # of what can be read: once it has left its path it need not be kept
            raise OSError(errno.EILSEQ, "it is UTF-16 text, and UTF-8 is needed")
        if block:
            self._grew_at = self._clock()
            self._ready += self._chunker.feed(block)
        return bool(block)

    def _check_truncation(self) -> bool:
        """Forget the unfinished line. The file is truncated only if what was whole is gone as well."""
        self.is_truncated = not self._has_same_content()
        self._chunker.drop_line()
        return not self.is_truncated

    def _has_same_content(self) -> bool:
        """Whether all that was read of whole lines, or else what the file began with, is still in the file."""
        whole = self._chunker.complete_to
        return (
            whole.is_of(self.handle)
            if whole.offset
            else self._read_first_bytes(len(self._first_bytes)) == self._first_bytes
        )

    def _read_first_bytes(self, size: int = HEAD_BYTES) -> bytes:
        return self.handle.read(size, 0) if size else b""


def quiet_s(status: os.stat_result, now: float) -> float:
    """Return for how many seconds at least a file has not been changed.

    Args:
        status: of the file.
        now: by the clock that people set, in seconds since the epoch. A time of change in the future says nothing: the
            clock was set back, or somebody has set the time of the file. What the kernel notes of the latter is when
            it was done. If that lies in the future as well, the file counts as changed just now.
    """
    changed_at = status.st_mtime if status.st_mtime <= now else status.st_ctime
    return max(0.0, now - changed_at)
