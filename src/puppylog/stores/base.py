"""The interface of a store, written as obligations. One suite of contract tests checks every kind of store.

A collector needs a `RecordWriter`, a monitor a `RecordReader`, a command that defines metrics and alerts a
`DefinitionStore`, ``rejects replay`` a `Replayer`, ``collector reread`` and ``collector forget`` a `StreamRewriter`, a
sender a `NotificationStore`, and a server a `TokenStore`. A `Store` is all of them. A
method that changes the store returns when the change is durable. Every method raises only errors of `puppylog.errors`.
`StoreUnavailable` and `StoreFull` mean that the same call may succeed later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol, Self, TypeAlias

import pyarrow as pa

from puppylog.stores.notification_store import NotificationStore
from puppylog.stores.rewriting import StreamRewriter
from puppylog.stores.token_store import TokenStore

if TYPE_CHECKING:  # a command that reads records uses none of these, and they take 10 ms of CPU
    from puppylog.model.alert import Alert
    from puppylog.model.labels import Labels
    from puppylog.model.metric import Metric
    from puppylog.model.record import Parsed
    from puppylog.model.request import ReceivedRequest
    from puppylog.model.retention import Retention
    from puppylog.model.stream import FilePosition, KnownFile, Move, Stream, StreamReport
    from puppylog.stores.cancellation import Cancellation
    from puppylog.stores.doctor import StoreFindings

Value: TypeAlias = str | int | float | bool | None
Parameters: TypeAlias = Mapping[str, Value]
"""Values for the ``$names`` in a query. Stores bind them and never insert them into the SQL. Instants are RFC 3339."""


FULL_BYTES: Final = 256 << 20
"""The size of the lines in a large transaction of a store on this machine or in its network, in bytes."""


@dataclass(frozen=True, slots=True)
class Appended:
    """The store's answer to one transaction of lines."""

    records: int
    rejects: int
    refused: int = 0  # how many of the rejects fit their format, but have values that the store cannot hold
    refused_by_stream: Mapping[int, int] = field(default_factory=dict)  # the same number by stream id


@dataclass(frozen=True, slots=True)
class Reread:
    """Records of rejected lines of one file. The lines were parsed again, and fit their format now."""

    stream_id: int
    file_id: int
    records: pa.RecordBatch  # of schema RECORDS, at least one record for each line
    line_offsets: pa.Array  # int64: for each record, the offset in bytes of the rejected line that it was parsed from


