"""Gathers lines into records of several lines. Every piece that is returned ends where a record ends.

The last record waits until the next record begins, or until the file has not grown for some time.

A record that gets too long while it waits is cut, as a long line is. Its first lines are kept. The others are dropped,
and the byte range of the record accounts for them: as a record of their own they would have no time.
"""

from collections.abc import Callable
from dataclasses import replace

from puppylog.tail.boundary import Boundary
from puppylog.tail.checkpoint import Checkpoint
from puppylog.tail.lines import Piece


class RecordGatherer:
    """Makes pieces of whole records of pieces of whole lines. Each comes with the checkpoint at its end."""

    def __init__(self, boundary: Boundary, max_bytes: int) -> None:
        """Prepare. If a record that waits is longer than ``max_bytes``, only its first lines are kept."""
        self._boundary = boundary
        self._max = max_bytes
        self._held: Piece | None = None
        self.end: Checkpoint | None = None
        """The checkpoint at the end of the lines that wait; None if no lines wait."""

    def feed(self, piece: Piece, checkpoint_at: Callable[[int], Checkpoint]) -> list[tuple[Piece, Checkpoint]]:
        """Add the next lines; return the records that are complete now."""
        given: list[tuple[Piece, Checkpoint]] = []
        if self._held is not None and piece.offset != self._held.end:
            given += self.flush()
        start = self._boundary.find_last_start(piece.data)
        if start == 0:
            given += self.flush()
        elif start > 0:
            before, piece = _split(piece, start)
            given += [(part, checkpoint_at(part.end)) for part in self._end_with(before)]
            self._held = None
        self._held, self.end = self._shorten(self._join(piece)), checkpoint_at(piece.end)
        return given

    def flush(self) -> list[tuple[Piece, Checkpoint]]:
        """Return the record that waits, if there is one: it counts as complete."""
        if self._held is None or self.end is None:
            return []
        given = [(self._held, self.end)]
        self._held = self.end = None
        return given

    def continues(self, line: bytes) -> bool:
        """Return whether a line, given with its newline, continues the record before it."""
        return self._boundary.find_last_start(line) < 0

    def _end_with(self, piece: Piece) -> list[Piece]:
        """Return the record that waits with the lines of ``piece`` added. The next record begins behind them."""
        held = self._held
        if held is None or (not held.is_cut and len(held.data) + len(piece.data) <= self._max):
            return [self._join(piece)]
        rest, others = _split(piece, self._find_first_start(piece.data))
        ended = self._shorten(self._join(rest))
        return [ended, others] if others.data else [ended]

    def _find_first_start(self, lines: bytes) -> int:
        """Return the offset in ``lines`` of the first line that begins a record; their size if no line does."""
        at = 0
        each = lines.split(b"\n")[:-1]
        for line, is_start in zip(each, self._boundary.mark_starts(each), strict=True):
            if is_start:
                break
            at += len(line) + 1
        return at

    def _join(self, piece: Piece) -> Piece:
        held = self._held
        if held is None:
            return piece
        data = held.data if held.is_cut else held.data + piece.data
        return replace(held, end=piece.end, data=data, is_cut=held.is_cut or piece.is_cut)

    def _shorten(self, record: Piece) -> Piece:
        """Keep as many first lines of a record as the limit allows, but at least one."""
        if len(record.data) <= self._max + 1:  # a line that was cut has the allowed bytes and a newline
            return record
        end = record.data.rfind(b"\n", 0, self._max) + 1 or record.data.find(b"\n") + 1
        return replace(record, data=record.data[:end], is_cut=True)


def _split(piece: Piece, at: int) -> tuple[Piece, Piece]:
    end = piece.offset + at
    return (
        replace(piece, end=end, data=piece.data[:at]),
        Piece(end, piece.end, piece.data[at:], end),
    )
