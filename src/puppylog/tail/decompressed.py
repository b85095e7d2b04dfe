"""Reads a compressed file as if it were plain: every offset counts decompressed bytes."""

import errno
import os

from puppylog.model.stream import HEAD_BYTES, MARKER_BYTES
from puppylog.tail.compression import SAMPLE_BYTES, Compression, Damaged, RawFile, find_compression
from puppylog.tail.handle import Handle, OpenFile

_PIECE_BYTES = 64 << 10


def open_log(path: str) -> OpenFile:
    """Open a file, compressed or not.

    Raises:
        OSError: the file cannot be opened, or is not a regular file.
    """
    handle = Handle(path)
    try:
        compression = find_compression(path, handle.read(SAMPLE_BYTES, 0))
    except OSError:
        handle.close()
        raise
    return handle if compression is None else DecompressedHandle(handle, compression)


class DecompressedHandle:
    """Implements `OpenFile` for a compressed file.

    Decompression goes forward only. A read before the bytes in memory starts a new pass from the start of the file. The
    memory holds the bytes of the last read and one piece more.
    """

    is_compressed = True

    def __init__(self, handle: Handle, compression: Compression) -> None:
        """Take ownership of the handle."""
        self.path = handle.path
        self.identity = handle.identity
        self._handle = handle
        self._compression = compression
        self._begin()

    def _begin(self) -> None:
        self._raw = RawFile(self._handle.descriptor)
        self._decompression = self._compression.begin(self._raw)
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
        self._decompression = self._compression.begin(self._raw)
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
