r"""Cutting what was read into pieces of whole lines. Pure: it sees bytes in the order of the file, and no file.

A piece is as many whole lines as there are in one go, found by looking for the last newline. Only two things make more
pieces of a block: a line that is longer than allowed, and NULs at the start of a line. The lines behind them would not
stand where the piece's offset says.
"""

import re
from dataclasses import dataclass

_NULS = re.compile(rb"\0+")


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole lines, and the range of the file that they account for. See `chunk.Chunk` for the words."""

    start: int
    end: int
    data: bytes
    offset: int
    is_cut: bool = False
    is_unfinished: bool = False
    continues_line: bool = False


class LineCutter:
    """Takes blocks, gives pieces. Holds the line that waits for its newline: of a long one, only its beginning."""

    def __init__(self, offset: int, max_line_bytes: int, *, is_in_line: bool = False) -> None:
        """Start at an offset.

        Args:
            offset: of the first byte that will come.
            max_line_bytes: longer lines are cut.
            is_in_line: the beginning of the line that comes first was given out before, as an unfinished line.
        """
        self._is_in_line = is_in_line
        self._offset = offset  # everything before it is in a piece that was given out
        self._max = max_line_bytes
        self._nuls = 0  # skipped at the start of the waiting line
        self._held = bytearray()  # the waiting line, as far as it will be kept
        self._dropped = 0  # bytes of the waiting line beyond that: it is over-long

    @property
    def waiting(self) -> int:
        """How many bytes of a line without its newline were taken."""
        return self._nuls + len(self._held) + self._dropped

    @property
    def has_unfinished_line(self) -> bool:
        """Whether text waits for its newline. NULs at its end are room that its writer has allocated beforehand."""
        return bool(self._held) and not self._held.endswith(b"\0") and not (self._is_in_line and self._held == b"\r")

    def feed(self, block: bytes) -> list[Piece]:
        """Take the block that follows, and return the lines that are whole now."""
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
        """Return the line that waits, which will not get its newline any more; None if there is nothing."""
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
        """Give the beginning of the over-long line if it ends in this block; return where the next line starts."""
        end = block.find(b"\n") + 1
        if end:
            line_end = self._offset + self.waiting + end
            line_start = self._offset + self._nuls
            line = bytes(self._held) + b"\n"
            pieces.append(Piece(self._offset, line_end, line, line_start, is_cut=True, continues_line=self._is_in_line))
            self._begin_line(line_end)
        return end

    def _skip_nuls(self, block: bytes, at: int) -> int:
        """Step over NULs at the start of a line: the hole that a truncation leaves before a writer that goes on."""
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
        room = self._max - len(self._held)
        self._held += memoryview(block)[at : at + room]
        self._dropped += max(0, len(block) - at - room)

    def _cut(self, data: bytes, pieces: list[Piece]) -> None:
        """Make pieces of whole lines, which follow the NULs skipped so far."""
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
        """Return where whole lines begin: behind the newline of a line that was given out without it."""
        if not self._is_in_line:
            return 0
        return next((len(newline) for newline in (b"\n", b"\r\n") if data.startswith(newline)), 0)

    def _end_of_lines(self, data: bytes, at: int, *, has_nuls: bool) -> int:
        """Return how far the lines from ``at`` on may stay in one piece: ``at`` itself if the first is over-long."""
        hole = data.find(b"\n\0", at) if has_nuls else -1
        end = len(data) if hole < 0 else hole + 1
        while end - at > self._max + 1:
            newline = data.rfind(b"\n", at, at + self._max + 1)
            if newline < 0:
                return at
            at = newline + 1  # what lies before are lines, each shorter than this stride
        return end


def _end_of_nuls(data: bytes, at: int) -> int:
    found = _NULS.match(data, at)
    return found.end() if found else at
