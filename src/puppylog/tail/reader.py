"""Reads one file. After each block it checks that the file was not truncated before the block was read."""

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace

from puppylog.model.stream import HEAD_BYTES, hash_bytes
from puppylog.tail import line_end
from puppylog.tail.chunk import Chunk, TailedFile
from puppylog.tail.chunker import Chunker
from puppylog.tail.handle import OpenFile
from puppylog.tail.line_end import LineEnd, find_line_end, has_lone_cr, quiet_s
from puppylog.tail.rotation.position import ReadPosition

LINE_WAIT_S = 10.0
"""How long a file must be unchanged until a run that does not watch stores its last line without a newline."""


class Reader:
    """Reads the file of a handle, which it owns. Chunks that a caller did not take are given by the next `read`."""

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
        """Prepare to read on from the offset of the chunker.

        Args:
            handle: of the file.
            chunker: makes the chunks, and knows the offset.
            chunk_bytes: how many bytes are read at once.
            record_wait_s: how many seconds the file must not grow until its last record is yielded.
            line_wait_s: how many seconds the file must be unchanged until a last line without newline is yielded. In
                a complete compressed file it is given at once. None: such a line waits for its newline.
            clock: returns seconds that never go back.
        """
        self.handle = handle
        self.is_truncated = False
        """Whether the bytes of the chunks that were made are gone from the file."""
        self.is_at_end = False
        """Whether the last `read` came to the end of the file."""
        self.needs_owner_check = False
        """Whether the file was empty so far. Another collector may read it then, or it may become a copy, or be copied
        and emptied again between two polls."""
        self.seen_mtime_ns = -1
        """When the file had last been changed when it was opened, or last read to its end; since the epoch."""
        self._chunker = chunker
        self._chunk_bytes = chunk_bytes
        self._record_wait_s = record_wait_s
        self._line_wait_s = line_wait_s
        self._clock = clock
        self._grew_at = clock()
        self._ready: deque[Chunk] = deque()
        self._is_announced = chunker.file.file_id is not None
        self._mtime_ns = -1
        marker = chunker.fed_to.marker
        self._line_end = LineEnd.LF if marker.endswith(b"\n") else LineEnd.UNKNOWN
        if has_lone_cr(marker):
            self._find_line_end()
        # Until a line is read, only these bytes show that the file was emptied and written again.
        self._first_bytes = b"" if handle.is_compressed or chunker.fed_to.offset else self._read_first_bytes()
        self._note_status()

    @property
    def file(self) -> TailedFile:
        return self._chunker.file

    @property
    def end(self) -> int:
        """The offset in bytes up to which the file was read."""
        return self._chunker.fed_to.offset

    @property
    def backlog_bytes(self) -> int:
        """How many bytes are not read yet, as they are on disk."""
        return max(0, self.handle.status().st_size - self.handle.raw_offset(self.end))

    @property
    def waiting_bytes(self) -> int:
        """How many bytes were read of the last line, which has no newline yet."""
        return self._chunker.waiting_bytes

    @property
    def has_waiting_record(self) -> bool:
        """Whether whole lines wait because their record may go on."""
        return self._chunker.has_record

    def is_untouched(self, status: os.stat_result) -> bool:
        """Return whether the file has not changed since the last call, and was read to its end."""
        same_time = status.st_mtime_ns == self._mtime_ns
        self._mtime_ns = status.st_mtime_ns
        return same_time and self._has_given_all(status)

    @property
    def is_at_rest(self) -> bool:
        """Whether all whole lines were read and given."""
        return self._has_given_all(self.handle.status())

    def _has_given_all(self, status: os.stat_result) -> bool:
        return (
            self.is_at_end
            and not self.is_truncated
            and status.st_size == self.handle.raw_offset(self.end)
            and self._is_announced
            and not self._ready
            and not self._chunker.has_record
            and not (self._line_end is LineEnd.MAYBE_CR and self._chunker.has_unfinished_line)
        )

    def read(self, limit_bytes: int | None = None) -> Iterator[Chunk]:
        """Yield all chunks up to the end of the file. Stop if the file was truncated.

        A file that is new to the store and has no whole line yet is announced by a chunk without data. So the store
        knows its inode, and a restart finds the file even if it is rotated before its first line is stored.

        Args:
            limit_bytes: stop after the block that reaches this number. Bytes of a line that does not end count, too.

        Raises:
            OSError: the file cannot be read now.
        """
        self.is_at_end = False
        stop_at = None if limit_bytes is None else self.end + limit_bytes
        yield from self._iter_ready()
        while self._read_block() or self._has_found_cr():
            yield from self._iter_ready()
            if stop_at is not None and self.end >= stop_at:
                return
        self.is_at_end = True
        if not self.is_truncated:
            self._note_status()
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
        """Return whether the last line counts as ended without a newline: its writer has been idle long enough."""
        if self._line_wait_s is None or self.is_truncated or self.handle.fault is not None:
            return False
        if self.handle.is_compressed:
            return True
        status = self.handle.status()
        return status.st_size == self.handle.raw_offset(self.end) and quiet_s(status, time.time()) >= self._line_wait_s

    def _note_status(self) -> None:
        self.needs_owner_check = self.was_empty
        self.seen_mtime_ns = self.handle.status().st_mtime_ns

    def is_emptied(self) -> bool:
        """Return whether the bytes that were read are gone from the file, without reading on.

        Raises:
            OSError: the file cannot be read now.
        """
        return not self._has_same_content()

    def may_have_copies(self) -> bool:
        """Return whether the file may have been copied and emptied since it was read; true if it cannot be read now."""
        try:
            return self.was_empty or self.is_emptied()
        except OSError:
            return True

    @property
    def was_empty(self) -> bool:
        """Whether the file was empty whenever it was looked at. Nothing can tell then that it was emptied."""
        return self.end == 0 and not self._first_bytes and not self.handle.is_compressed

    def has_data(self) -> bool:
        """Return whether the file has any byte now.

        Raises:
            OSError: the file cannot be read now.
        """
        return self.handle.read(1, 0) != b""

    def was_written(self) -> bool:
        """Return whether a file that was empty so far has bytes now, or has had some since the last `read`.

        Raises:
            OSError: the file cannot be read now.
        """
        return self.has_data() or self.handle.status().st_mtime_ns != self.seen_mtime_ns

    def position(self, path: str) -> ReadPosition:
        """Return the position after the last whole line that was read."""
        whole = self._chunker.complete_to
        fingerprint = whole.fingerprint()
        if whole.offset == 0:
            first = self._first_bytes
            fingerprint = replace(fingerprint, head_size=len(first), head_hash=hash_bytes(first))
        return ReadPosition(path, self.handle.identity, fingerprint, whole.offset, finished=False)

    def continue_in(self, copy: OpenFile) -> None:
        """Read the rest of a truncated file from its copy, and own the copy. Another reader owns the old handle now."""
        self.handle = copy
        self.is_truncated = self.is_at_end = False
        self._chunker.drop_line()

    def finish(self) -> list[Chunk]:
        """Return the last chunks of the file. They have the last line even if it has no newline."""
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

        The marker before the block is compared after the block was read. If the file was truncated and has grown again
        before the block was read, the marker differs.
        """
        if self.is_truncated:
            return False
        block = self.handle.read(self._chunk_bytes, self.end)
        if not self._chunker.fed_to.is_of(self.handle) or (self.end == 0 and not self._has_same_content()):
            return self._check_truncation()
        if block:
            self.needs_owner_check = False
            self._grew_at = self._clock()
            if self.end == 0:
                self._find_line_end(block)
                self._first_bytes = self._first_bytes or (b"" if self.handle.is_compressed else block[:HEAD_BYTES])
            self._ready += self._chunker.feed(block)
            if self._chunker.waiting_bytes >= line_end.HEAD_BYTES and self._may_find_line_end:
                self._find_line_end()
        return bool(block)

    def _has_found_cr(self) -> bool:
        """Return whether the line that waits turned out to be lines that end with CR, which can be read now."""
        if not self._may_find_line_end or not self._chunker.has_unfinished_line or self.is_truncated:
            return False
        self._find_line_end()
        return self._line_end is LineEnd.CR

    def _find_line_end(self, beginning: bytes = b"") -> None:
        self._line_end = LineEnd.LF if b"\n" in beginning[: line_end.HEAD_BYTES] else find_line_end(self.handle)
        if self._line_end is LineEnd.CR:
            self._chunker.cut_at_cr()

    @property
    def _may_find_line_end(self) -> bool:
        """Whether to look at the head again. A compressed file would be decompressed from its start for that."""
        return self._line_end not in {LineEnd.LF, LineEnd.CR} and not self.handle.is_compressed

    def _check_truncation(self) -> bool:
        """Forget the last line, which has no newline. Set `is_truncated` if the whole lines before it are gone, too."""
        self.is_truncated = not self._has_same_content()
        self._chunker.drop_line()
        return not self.is_truncated

    def _has_same_content(self) -> bool:
        """Return whether the file still has the whole lines that were read; without lines, its first bytes."""
        whole = self._chunker.complete_to
        return (
            whole.is_of(self.handle)
            if whole.offset
            else self._read_first_bytes(len(self._first_bytes)) == self._first_bytes
        )

    def _read_first_bytes(self, size: int = HEAD_BYTES) -> bytes:
        return self.handle.read(size, 0) if size else b""
