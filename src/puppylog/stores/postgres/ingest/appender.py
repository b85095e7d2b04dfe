"""A transaction of lines in the making, and what becomes of it when its answer gets lost."""

from collections.abc import Callable, Mapping, Sequence

from puppylog.errors import StreamBusy
from puppylog.model.record import Parsed
from puppylog.model.stream import FilePosition, Move, have_moved
from puppylog.stores.base import Appended
from puppylog.stores.postgres.ingest.append import Rows, make_ready


class CopyAppender:
    """One transaction of lines in the making, held in memory."""

    def __init__(
        self,
        append: Callable[[Sequence[Move], Sequence[Rows]], Appended],
        find_files: Callable[[Sequence[int]], Mapping[int, FilePosition]],
    ) -> None:
        """Begin with nothing.

        Args:
            append: commits rows and moves, once.
            find_files: tells where files stand, as they have been committed.
        """
        self._append = append
        self._find_files = find_files
        self._rows: list[Rows] = []
        self._is_uncertain = False

    def write(self, stream_id: int, file_id: int, parsed: Parsed) -> None:
        if parsed.lines:
            self._rows.append(make_ready(Rows(stream_id, file_id, parsed)))

    def complete(self) -> None:
        pass

    def commit(self, moves: Sequence[Move]) -> Appended:
        if self._is_uncertain and self._is_committed(moves):
            return self._as_committed()
        was_uncertain, self._is_uncertain = self._is_uncertain, True
        try:
            appended = self._append(moves, self._rows)
        except StreamBusy:
            # The session that we lost may have been committing still when we asked.
            if was_uncertain and self._is_committed(moves):
                return self._as_committed()
            raise
        self.discard()
        return appended

    def discard(self) -> None:
        self._rows = []

    def _as_committed(self) -> Appended:
        """Return the answer that got lost. How many rows were refused is not known any more."""
        records = sum(part.parsed.records.num_rows for part in self._rows)
        rejects = sum(part.parsed.rejects.num_rows for part in self._rows)
        self.discard()
        return Appended(records, rejects)

    def _is_committed(self, moves: Sequence[Move]) -> bool:
        """Return whether a commit whose answer got lost had come through: all moves have, or none has."""
        stands = self._find_files([move.file_id for move in moves])
        return have_moved(moves, stands)
