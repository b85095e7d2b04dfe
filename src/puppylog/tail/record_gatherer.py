"""Gathers lines into records of several lines. Every piece that is returned ends where a record ends.

The last record waits until the next record begins, or until the file has not grown for some time.

No line is dropped. A record that has the most lines or bytes while it waits is returned, and the next line begins a
record of its own. The readers of the formats divide long records in the same way (`puppylog.formats.rows`), so a record
has the same lines however the file is divided into blocks.
"""

from collections.abc import Callable
from dataclasses import replace

from puppylog.tail.boundary import Boundary
from puppylog.tail.checkpoint import Checkpoint
from puppylog.tail.limits import MAX_RECORD_BYTES, MAX_RECORD_LINES
from puppylog.tail.lines import Piece

_BLANKS = b" \t\r"


class RecordGatherer:
    """Makes pieces of whole records of pieces of whole lines. Each comes with the checkpoint at its end."""

    def __init__(
        self, boundary: Boundary, *, max_lines: int = MAX_RECORD_LINES, max_bytes: int = MAX_RECORD_BYTES
    ) -> None:
        """Prepare. A record that has ``max_lines`` lines or ``max_bytes`` bytes gets no further line."""
        self._boundary = boundary
        self._max_lines = max_lines
        self._max_bytes = max_bytes
        self._held: Piece | None = None
        self.end: Checkpoint | None = None
        """The checkpoint at the end of the lines that wait; None if no lines wait."""

    def feed(self, piece: Piece, checkpoint_at: Callable[[int], Checkpoint]) -> list[tuple[Piece, Checkpoint]]:
        """Add the next lines; return the records that are complete now.

        A line that is too long, of which only the beginning is left, is a record of its own.
        """
        given: list[tuple[Piece, Checkpoint]] = []
        is_alone = piece.is_cut or not piece.data
        if is_alone or (self._held is not None and piece.offset != self._held.end):
            given += self.flush()
        if is_alone:
            return [*given, (piece, checkpoint_at(piece.end))]
        start = self._boundary.find_last_start(piece.data)
        if start == 0:
            given += self.flush()
        elif start >= 0:
            before, piece = _split(piece, start)
            given.append((self._join(before), checkpoint_at(before.end)))
            self._held = self.end = None
        if piece.data:
            given += self._hold(piece, checkpoint_at)
        return given

    def flush(self) -> list[tuple[Piece, Checkpoint]]:
        """Return the record that waits, if there is one: it counts as complete."""
        if self._held is None or self.end is None:
            return []
        given = [(self._held, self.end)]
        self._held = self.end = None
        return given

    def _join(self, piece: Piece) -> Piece:
        held = self._held
        return piece if held is None else replace(held, end=piece.end, data=held.data + piece.data)

    def _hold(self, piece: Piece, checkpoint_at: Callable[[int], Checkpoint]) -> list[tuple[Piece, Checkpoint]]:
        """Let lines wait after the lines that wait already; return those that are as many as a record may have."""
        given: list[tuple[Piece, Checkpoint]] = []
        waiting = self._join(piece)
        while (end := self._find_limit(waiting.data)) < len(waiting.data):
            part, waiting = _split(waiting, end)
            is_known = self._held is not None and part.end == self._held.end and self.end is not None
            given.append((part, self.end if is_known and self.end is not None else checkpoint_at(part.end)))
        self._held, self.end = waiting, checkpoint_at(waiting.end)
        return given

    def _find_limit(self, record: bytes) -> int:
        """Return the offset of the first line that the record may not have; the size of the record if it may have all.

        Blank lines count only if a line of the record follows them.
        """
        if len(record) < self._max_bytes and record.count(b"\n") < self._max_lines:
            return len(record)
        lines = blanks = at = 0
        start = 0  # of the first line that is not blank
        for line in record.split(b"\n")[:-1]:
            if not line.strip(_BLANKS):
                blanks += 1
            elif lines and (lines >= self._max_lines or at - start >= self._max_bytes):
                return at
            else:
                start = start if lines else at
                lines += blanks + 1 if lines else 1
                blanks = 0
            at += len(line) + 1
        return len(record)


def _split(piece: Piece, at: int) -> tuple[Piece, Piece]:
    end = piece.offset + at
    if at == len(piece.data):
        return piece, Piece(piece.end, piece.end, b"", piece.end)
    return (
        replace(piece, end=end, data=piece.data[:at]),
        Piece(end, piece.end, piece.data[at:], end),
    )
