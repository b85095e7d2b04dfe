"""A transaction of lines that is being built, in memory and in COPY format."""

from collections.abc import Callable, Mapping, Sequence

from puppylog.model.record import Parsed
from puppylog.model.request import ReceivedRequest
from puppylog.model.stream import FilePosition, Move
from puppylog.stores.base import Appended
from puppylog.stores.commit_once import CommitOnce
from puppylog.stores.postgres.ingest.append import Rows, make_ready


class CopyAppender:
    """Implements `puppylog.stores.base.Appender`."""

    def __init__(
        self,
        append: Callable[[Sequence[Move], Sequence[ReceivedRequest], Sequence[Rows]], Appended],
        find_files: Callable[[Sequence[int]], Mapping[int, FilePosition]],
    ) -> None:
        """Start without rows.

        Args:
            append: commits moves, requests and rows in one transaction; it does not retry.
            find_files: returns the committed positions of the files with these ids.
        """
        self._append = append
        self._once = CommitOnce(find_files)
        self._rows: list[Rows] = []

    def write(self, stream_id: int, file_id: int, parsed: Parsed) -> None:
        if parsed.lines:
            self._rows.append(make_ready(Rows(stream_id, file_id, parsed)))

    def complete(self) -> None:
        """Do nothing: `write` has encoded the rows."""

    def commit(self, moves: Sequence[Move], requests: Sequence[ReceivedRequest] = ()) -> Appended:
        appended = self._once.commit(moves, lambda: self._append(moves, requests, self._rows))
        if appended is None:
            # The answer is lost, and with it the number of rows that the server refused. All rows count as stored.
            appended = Appended(
                records=sum(part.parsed.records.num_rows for part in self._rows),
                rejects=sum(part.parsed.rejects.num_rows for part in self._rows),
            )
        self.discard()
        return appended

    def discard(self) -> None:
        self._rows = []
