"""A compressed file, read as if it were the file that it was made of: every offset is one of decompressed bytes."""

import errno
import os

from puppylog.model.stream import HEAD_BYTES, MARKER_BYTES
from puppylog.tail.compression import SAMPLE_BYTES, Compression, Damaged, RawFile, find_compression
from puppylog.tail.handle import Handle, OpenFile

_PIECE_BYTES = 64 << 10


def open_log(path: str) -> OpenFile:
    """Open a file, compressed or not.

    Raises:
        OSError: it cannot be opened, or is no regular file.
    """
    handle = Handle(path)
    try:
        compression = find_compression(path, handle.read(SAMPLE_BYTES, 0))
    except OSError:
        handle.close()
        raise
    return handle if compression is None else DecompressedHandle(handle, compression)


class DecompressedHandle:
    """Implements `OpenFile`. It goes forward; asked to go back behind what it remembers, it begins again.

    What it holds in memory is what was last asked for, and a piece more.
    """

    is_compressed = True

    def __init__(self, handle: Handle, compression: Compression) -> None:
        """Take the handle over."""
        self.path = handle.path
        self.identity = handle.identity
        self._handle = handle
        self._compression = compression
        self._begin()

    def _begin(self) -> None:
        self._raw = RawFile(self._handle.descriptor)
        self._unpacking = self._compression.unpack(self._raw)
        self._head = b""
        self._window = bytearray()
        self._window_at = 0
        self._dry_at = -1  # the size of the file on disk when everything of it had been given
        self._damage: str | None = None
        self._limit = _PIECE_BYTES

    @property
    def fault(self) -> str | None:
        """Why there is no more to read although there should be."""
        if self._damage is not None:
            return f"it is damaged after {self._end} decompressed bytes ({self._damage})"
        if self._dry_at > 0 and not self._unpacking.is_whole:
            return f"it ends too early, after {self._end} decompressed bytes"
        return None

    def status(self) -> os.stat_result:
        """Return the status of the file on disk."""
        return self._handle.status()

    def raw_offset(self, offset: int) -> int:  # noqa: ARG002 - it goes forward only, so it is where it stands
        """Return how much of the file on disk was taken so far; of a damaged one, all that it will ever be of use."""
        return self._raw.checkpoint.offset if self._damage is None else self.status().st_size

    def read(self, size: int, offset: int) -> bytes:
        """Return at most ``size`` bytes from ``offset`` on; fewer only where the file has no more of them now."""
        if not self._raw.checkpoint.is_of(self._handle):
            self._begin()  # it was truncated and written anew
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
        """It is OK to close twice."""
        self._handle.close()

    @property
    def _end(self) -> int:
        return self._window_at + len(self._window)

    def _forget(self, offset: int) -> None:
        """Let go of what lies before the offset, but keep enough to tell the file by."""
        size = min(offset, self._end - MARKER_BYTES) - self._window_at
        if size > 0:
            del self._window[:size]
            self._window_at += size

    def _next_piece(self) -> bytes:
        """Return what follows; nothing at the end, and where the file is damaged.

        A decoder that meets an error keeps what it had unpacked in the same call. So it is then done once more, and
        byte by byte near the place.
        """
        if self._damage is not None or self._dry_at == self.status().st_size:
            return b""
        while True:
            try:
                piece = self._unpacking.read(self._limit)
            except Damaged as damage:
                if self._limit == 1:
                    self._damage = str(damage)
                    return b""
                self._unpack_again()
                continue
            except OSError:
                self._begin()  # what was unpacked in this call may be lost, too
                raise
            if piece:
                self._dry_at = -1
            else:
                self._dry_at, self._limit = self._raw.checkpoint.offset, _PIECE_BYTES
            return piece

    def _unpack_again(self) -> None:
        """Come back to where we stand, and go on carefully."""
        self._raw = RawFile(self._handle.descriptor)
        self._unpacking = self._compression.unpack(self._raw)
        self._limit = 1
        missing = self._end
        try:
            while missing and (piece := self._unpacking.read(min(missing, _PIECE_BYTES))):
                missing -= len(piece)
        except (Damaged, OSError):
            pass
        if missing:
            self._begin()
            raise OSError(errno.EAGAIN, "it changes while it is read", self.path)
