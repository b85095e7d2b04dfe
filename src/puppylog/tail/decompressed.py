"""Opens a log as UTF-8 text. In a compressed file or UTF-16 text, every offset counts bytes of the resulting text."""

import errno
import os
from collections.abc import Callable
from functools import partial

from puppylog.model.stream import HEAD_BYTES, MARKER_BYTES
from puppylog.tail.compression import SAMPLE_BYTES, Damaged, Decompression, RawFile, find_compression
from puppylog.tail.handle import Handle, OpenFile
from puppylog.tail.utf16 import MARK_BYTES, begin_compressed, begin_uncompressed, may_be_utf16

_PIECE_BYTES = 64 << 10


def open_log(path: str) -> OpenFile:
    """Open a file, compressed or not, UTF-8 or UTF-16 with a byte order mark.

    Raises:
        OSError: the file cannot be opened, or is not a regular file.
    """
    handle = Handle(path)
    try:
        beginning = handle.read(SAMPLE_BYTES, 0)
        compression = find_compression(path, beginning)
    except OSError:
        handle.close()
        raise
    if compression is None:
        return TextFile(handle, beginning)
    return DecompressedHandle(handle, partial(begin_compressed, compression))


class TextFile:
    """Implements `OpenFile` for a file that is not compressed: UTF-16 is read as UTF-8, all other bytes as they are.

    A file may begin again: it was empty when it was opened, or it was truncated. So the encoding is detected again
    whenever the first bytes are read, and in UTF-16 text at every read. Other files cost nothing more.
    """

    is_compressed = False
    fault = None

    def __init__(self, handle: Handle, beginning: bytes) -> None:
        """Take ownership of the handle; ``beginning`` are the first bytes of the file."""
        self.path = handle.path
        self.identity = handle.identity
        self._handle = handle
        self._decoded: DecompressedHandle | None = None  # of UTF-16 text
        self._mark = b""  # the byte order mark of that text; only its first byte if the second is not written yet
        self._find_encoding(beginning)

    @property
    def is_converted(self) -> bool:
        """See `OpenFile`."""
        return self._decoded is not None

    def status(self) -> os.stat_result:
        """Return the status of the file on disk."""
        return self._handle.status()

    def raw_offset(self, offset: int) -> int:
        """See `OpenFile`."""
        return offset if self._decoded is None else self._decoded.raw_offset(offset)

    def read(self, size: int, offset: int) -> bytes:
        """Return at most ``size`` bytes of the text from ``offset`` on; fewer only at the end."""
        if self._decoded is not None:
            if self._handle.read(MARK_BYTES, 0) == self._mark:
                return self._decoded.read(size, offset)
            self._decoded = None
        if offset > 0:
            return self._handle.read(size, offset)
        block = self._handle.read(max(size, MARK_BYTES), 0)
        decoded = self._find_encoding(block)
        return block[:size] if decoded is None else decoded.read(size, 0)

    def _find_encoding(self, beginning: bytes) -> "DecompressedHandle | None":
        if may_be_utf16(beginning):
            self._mark = beginning[:MARK_BYTES]
            self._decoded = DecompressedHandle(self._handle, begin_uncompressed)
        return self._decoded

    def close(self) -> None:
        """Close the file. It is OK to close twice."""
        self._handle.close()


class DecompressedHandle:
    """Implements `OpenFile` for a compressed file, or another file whose text is made by one pass from its start.

    Decompression goes forward only. A read before the bytes in memory starts a new pass from the start of the file. The
    memory holds the bytes of the last read and one piece more.
    """

    is_compressed = True
    is_converted = True

    def __init__(self, handle: Handle, begin: Callable[[RawFile], Decompression]) -> None:
        """Take ownership of the handle; ``begin`` starts a pass over its file."""
        self.path = handle.path
        self.identity = handle.identity
        self._handle = handle
        self._begin_pass = begin
        self._begin()

    def _begin(self) -> None:
        self._raw = RawFile(self._handle.descriptor)
        self._decompression = self._begin_pass(self._raw)
        self._head = b""
        self._window = bytearray()
        self._window_at = 0
        self._ended_at = -1  # the size of the file on disk when all of it had been decompressed
        self._damage: str | None = None
        self._limit = _PIECE_BYTES

    @property
    def fault(self) -> str | None:
        """Why no more can be read although the compressed data is not complete; None if there is no such reason."""
        if self._damage is not None:
            return f"it is damaged after {self._end} decompressed bytes ({self._damage})"
        if self._ended_at > 0 and not self._decompression.is_whole:
            return f"it ends too early, after {self._end} decompressed bytes"
        return None

    def status(self) -> os.stat_result:
        """Return the status of the file on disk."""
        return self._handle.status()

    def raw_offset(self, offset: int) -> int:  # noqa: ARG002 - the last read was at this offset
        """Return how many bytes of the file on disk were read; of a damaged file, its size: no more can be used."""
        return self._raw.checkpoint.offset if self._damage is None else self.status().st_size

    def read(self, size: int, offset: int) -> bytes:
        """Return at most ``size`` decompressed bytes from ``offset`` on; fewer only at the end of the file."""
        if not self._raw.checkpoint.is_of(self._handle):
            self._begin()  # the file was truncated and written again
        if offset + size <= len(self._head):
            return self._head[offset : offset + size]
        if offset < self._window_at:
            self._begin()
        while self._end < offset + size:
            piece = self._next_piece()
            if not piece:
                break
            self._head += piece[: HEAD_BYTES - len(self._head)]
            self._window += piece
            self._forget(offset - MARKER_BYTES)
        self._forget(offset - MARKER_BYTES)
        at = offset - self._window_at
        return bytes(memoryview(self._window)[at : at + size])

    def close(self) -> None:
        """Close the file. It is OK to close twice."""
        self._handle.close()

    @property
    def _end(self) -> int:
        return self._window_at + len(self._window)

    def _forget(self, offset: int) -> None:
        """Drop the bytes before the offset from memory, but always keep the last MARKER_BYTES."""
        size = min(offset, self._end - MARKER_BYTES) - self._window_at
        if size > 0:
            del self._window[:size]
            self._window_at += size

    def _next_piece(self) -> bytes:
        """Return the next decompressed bytes; none at the end of the file, and where it is damaged.

        A decoder that meets damage does not return what it has decompressed in the same call. So a new pass goes to the
        same offset, and on from there byte by byte.
        """
        if self._damage is not None or self._ended_at == self.status().st_size:
            return b""
        while True:
            try:
                piece = self._decompression.read(self._limit)
            except Damaged as damage:
                if self._limit == 1:
                    self._damage = str(damage)
                    return b""
                self._decompress_again()
                continue
            except OSError:
                self._begin()  # the failed call may have lost decompressed bytes
                raise
            if piece:
                self._ended_at = -1
            else:
                self._ended_at, self._limit = self._raw.checkpoint.offset, _PIECE_BYTES
            return piece

    def _decompress_again(self) -> None:
        """Start a new pass, go to the present offset, and read single bytes from there on."""
        self._raw = RawFile(self._handle.descriptor)
        self._decompression = self._begin_pass(self._raw)
        self._limit = 1
        missing = self._end
        try:
            while missing and (piece := self._decompression.read(min(missing, _PIECE_BYTES))):
                missing -= len(piece)
        except (Damaged, OSError):
            pass
        if missing:
            self._begin()
            raise OSError(errno.EAGAIN, "it changes while it is read", self.path)
