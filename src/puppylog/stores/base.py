"""What a store must do, written as obligations. One contract suite asks every store whether it does.

A collector needs a `RecordWriter`, a monitor a `RecordReader`, a command that defines metrics and alerts a
`DefinitionStore`, and ``rejects replay`` a `Replayer`. A `Store` is all of them. A method that changes the store
returns when the change is durable. Every method raises errors of `puppylog.errors` only: `StoreUnavailable` or
`StoreFull` when the same call may succeed later.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol, Self, TypeAlias

import pyarrow as pa

from puppylog.model.alert import Alert
from puppylog.model.metric import Metric
from puppylog.model.record import Parsed
from puppylog.model.stream import FilePosition, KnownFile, Move, Stream, StreamReport
from puppylog.stores.doctor import StoreFindings

Value: TypeAlias = str | int | float | bool | None
Parameters: TypeAlias = Mapping[str, Value]
"""Values for the ``$names`` in a query. They never become part of its text. Instants are RFC 3339 strings."""


@dataclass(frozen=True, slots=True)
class Appended:
    """The store's answer to one transaction of lines."""

    records: int
    rejects: int
    refused: int = 0  # of the rejects: rows that fitted their format, but that the store can not hold
    refused_by_stream: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reread:
    """Rejected lines of one file that have been read again, and fit now."""

    stream_id: int
    file_id: int
    records: pa.RecordBatch  # of schema RECORDS, at least one of each line
    line_offsets: pa.Array  # int64: for each record, where the rejected line starts that it was made of


@dataclass(frozen=True, slots=True)
class Replayed:
    """The store's answer to one transaction of rejected lines that were read again."""

    lines: int  # that are records now
    missed: int  # that were no rejected lines any more
    refused: Mapping[str, int]  # lines that the store can not hold as records, by cause


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that a stream begins to read."""

    stream_id: int
    path: str
    device: int  # st_dev and st_ino, as signed 64-bit numbers
    inode: int
    byte_offset: int = 0  # where reading starts


class Appender(Protocol):
    """One transaction of lines in the making: rows of any number of files, and how far they take each file."""

    def write(self, stream_id: int, file_id: int, parsed: Parsed) -> None:
        """Take rows. Must hold them, in memory or on disk, until `commit` has succeeded. One thread at a time."""

    def complete(self) -> None:
        """Do what of `commit` can be done beforehand: no more rows will come. Another appender may be in `commit`."""

    def commit(self, moves: Sequence[Move]) -> Appended:
        """Commit the rows and the moves in one transaction, or none of it.

        Must find out by asking, after a cut connection, whether the transaction had been committed, so that calling it
        again after a transient error stores nothing twice. Must refuse with `StreamBusy` when a file does not stand
        where its move starts: another collector has read it meanwhile. Must keep a row that it can never hold as a
        rejected line, with its cause, and store the others.
        """

    def discard(self) -> None:
        """Drop what is held; must leave nothing behind. Is a no-op after a successful `commit`."""


class RecordWriter(Protocol):
    """Stores parsed lines, and how far each file has been read. Used by collectors."""

    @property
    def full_rows(self) -> int:
        """The number of rows in one transaction with which this store takes a backfill fastest."""

    def open_streams(self, source_uris: Sequence[str], *, group: str | None = None) -> Sequence[Stream]:
        """Claim the streams of these sources; return them with all positions, in the same order. New ones are made.

        Must refuse with `StreamBusy`, and then claim none of them, while a client of this or of another process holds
        one. A claim ends with `close_stream`, with `close`, or with the process. ``group`` is made if it is new; None
        leaves the streams in the groups they have. Must open a thousand within a second or two.
        """

    def close_stream(self, stream_id: int) -> None:
        """Give the claim back. It is OK to close what is not open."""

    def open_files(self, new: Sequence[NewFile]) -> Sequence[FilePosition]:
        """Make new files of streams, all of them or none, and return them in the same order.

        They count as opened in that order. Must open a thousand within a second or two.
        """

    def find_known_files(
        self, source_prefix: str, identities: Sequence[tuple[int, int]], heads: Sequence[tuple[int, str]]
    ) -> Sequence[KnownFile]:
        """Return the files that were read from a device and inode, or that begin with one of the heads.

        Only streams whose source URI starts with ``source_prefix`` are searched: an inode means something on one host.
        Must return files in the order in which they were opened, finished ones included. Must not read all files of the
        store into the client, and must answer for a thousand identities and heads within a second.

        Args:
            source_prefix: what the source URIs of this host begin with, such as ``file://web1/``.
            identities: devices and inodes, as signed 64-bit numbers.
            heads: sizes in bytes, above 0, and hashes, as `Fingerprint.head_size` and `Fingerprint.head_hash` are.
        """

    def appender(self) -> Appender:
        """Start a transaction of lines. Several may be in the making, one may be in `commit`."""

    def report(self, reports: Sequence[StreamReport]) -> None:
        """Keep what a collector says of its streams, in place of what it said before.

        Must take a thousand at once, every few seconds, and not wait for an append. It is OK for a report to be seen a
        moment later, to be lost in a crash, and to be left out if its stream is unknown or claimed by another client.
        """

    def keep_alive(self) -> None:
        """Tell the store that a watching client is connected. It is OK for this to do nothing."""


class Replayer(Protocol):
    """Stores records in place of rejected lines that have been read again."""

    def replay(self, lines: Sequence[Reread]) -> Replayed:
        """Turn rejected lines into records in their place, in one transaction, or none of them.

        Must leave out a line that is no rejected line any more: another client has replayed it, or this call has and
        its answer was lost. So any client may call it again after any error, and nothing is stored twice. Must keep a
        line rejected, with the cause as its reason, if it can never hold one of the line's records. Must tell the
        metrics of the records' times, as a commit of new lines does.
        """


class RecordReader(Protocol):
    """Answers queries. Used by monitors. Must answer while collectors append at full speed."""

    def query(self, sql: str, parameters: Parameters | None = None) -> pa.Table:
        """Run one of Puppylog's own reading queries and return its whole answer."""

    def stream_query(self, sql: str) -> AbstractContextManager[Iterator[pa.RecordBatch]]:
        """Run a user's SQL: one statement that reads, never writes. Unqualified ``log_records`` must be found.

        Raises:
            QueryError: the store refuses it; the message is the engine's, on one line.
        """


