"""The new rows of a file, as files in the spool, and the deletion of streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from puppylog.errors import BatchDropped, StoreFull
from puppylog.stores.rewriting import DeletedStream, ReadFile, Rewritten

if TYPE_CHECKING:  # a command that reads records uses none of these, and they take 20 ms of CPU
    from collections.abc import Callable

    from puppylog.model.record import Parsed
    from puppylog.stores.duckdb.spool import Spool, SpoolFile


class SpoolRewriting:
    """Implements `puppylog.stores.rewriting.Rewriting`."""

    def __init__(
        self,
        file: ReadFile,
        records: SpoolFile,
        rejects: SpoolFile,
        rewrite: Callable[[ReadFile, str, str | None, str | None], Rewritten],
    ) -> None:
        """Start without rows.

        Args:
            file: whose rows are replaced.
            records: an empty file of the spool for records.
            rejects: an empty file of the spool for rejected lines.
            rewrite: makes the engine replace the rows in one transaction. Its arguments are the file, the context, the
                path of the records and the path of the rejected lines.
        """
        self._file = file
        self._records = records
        self._rejects = rejects
        self._rewrite = rewrite

    def write(self, parsed: Parsed) -> None:
        try:
            self._records.write(self._file.stream_id, self._file.file_id, parsed.records)
            self._rejects.write(self._file.stream_id, self._file.file_id, parsed.rejects)
        except BatchDropped as error:
            raise StoreFull(*error.parts) from error

    def commit(self, context: str) -> Rewritten:
        try:
            records, rejects = self._records.finish(), self._rejects.finish()
        except BatchDropped as error:
            raise StoreFull(*error.parts) from error
        return self._rewrite(self._file, context, records, rejects)

    def discard(self) -> None:
        self._records.discard()
        self._rejects.discard()


class RewritingClient:
    """Implements `puppylog.stores.rewriting.StreamRewriter`, given `_ask` and `_own_spool`."""

    def _ask(self, call: str, /, **arguments: object) -> Any:  # noqa: ANN401 - JSON
        raise NotImplementedError

    def _own_spool(self) -> Spool:
        raise NotImplementedError

    def rewriting(self, file: ReadFile) -> SpoolRewriting:
        from puppylog.stores.duckdb.spool import SPOOLED_RECORDS, SPOOLED_REJECTS  # noqa: PLC0415 - see above

        spool = self._own_spool()
        return SpoolRewriting(file, spool.open_file(SPOOLED_RECORDS), spool.open_file(SPOOLED_REJECTS), self._rewrite)

    def _rewrite(self, file: ReadFile, context: str, records: str | None, rejects: str | None) -> Rewritten:
        return Rewritten(**self._ask("rewrite", file=file, context=context, records=records, rejects=rejects))

    def delete_stream(self, stream_id: int) -> DeletedStream:
        return DeletedStream(**self._ask("delete_stream", stream_id=stream_id))
