"""Gathering lines into records of several lines: what is given out ends right before the first line of a record.

The record at the end waits as an unfinished line does: until the next one begins, or nobody believes in more any more.
"""

from collections.abc import Callable
from dataclasses import replace

from puppylog.tail.boundary import Boundary
from puppylog.tail.identity import Imprint
from puppylog.tail.lines import Piece


class RecordGatherer:
    """Takes pieces of whole lines, gives pieces of whole records, each with the imprint of the file at its end."""

    def __init__(self, boundary: Boundary, max_bytes: int) -> None:
        """Prepare; what waits longer than ``max_bytes`` is given out as the whole lines that it is."""
        self._boundary = boundary
        self._max = max_bytes
        self._held: Piece | None = None
        self.end: Imprint | None = None
        """Of the file at the end of the lines that wait; None if none do."""

    def feed(self, piece: Piece, imprint_at: Callable[[int], Imprint]) -> list[tuple[Piece, Imprint]]:
        """Take the lines that follow, and return those that are in whole records now."""
        given: list[tuple[Piece, Imprint]] = []
        if self._held is not None and (piece.is_cut or piece.offset != self._held.until):
            given += self.flush()
        if piece.is_cut:
            return [*given, (piece, imprint_at(piece.until))]
        start = self._boundary.find_last_start(piece.data)
        if start == 0:
            given += self.flush()
        elif start > 0:
            before, piece = _split(piece, start)
            given.append((self._join(before), imprint_at(before.until)))
            self._held = None
        self._held, self.end = self._join(piece), imprint_at(piece.until)
        if len(self._held.data) > self._max:
            given += self.flush()
        return given

    def flush(self) -> list[tuple[Piece, Imprint]]:
        """Return the lines that wait, if any, as if they were a whole record."""
        if self._held is None or self.end is None:
            return []
        given = [(self._held, self.end)]
        self._held = self.end = None
        return given

    def _join(self, piece: Piece) -> Piece:
        held = self._held
        return piece if held is None else replace(held, until=piece.until, data=held.data + piece.data)


def _split(piece: Piece, at: int) -> tuple[Piece, Piece]:
    until = piece.offset + at
    return (
        replace(piece, until=until, data=piece.data[:at]),
        Piece(until, piece.until, piece.data[at:], until),
    )