class DefinitionStore(Protocol):
    """Definitions: log groups, metrics, alerts. Names have been checked by the caller; references are checked here."""

    def create_group(self, name: str) -> bool:
        """Return whether it is new."""

    def delete_group(self, name: str) -> None:
        """Forget the group; must keep its streams and records, in no group.

        Raises:
            NotFound: there is no such group.
            UsageError: a metric is limited to it.
        """

    def create_metric(self, metric: Metric) -> bool:
        """Make the metric and materialize the records it covers; return whether it is new.

        Must accept the same definition again.

        Raises:
            AlreadyExists: the name belongs to another definition.
            NotFound: no such group.
            UsageError: the store cannot compute the segment or the filter.
        """

    def delete_metric(self, name: str) -> None:
        """Raises NotFound, or UsageError while an alert judges it."""

    def list_metrics(self) -> Sequence[Metric]:
        """In the order of their names."""

    def create_alert(self, alert: Alert) -> bool:
        """Make the alert, which is evaluated from now on; return and raise as `create_metric` does."""

    def delete_alert(self, name: str) -> None:
        """Forget the alert, its states and its history. Raises NotFound."""

    def list_alerts(self) -> Sequence[Alert]:
        """In the order of their names."""


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """The engine and the schema of a connected store."""

    url: str
    flavour: str  # "duckdb", or one of PostgreSQL's: "plain", "timescaledb", "timescaledb_distributed", "citus"
    version: str  # of the engine
    schema_version: int


class Store(RecordWriter, RecordReader, DefinitionStore, Replayer, Protocol):
    """A connected store. Usable with ``with``.

    Must allow several threads to use it at once, with two exceptions: one thread opens and closes streams, and one
    thread at a time uses an appender. It is OK for a store to make threads wait for each other.
    """

    @property
    def info(self) -> StoreInfo: ...

    @property
    def is_shared(self) -> bool:
        """Whether collectors on other machines may write to it; source URIs then name the host."""

    def list_findings(self) -> StoreFindings:
        """Return findings about the server, its capabilities, its jobs and metrics, and the ids of followed streams.

        Must say of every metric whether it is up to date, and of every capability that is missing why it is. Must only
        read, and must be possible for a role that may only read: a part that this role may not read gives a note. Must
        not raise for a fault of one part. Must give findings in the same order every time, those of one subject
        together.
        """

    def close(self) -> None:
        """Give every claim back. Must be possible twice."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...
