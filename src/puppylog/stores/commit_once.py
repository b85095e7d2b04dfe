"""Committing a batch once, although the answer to a commit may be lost.

A commit whose answer is lost has been made, or not, or will be made while the client asks. The positions of the batch's
files tell: they move in the transaction of the rows.
"""

from collections.abc import Callable, Mapping, Sequence

from puppylog.errors import StreamBusy
from puppylog.model.stream import FilePosition, Move, have_moved
from puppylog.stores.base import Appended


class CommitOnce:
    """The commit of one batch. One thread at a time calls it, again after every error that may pass."""

    def __init__(self, find_files: Callable[[Sequence[int]], Mapping[int, FilePosition]]) -> None:
        """Begin without a commit.

        Args:
            find_files: must return the committed positions of files by their ids, without those it does not know.
        """
        self._find_files = find_files
        self.is_uncertain = False
        """Whether a commit was tried before, whose answer this client does not have."""

    def commit(self, moves: Sequence[Move], append: Callable[[], Appended]) -> Appended | None:
        """Commit the batch; return the store's answer, or None if an earlier call did and its answer was lost.

        Args:
            moves: of all files in the batch.
            append: must commit the rows and the moves in one transaction, and must raise StreamBusy if a file is not
                where its move starts. It is called at most once.

        Raises:
            StreamBusy: another collector has moved a file.
            StoreUnavailable: the store does not answer; the batch may have been committed.
        """
        was_uncertain = self.is_uncertain
        if was_uncertain and self._has_arrived(moves):
            return None
        self.is_uncertain = True
        try:
            return append()
        except StreamBusy:
            # The first commit may have been under way still when its positions were asked for.
            if was_uncertain and self._has_arrived(moves):
                return None
            raise

    def _has_arrived(self, moves: Sequence[Move]) -> bool:
        """Return whether the earlier commit was made: all its files have moved then, and otherwise none."""
        return have_moved(moves, self._find_files([move.file_id for move in moves]))
