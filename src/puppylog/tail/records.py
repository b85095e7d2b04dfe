"""Gathering lines into records of several lines: what is given out ends right before the first line of a record.

The record at the end waits as an unfinished line does: until the next one begins, or nobody believes in more any more.

A record that grows too long while it waits is cut as an over-long line is: its first lines are kept, the others are
accounted for and dropped. They are not given out by themselves, because they would look like a record without a time.
"""

from collections.abc import Callable
from dataclasses import replace

from puppylog.tail.boundary import Boundary
from puppylog.tail.checkpoint import Checkpoint
from puppylog.tail.lines import Piece


class RecordGatherer:
    """Takes pieces of whole lines, gives pieces of whole records, each with the checkpoint of the file at its end."""

    def __init__(self, boundary: Boundary, max_bytes: int) -> None:
        """Prepare; of a record that waits and is longer than ``max_bytes`` the first lines are kept."""
        self._boundary = boundary
        self._max = max_bytes
        self._held: Piece | None = None
        self.end: Checkpoint | None = None
        """Of the file at the end of the lines that wait; None if none do."""

    def feed(self, piece: Piece, checkpoint_at: Callable[[int], Checkpoint]) -> list[tuple[Piece, Checkpoint]]:
        """Take the lines that follow, and return those that are in whole records now."""
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
        """Return the lines that wait, if any, as if they were a whole record."""
        if self._held is None or self.end is None:
            return []
        given = [(self._held, self.end)]
        self._held = self.end = None
        return given

    def continues(self, line: bytes) -> bool:
        """Return whether a line, with its newline, goes on with the record before it."""
        return self._boundary.find_last_start(line) < 0

    def _end_with(self, piece: Piece) -> list[Piece]:
        """Return the lines that wait and those of ``piece``, behind which a record begins."""
        held = self._held
        if held is None or (not held.is_cut and len(held.data) + len(piece.data) <= self._max):
            return [self._join(piece)]
        rest, others = _split(piece, self._find_first_start(piece.data))
        ended = self._shorten(self._join(rest))
        return [ended, others] if others.data else [ended]

    def _find_first_start(self, lines: bytes) -> int:
        """Return where the first line starts that begins a record; the end if none does."""
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
        """Keep as many first lines of a record as may be kept, and one at least."""
        if len(record.data) <= self._max + 1:  # a line that is cut itself has so much, and its newline
            return record
        end = record.data.rfind(b"\n", 0, self._max) + 1 or record.data.find(b"\n") + 1
        return replace(record, data=record.data[:end], is_cut=True)


def _split(piece: Piece, at: int) -> tuple[Piece, Piece]:
    end = piece.offset + at
    return (
        replace(piece, end=end, data=piece.data[:at]),
        Piece(end, piece.end, piece.data[at:], end),
    )
