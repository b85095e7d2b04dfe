"""Committing a batch once, although the answer to a commit may be lost.

If the answer is lost, the commit may have succeeded, may have failed, or may still be running when the client asks. The
positions of the batch's files tell which: they move in the same transaction as the rows.
"""

from collections.abc import Callable, Mapping, Sequence

from puppylog.errors import RequestRepeated, StreamBusy
from puppylog.model.stream import FilePosition, Move, have_moved
from puppylog.stores.base import Appended


class CommitOnce:
    """The commit of one batch. The caller calls `commit` again after each transient error. For one thread at a time."""

    def __init__(self, find_files: Callable[[Sequence[int]], Mapping[int, FilePosition]]) -> None:
        """Start without a commit.

        Args:
            find_files: must return the committed positions of the files with these ids, and leave out unknown files.
        """
        self._find_files = find_files
        self.is_uncertain = False
        """Whether an earlier commit was sent to the store and may have succeeded."""

    def commit(self, moves: Sequence[Move], append: Callable[[], Appended]) -> Appended | None:
        """Commit the batch; return the store's answer, or None if an earlier call committed the batch.

        Args:
            moves: one for each file of the batch.
            append: must commit the rows, the moves and the requests in one transaction, and must raise StreamBusy if
                the position of a file is not the start of its move. It is called at most once.

        Raises:
            StreamBusy: another collector has moved the position of a file.
            RequestRepeated: the store has a request of the batch from another commit.
            StoreUnavailable: the store does not answer; the batch may have been committed.
        """
        was_uncertain = self.is_uncertain
        if was_uncertain and self._is_committed(moves):
            return None
        self.is_uncertain = True
        try:
            return append()
        except (StreamBusy, RequestRepeated):
            # The earlier commit may have been running when the positions were read, and may have ended since.
            if was_uncertain and self._is_committed(moves):
                return None
            raise

    def _is_committed(self, moves: Sequence[Move]) -> bool:
        """Return whether the earlier commit succeeded: then all its files have moved, otherwise none of them."""
        return have_moved(moves, self._find_files([move.file_id for move in moves]))