@dataclass(frozen=True, slots=True)
class Replayed:
    """The store's answer to one transaction of rejected lines that were parsed again."""

    lines: int  # rejected lines that became records
    missed: int  # lines that another replay had already turned into records
    refused: Mapping[str, int]  # the number of lines that the store cannot hold as records, by cause


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that a stream starts to read."""

    stream_id: int
    path: str
    device: int  # st_dev as a signed 64-bit number
    inode: int  # st_ino as a signed 64-bit number
    byte_offset: int = 0  # reading starts here


class Appender(Protocol):
    """A transaction of lines that is being built: rows of any number of files, and the new position of each file."""

    def write(self, stream_id: int, file_id: int, parsed: Parsed) -> None:
        """Add rows. Must keep them, in memory or on disk, until `commit` succeeds. One thread at a time calls this."""

    def complete(self) -> None:
        """Prepare `commit`: no more rows follow. Another appender may be in `commit` at the same time."""

    def commit(self, moves: Sequence[Move], requests: Sequence[ReceivedRequest] = ()) -> Appended:
        """Commit the rows, the moves and the requests in one transaction: all of them or none.

        It is OK to call this again after a transient error. Must then ask the store whether the earlier transaction was
        committed, so that no row is stored twice. Must raise `StreamBusy` if the position of a file is not the start of
        its move: another collector has read the file. If the store can never hold a row, must store its line as a
        rejected line with the cause, and must store the other rows.

        Must raise `RequestRepeated` and store nothing if the store has committed one of the requests within the last
        `model.request.KEPT_S` seconds, also if another client commits it at the same moment, or if two of the requests
        have one digest. The caller then asks `find_requests` which ones they are. Must delete requests that are older.
        Every commit with requests must have a move, which tells after a lost answer whether it was committed.
        """

    def discard(self) -> None:
        """Delete the rows; must leave no file behind. Must do nothing after a successful `commit`."""


class RecordWriter(Protocol):
    """Stores parsed lines and the position of each file. Used by collectors."""

    @property
    def full_rows(self) -> int:
        """The number of rows per transaction with which a backfill into this store is fastest."""

    @property
    def full_bytes(self) -> int:
        """The size of the lines in a transaction, in bytes, with which a collector ends a batch of fewer rows."""

    def open_streams(self, source_uris: Sequence[str], *, group: str | None = None) -> Sequence[Stream]:
        """Claim the streams of these sources, create those that are new, and return them in the same order.

        Must return each stream with the positions of all its files. Must raise `StreamBusy` and claim no stream if
        another client, of this or of another process, has claimed one of them. A claim ends with `close_stream`, with
        `close`, or with the process. Must open a thousand streams within two seconds.

        Args:
            source_uris: one for each stream.
            group: the log group for the streams, created if it is new; None keeps the groups that the streams have.
        """

    def set_labels(self, labels: Mapping[int, Labels]) -> None:
        """Give streams labels, in place of those that they have. Other streams keep theirs.

        Must set the labels of a thousand streams within two seconds. Unknown streams are ignored.

        Args:
            labels: the labels by stream id, as `puppylog.model.labels.check_labels` returns them.
        """

    def close_stream(self, stream_id: int) -> None:
        """Release the claim on the stream. It is OK to close a stream that is not open."""

    def open_files(self, new: Sequence[NewFile]) -> Sequence[FilePosition]:
        """Register new files of streams, all of them or none, and return their positions in the same order.

        Must give the files increasing ids, in that order. Must register a thousand files within two seconds.
        """

    def find_known_files(
        self, source_prefix: str, identities: Sequence[tuple[int, int]], heads: Sequence[tuple[int, str]]
    ) -> Sequence[KnownFile]:
        """Return the registered files that have one of the identities, or that begin with one of the heads.

        Must search only the streams whose source URI starts with ``source_prefix``, because an inode identifies a file
        on one host only. Must return the files in the order in which they were registered, including finished files.
        Must not read all files of the store into the client, and must answer for a thousand identities and heads within
        a second.

        Args:
            source_prefix: the beginning of the source URIs of this host, such as ``file://web1/``.
            identities: devices and inodes, as signed 64-bit numbers.
            heads: sizes in bytes, above 0, and hashes, as `Fingerprint.head_size` and `Fingerprint.head_hash` are.
        """

    def find_files(self, file_ids: Sequence[int]) -> Mapping[int, FilePosition]:
        """Return the committed positions of these files by their ids. Must leave out unknown files."""

    def appender(self) -> Appender:
        """Return a new transaction of lines. It is OK to build several at once, with one of them in `commit`."""

    def report(self, reports: Sequence[StreamReport]) -> None:
        """Store a collector's reports about its streams. A report replaces the earlier report about its stream.

        Must take a thousand reports at once, every few seconds, and must not wait for an append. It is OK if a report
        becomes visible a moment later, or is lost in a crash. It is OK to ignore a report about a stream that the store
        does not know or that another client has claimed.
        """

    def find_requests(self, digests: Sequence[str]) -> Mapping[str, ReceivedRequest]:
        """Return those of the requests that were committed within the last `model.request.KEPT_S` seconds, by digest.

        Must leave out the others, and must answer for a thousand digests within a second.
        """

    def keep_alive(self) -> None:
        """Tell the store that a collector with ``--watch`` is connected. It is OK for this to do nothing."""


class Replayer(Protocol):
    """Replaces rejected lines by records, after the lines were parsed again."""

    def replay(self, lines: Sequence[Reread]) -> Replayed:
        """Delete the rejected lines and store their records, in one transaction: all of them or none.

        Must ignore a line that is no longer stored as rejected: another client has replayed the line, or this call did
        and its answer was lost. So any client may call this again after any error, and no record is stored twice. If
        the store can never hold a record of a line, must keep the line rejected, with the cause as its reason. Must
        invalidate the metrics' buckets at the records' times, as a commit of new lines does.
        """


class RecordReader(Protocol):
    """Answers queries. Used by monitors. Must answer while collectors append at full speed."""

    def query(
        self, sql: str, parameters: Parameters | None = None, *, cancellation: Cancellation | None = None
    ) -> pa.Table:
        """Run one of Puppylog's own queries, which only read, and return its whole answer.

        Args:
            sql: the query.
            parameters: values for the ``$names`` in it.
            cancellation: as `stream_query` has it. `CancellableReader` gives one to every query of a function.
        """

    def stream_query(
        self,
        sql: str,
        parameters: Parameters | None = None,
        *,
        timeout_s: float | None = None,
        cancellation: Cancellation | None = None,
    ) -> AbstractContextManager[Iterator[pa.RecordBatch]]:
        """Run a user's SQL and yield its answer in batches, at least one.

        Must refuse everything but one statement that only reads. Must find ``log_records`` without its schema.

        Args:
            sql: one statement.
            parameters: values for the ``$names`` in it.
            timeout_s: how many seconds it may take; None is the limit of the connection.
            cancellation: with it, another thread ends the query, which then fails within seconds. None: no thread does.

        Raises:
            QueryError: the store refuses the SQL, or the query fails. The message is the database's, on one line.
        """


class DefinitionStore(Protocol):
    """Stores definitions: log groups, metrics, alerts. The caller has checked the names; a store checks references."""

    def create_group(self, name: str) -> bool:
        """Create the group unless it exists; return whether it is new."""

    def delete_group(self, name: str) -> None:
        """Delete the group; must keep its streams, without a group, and their records.

        Raises:
            NotFound: there is no such group.
            UsageError: a metric is limited to the group.
        """

    def create_metric(self, metric: Metric) -> bool:
        """Create the metric and materialize the buckets of the stored records; return whether the metric is new.

        Must accept the same definition again.

        Raises:
            AlreadyExists: another definition has the name.
            NotFound: there is no such group.
            UsageError: the store cannot compute the segment or the filter.
        """

    def update_metric(self, metric: Metric) -> bool:
        """Replace the definition of the metric of this name; return whether it differs.

        Must compute the buckets again from the stored records. Must keep the alerts that judge the metric, with their
        states and history.

        Raises:
            NotFound: there is no such metric, or no such group.
            UsageError: an alert could not judge the metric, or the store cannot compute the segment or the filter.
        """

    def delete_metric(self, name: str) -> None:
        """Delete the metric and its buckets.

        Raises:
            NotFound: there is no such metric.
            UsageError: an alert judges the metric.
        """

    def list_metrics(self) -> Sequence[Metric]:
        """Return all metrics in the order of their names."""

    def create_alert(self, alert: Alert) -> bool:
        """Create the alert; return whether it is new. Its first evaluation is due one period from now.

        Must accept the same definition again.

        Raises:
            AlreadyExists: another definition has the name.
            NotFound: there is no such metric.
        """

    def update_alert(self, alert: Alert) -> bool:
        """Replace the definition of the alert of this name; return whether it differs.

        Must keep the alert's states and its history. The new definition judges from now on: its first evaluation is due
        one period from now. If only the fields in `TELLING_FIELDS` differ, evaluations must go on as before.

        Raises:
            NotFound: there is no such alert.
            UsageError: the alert judges another metric, or judges its segments in the other way.
        """

    def delete_alert(self, name: str) -> None:
        """Delete the alert, its states and its history.

        Raises:
            NotFound: there is no such alert.
        """

    def list_alerts(self) -> Sequence[Alert]:
        """Return all alerts in the order of their names."""


class RetentionStore(Protocol):
    """Stores which records are kept."""

    def set_retention(self, retention: Retention) -> bool:
        """Store which records are kept; return whether this is a change. The store's jobs drop the others.

        Must keep the buckets of dropped records, and must not compute these buckets again from the records that are
        left. Must keep the positions of files, so that no line is read again. It is OK to name a group that does not
        exist.

        Raises:
            UsageError: the store cannot keep records in this way; the cause says why.
            StoreForbidden: the client may not change this.
        """

    def get_retention(self) -> Retention:
        """Return which records the store keeps."""


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """The engine and the schema of a connected store."""

    url: str
    flavour: str  # "duckdb", or one of PostgreSQL's: "plain", "timescaledb", "timescaledb_distributed", "citus"
    version: str  # of DuckDB or PostgreSQL
    schema_version: int


class Store(
    RecordWriter,
    RecordReader,
    DefinitionStore,
    RetentionStore,
    Replayer,
    StreamRewriter,
    NotificationStore,
    TokenStore,
    Protocol,
):
    """A connected store. Usable with ``with``.

    Must allow several threads to use it at once, with two exceptions: one thread opens and closes streams, and one
    thread at a time uses an appender. It is OK for a store to make threads wait for each other.
    """

    @property
    def info(self) -> StoreInfo: ...

    @property
    def is_shared(self) -> bool:
        """Whether collectors on other machines may write to the store. If so, source URIs contain the host's name."""

    def forget_stream(self, source_uri: str) -> None:
        """Delete the collector's report about a stream, so that the stream is no longer shown.

        Must keep the stream's records and the positions in its files: if a file comes back, no line is stored twice.
        The next collector of the stream reports it again.

        Raises:
            NotFound: no collector has reported such a stream.
        """

    def list_findings(self) -> StoreFindings:
        """Return findings about the server, its capabilities, its jobs and metrics, and the ids of followed streams.

        Must say for each metric whether it is up to date, and for each missing capability why it is missing. Must only
        read, and must work for a role that may only read: a part that the role may not read gives a note. Must not
        raise for a fault of one part. Must return findings in the same order every time, with those about one subject
        next to each other.
        """

    def close(self) -> None:
        """Release every claim and the connection. It is OK to close a store twice."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...
