"""The part of the interface of a store that changes what is stored of a stream, written as obligations.

See `puppylog.stores.base`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # a command that reads records needs none of these
    from puppylog.model.record import Parsed


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The store's answer to the transaction that replaced the rows of a file."""

    removed_records: int
    removed_rejects: int
    records: int
    rejects: int
    refused: int = 0  # how many of the rejects fit their format, but have values that the store cannot hold


@dataclass(frozen=True, slots=True)
class DeletedStream:
    """What was deleted with a stream."""

    records: int
    rejects: int
    files: int


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file of a stream that a client has read again, and what the store had of it when the client began."""

    stream_id: int
    file_id: int
    byte_offset: int  # the position up to which its lines are stored, and were read again
    first_offset: int  # of the first record or rejected line that the store had of the file, in bytes


class Rewriting(Protocol):
    """The new rows of one file, which take the place of all rows that the store has of it."""

    def write(self, parsed: Parsed) -> None:
        """Add rows. Must keep them, on disk if they are many, until `commit` succeeds.

        Raises:
            StoreFull: there is no disk space for the rows.
        """

    def commit(self, context: str) -> Rewritten:
        """Replace the rows in one transaction: all of them or none.

        Must delete the records and the rejected lines of the file, store the new rows, and store the context with the
        position of the file. Must not move the position. Must invalidate the metrics' buckets at the times of the
        deleted records and of the new ones, so that every bucket becomes right, also if it has as many records as
        before. Must leave buckets right whose records were partly dropped, as far as their statistic allows.

        It is OK to call this again after any error, also if the answer to an earlier call was lost: the store then has
        the same rows. If the store can never hold a row, must store its line as a rejected line with the cause.

        Args:
            context: of the parser after the last line.

        Raises:
            StreamBusy: the position of the file is another one, or the store does not know the file.
            StoreUnavailable: the store does not answer; or the first row of the file is another one, because retention
                has dropped rows since the client began. The client then reads the file again.
            StoreForbidden: the client may not delete records.
        """

    def discard(self) -> None:
        """Delete the rows that wait; must leave no file behind. It is OK to call this at any time, and again."""


class StreamRewriter(Protocol):
    """Replaces and deletes what is stored of a stream. The client must have claimed the stream."""

    def rewriting(self, file: ReadFile) -> Rewriting:
        """Return a replacement of the rows of a file, without rows."""

    def delete_stream(self, stream_id: int) -> DeletedStream:
        """Delete the stream with its records, its rejected lines, its files and the report about it.

        Must do this in one transaction, and invalidate the metrics' buckets at the times of the deleted records. Must
        keep the alerts' history and evidence, and files of an archive. It is OK to delete a stream that does not exist.
        """
