"""A transaction of lines that is being built, as files in the spool."""

from collections.abc import Callable, Mapping, Sequence

from puppylog.model.record import Parsed
from puppylog.model.request import ReceivedRequest
from puppylog.model.stream import FilePosition, Move
from puppylog.stores.base import Appended
from puppylog.stores.commit_once import CommitOnce
from puppylog.stores.duckdb.spool import SPOOLED_RECORDS, SPOOLED_REJECTS, Spool


class SpoolAppender:
    """Implements `puppylog.stores.base.Appender`."""

    def __init__(
        self,
        spool: Spool,
        append_spooled: Callable[[Sequence[Move], Sequence[ReceivedRequest], str | None, str | None], Appended],
        find_files: Callable[[Sequence[int]], Mapping[int, FilePosition]],
    ) -> None:
        """Start without rows.

        Args:
            spool: the client's folder, to which the rows are written.
            append_spooled: makes the engine commit the moves, the requests, and the rows of two files of the spool, in
                one transaction. Its arguments are the moves, the requests, the path of the records and the path of the
                rejected lines. It does not retry.
            find_files: returns the committed positions of the files with these ids.
        """
        self._append_spooled = append_spooled
        self._once = CommitOnce(find_files)
        self._records = spool.open_file(SPOOLED_RECORDS)
        self._rejects = spool.open_file(SPOOLED_REJECTS)
        self._record_count = 0
        self._reject_count = 0

    def write(self, stream_id: int, file_id: int, parsed: Parsed) -> None:
        self._records.write(stream_id, file_id, parsed.records)
        self._rejects.write(stream_id, file_id, parsed.rejects)
        self._record_count += parsed.records.num_rows
        self._reject_count += parsed.rejects.num_rows

    def complete(self) -> None:
        self._records.finish()
        self._rejects.finish()

    def commit(self, moves: Sequence[Move], requests: Sequence[ReceivedRequest] = ()) -> Appended:
        records, rejects = self._records.finish(), self._rejects.finish()
        was_uncertain = self._once.is_uncertain
        self._once.commit(moves, lambda: self._append_spooled(moves, requests, records, rejects))
        if was_uncertain:
            self.discard()  # the engine may still read the files for the first commit, so no batch may overwrite them
        else:
            self._records.give_back()
            self._rejects.give_back()
        return Appended(records=self._record_count, rejects=self._reject_count)

    def discard(self) -> None:
        self._records.discard()
        self._rejects.discard()
