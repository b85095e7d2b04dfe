r"""Cuts blocks of a file into pieces of whole lines. Pure: it gets bytes in the order of the file, and opens no file.

A piece has all whole lines of a block, up to the last newline. A block makes more pieces only if one of its lines is
too long, or if NULs precede a line. Some bytes are left out then, and the offsets of the lines after them could not
be computed from the offset of one piece.
"""

import re
from dataclasses import dataclass

_NULS = re.compile(rb"\0+")


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole lines, and the byte range of the file that they account for. The fields are those of `chunk.Chunk`."""

    start: int
    end: int
    data: bytes
    offset: int
    is_cut: bool = False
    is_unfinished: bool = False
    continues_line: bool = False


class LineCutter:
    r"""Makes pieces of blocks. Keeps the last line until its newline comes; of a long line, only the beginning.

    Example:
        >>> cutter = LineCutter(0, max_line_bytes=100)
        >>> [piece.data for piece in cutter.feed(b"one\ntwo\nthr")]
        [b'one\ntwo\n']
        >>> [piece.data for piece in cutter.feed(b"ee\n")]
        [b'three\n']
    """

    def __init__(self, offset: int, max_line_bytes: int, *, is_in_line: bool = False) -> None:
        """Start at an offset.

        Args:
            offset: of the first byte of the first block, in the file.
            max_line_bytes: longer lines are cut.
            is_in_line: whether the first block continues a line whose beginning was returned as an unfinished line.
        """
        self._is_in_line = is_in_line
        self._offset = offset  # in the file; all bytes before it are in pieces that were returned
        self._max = max_line_bytes
        self._nuls = 0  # how many were skipped at the start of the waiting line
        self._held = bytearray()  # the waiting line, at most as many bytes as are kept
        self._dropped = 0  # how many bytes of the waiting line are beyond that; then the line is too long

    @property
    def waiting(self) -> int:
        """How many bytes of the last line were fed, which has no newline yet."""
        return self._nuls + len(self._held) + self._dropped

    @property
    def has_unfinished_line(self) -> bool:
        """Whether the waiting line has text. NULs at its end are space that the writer has allocated to fill later."""
        return bool(self._held) and not self._held.endswith(b"\0") and not (self._is_in_line and self._held == b"\r")

    def feed(self, block: bytes) -> list[Piece]:
        """Add the next block; return the lines that are whole now."""
        pieces: list[Piece] = []
        at = self._end_long_line(block, pieces) if self._dropped else 0
        if not self._held:
            at = self._skip_nuls(block, at)
        end = block.rfind(b"\n", at) + 1
        if end:
            self._cut(self._join(block, at, end), pieces)
            at = self._skip_nuls(block, end)
        self._hold(block, at)
        return pieces

    def finish(self) -> Piece | None:
        """Return the waiting line with a newline added, as no more bytes of it will come; None if no line waits."""
        if not self.waiting:
            return None
        start, end = self._offset, self._offset + self.waiting
        data, offset, is_cut, continues_line = (
            bytes(self._held),
            start + self._nuls,
            self._dropped > 0,
            self._is_in_line,
        )
        self._begin_line(end)
        if not data or (continues_line and data == b"\r"):
            return Piece(start, end, b"", end)
        self._is_in_line = True
        return Piece(start, end, data + b"\n", offset, is_cut=is_cut, is_unfinished=True, continues_line=continues_line)

    def _begin_line(self, offset: int) -> None:
        self._is_in_line = False
        self._offset = offset
        self._nuls = self._dropped = 0
        self._held.clear()

    def _end_long_line(self, block: bytes, pieces: list[Piece]) -> int:
        """If the line that is too long ends in this block, add a piece with its beginning.

        Returns:
            The offset in the block at which the next line starts; 0 if the long line goes on.
        """
        end = block.find(b"\n") + 1
        if end:
            line_end = self._offset + self.waiting + end
            line_start = self._offset + self._nuls
            line = bytes(self._held) + b"\n"
            pieces.append(Piece(self._offset, line_end, line, line_start, is_cut=True, continues_line=self._is_in_line))
            self._begin_line(line_end)
        return end

    def _skip_nuls(self, block: bytes, at: int) -> int:
        """Return the offset after NULs at the start of a line.

        NULs are the hole that a truncation leaves if the writer goes on at its old offset.
        """
        end = _end_of_nuls(block, at)
        self._nuls += end - at
        return end

    def _join(self, block: bytes, at: int, end: int) -> bytes:
        if not self._held:
            return block[at:end]
        data = b"".join((self._held, memoryview(block)[at:end]))
        self._held.clear()
        return data

    def _hold(self, block: bytes, at: int) -> None:
        free = self._max - len(self._held)
        self._held += memoryview(block)[at : at + free]
        self._dropped += max(0, len(block) - at - free)

    def _cut(self, data: bytes, pieces: list[Piece]) -> None:
        """Add pieces of ``data``, which holds whole lines and follows the NULs that were skipped."""
        base = self._offset + self._nuls
        start, at = self._offset, self._end_line_in_progress(data)
        has_nuls = b"\0" in data
        while at < len(data):
            line_at = _end_of_nuls(data, at) if has_nuls else at
            end = self._end_of_lines(data, line_at, has_nuls=has_nuls)
            is_cut = end == line_at
            if is_cut:
                end = data.find(b"\n", line_at + self._max) + 1
                lines = data[line_at : line_at + self._max] + b"\n"
            else:
                lines = data[line_at:end]
            continues_line = self._is_in_line and line_at == 0
            pieces.append(Piece(start, base + end, lines, base + line_at, is_cut=is_cut, continues_line=continues_line))
            start, at = base + end, end
        if start < base + len(data):
            pieces.append(Piece(start, base + len(data), b"", base + len(data)))
        self._begin_line(base + len(data))

    def _end_line_in_progress(self, data: bytes) -> int:
        """Return the offset in ``data`` at which whole lines begin.

        It is 0, or lies after the newline of a line that was returned before as unfinished.
        """
        if not self._is_in_line:
            return 0
        return next((len(newline) for newline in (b"\n", b"\r\n") if data.startswith(newline)), 0)

    def _end_of_lines(self, data: bytes, at: int, *, has_nuls: bool) -> int:
        """Return the end of the lines from ``at`` on that fit into one piece; ``at`` if the first is too long."""
        hole = data.find(b"\n\0", at) if has_nuls else -1
        end = len(data) if hole < 0 else hole + 1
        while end - at > self._max + 1:
            newline = data.rfind(b"\n", at, at + self._max + 1)
            if newline < 0:
                return at
            at = newline + 1  # each line before it is shorter than this stride, so within the limit
        return end


def _end_of_nuls(data: bytes, at: int) -> int:
    found = _NULS.match(data, at)
    return found.end() if found else at
