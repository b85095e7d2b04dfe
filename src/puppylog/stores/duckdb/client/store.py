"""The embedded store as a collector or a monitor uses it: a thin client of the engine process. Never imports DuckDB.

Every call starts the engine if it is not running, so the next call after a crash brings the engine back. All clients
share a lock as long as they live. The engine ends when no client holds that lock.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa
from pyarrow import flight

from puppylog.errors import ConfigurationError, StoreUnavailable
from puppylog.stores import messages
from puppylog.stores.base import FULL_BYTES, Appended, NewFile, Parameters, Replayed, Reread, StoreInfo
from puppylog.stores.definition_client import DefinitionClient
from puppylog.stores.duckdb import wire
from puppylog.stores.duckdb.client.channel import Channel
from puppylog.stores.duckdb.client.claims import Claims
from puppylog.stores.duckdb.client.interruptible import interruptible
from puppylog.stores.duckdb.client.launch import is_running
from puppylog.stores.duckdb.client.notifications import NotificationClient
from puppylog.stores.duckdb.client.rewriting import RewritingClient
from puppylog.stores.duckdb.directory import StoreDirectory, translate_os_error
from puppylog.stores.duckdb.locks import FileLock
from puppylog.stores.token_client import TokenClient

if TYPE_CHECKING:  # a command that reads records uses none of these, and they take 20 ms of CPU
    from puppylog.model.labels import Labels
    from puppylog.model.request import ReceivedRequest
    from puppylog.model.stream import FilePosition, KnownFile, Move, Stream, StreamReport
    from puppylog.stores.cancellation import Cancellation
    from puppylog.stores.doctor import StoreFindings
    from puppylog.stores.duckdb import copies
    from puppylog.stores.duckdb.client.appender import SpoolAppender
    from puppylog.stores.duckdb.spool import Spool


class DuckdbStore(RewritingClient, NotificationClient, TokenClient, DefinitionClient):
    """A connected embedded store. Implements `puppylog.stores.base.Store`."""

    is_shared = False
    full_bytes = FULL_BYTES

    def __init__(self, path: Path, *, timeout_s: float | None = None, starts_engine: bool = True) -> None:
        """Connect to the store in the directory ``path``, which is created if it does not exist.

        Args:
            path: the directory.
            timeout_s: how many seconds a query may take; None for no limit.
            starts_engine: whether to start the engine if it is not running.

        Raises:
            StoreRefused: the directory belongs to another user, or is not a store of this version.
            StoreUnavailable: the engine does not start, or does not run and must not be started.
        """
        # Fields without a comment are not changed after the constructor.
        self._timeout_s = timeout_s
        self._stack = contextlib.ExitStack()  # in the thread that makes appenders, and in `close`
        super().__init__(StoreDirectory(path))
        self._directory.prepare()
        self._presence = FileLock(self._directory.clients_lock)
        try:
            self._presence.acquire(shared=True, wait=True)
        except OSError as error:
            raise translate_os_error(self._directory.path, error) from None
        self._stack.callback(self._presence.release)
        socket = self._stack.enter_context(self._directory.reachable_socket())
        self._channel = Channel(self._directory, socket, starts_engine=starts_engine)  # in any thread
        self._spool: Spool | None = None  # in the thread that makes appenders; `Spool` says who uses what it has
        self._claims = Claims(self._directory.streams)  # in the thread that opens and closes streams
        try:
            hello = self._greet()
        except BaseException:
            self.close()
            raise
        self.info = StoreInfo(**hello["info"])
        self.engine_pid = int(hello["pid"])

    def _greet(self) -> dict[str, Any]:
        hello: dict[str, Any] = self._ask("hello")
        if hello["protocol"] != wire.PROTOCOL:
            raise ConfigurationError(
                "use",
                f"store {self._directory.path}",
                f"its engine runs Puppylog {hello['version']}",
                advice="end the puppylog processes that use it, run `puppylog down`, and try again",
            )
        return hello

    # --- storing lines

    @property
    def full_rows(self) -> int:
        """The number of rows of four of DuckDB's row groups.

        DuckDB writes whole row groups straight into its file, several times faster than smaller transactions. More than
        four gain little time and need more memory.
        """
        from puppylog.stores.duckdb.spool import ROW_GROUP  # noqa: PLC0415 - see above

        return 4 * ROW_GROUP

    def open_streams(self, source_uris: Sequence[str], *, group: str | None = None) -> Sequence[Stream]:
        from puppylog.stores import values  # noqa: PLC0415 - see above
        from puppylog.stores.streams import check_found, refuse_claimed  # noqa: PLC0415 - see above

        stream_ids = self._ask("open_streams", source_uris=list(source_uris), group=group)
        with contextlib.ExitStack() as undo:
            for stream_id, source_uri in zip(stream_ids, source_uris, strict=True):
                if not self._acquire(stream_id):
                    refuse_claimed(source_uri, self._claims.describe_holder(stream_id))
                undo.callback(self._claims.release, stream_id)
            # The positions are read after the claims: before them another collector may still move the positions.
            streams = [values.to_stream(plain) for plain in self._ask("find_streams", stream_ids=stream_ids)]
            check_found(streams, source_uris)
            undo.pop_all()
        return streams

    def _acquire(self, stream_id: int) -> bool:
        try:
            return self._claims.acquire(stream_id)
        except OSError as error:
            raise translate_os_error(self._directory.path, error) from None

    def set_labels(self, labels: Mapping[int, Labels]) -> None:
        self._ask("set_labels", labels={str(stream_id): dict(given) for stream_id, given in labels.items()})

    def close_stream(self, stream_id: int) -> None:
        self._claims.release(stream_id)

    def open_files(self, new: Sequence[NewFile]) -> Sequence[FilePosition]:
        from puppylog.stores import values  # noqa: PLC0415 - see above

        return [values.to_position(plain) for plain in self._ask("open_files", new=list(new))]

    def find_known_files(
        self, source_prefix: str, identities: Sequence[tuple[int, int]], heads: Sequence[tuple[int, str]]
    ) -> Sequence[KnownFile]:
        from puppylog.stores import values  # noqa: PLC0415 - see above

        asked = {"source_prefix": source_prefix, "identities": list(identities), "heads": list(heads)}
        return [values.to_known_file(plain) for plain in self._ask("find_known_files", **asked)]

    def appender(self) -> SpoolAppender:
        from puppylog.stores.duckdb.client.appender import SpoolAppender  # noqa: PLC0415 - see above

        return SpoolAppender(self._own_spool(), self.append_spooled, self.find_files)

    def replay(self, lines: Sequence[Reread]) -> Replayed:
        from puppylog.stores.duckdb.spool import SPOOLED_REREAD  # noqa: PLC0415 - see above

        spooled = self._own_spool().open_file(SPOOLED_REREAD)
        try:
            for part in lines:
                rows = part.records.append_column(SPOOLED_REREAD.field("rejected_offset"), part.line_offsets)
                spooled.write(part.stream_id, part.file_id, rows)
            return Replayed(**self._ask("replay", records=spooled.finish()))
        finally:
            spooled.discard()

    def _own_spool(self) -> Spool:
        from puppylog.stores.duckdb.spool import Spool  # noqa: PLC0415 - see above

        if self._spool is None:
            self._spool = self._stack.enter_context(Spool(self._directory.spool))
        return self._spool

    def report(self, reports: Sequence[StreamReport]) -> None:
        from puppylog.stores.rows import columns_of_reports  # noqa: PLC0415 - see above

        self._ask("report", columns=columns_of_reports(reports))

    def find_requests(self, digests: Sequence[str]) -> Mapping[str, ReceivedRequest]:
        from puppylog.stores import values  # noqa: PLC0415 - see above

        found = values.to_requests(self._ask("find_requests", digests=list(digests)))
        return {request.digest: request for request in found}

    def keep_alive(self) -> None:
        """Start the engine again if it has crashed, so that its jobs run as long as a client watches.

        Resources that an idle client does not need are released.
        """
        if self._spool is not None:
            self._spool.clear()  # called when there is no backlog, so the next batches are small
        try:
            has_engine = is_running(self._directory)  # costs less than a connection, which the engine has to accept
        except OSError as error:
            raise translate_os_error(self._directory.path, error) from None
        if not has_engine:
            self._ask("hello")
        self._channel.close_idle()

    # --- reading

    def query(
        self, sql: str, parameters: Parameters | None = None, *, cancellation: Cancellation | None = None
    ) -> pa.Table:
        values = dict(parameters) if parameters else None
        ticket = {"sql": sql, "parameters": values, "is_ours": True, "timeout_s": self._timeout_s}
        with self._calling(cancellation, ticket):
            table: pa.Table = interruptible(lambda: self._call(lambda channel: _get(channel, ticket).read_all()))
        return table

    def _calling(self, cancellation: Cancellation | None, ticket: dict[str, Any]) -> AbstractContextManager[None]:
        """Let another thread end the query of a ticket, which gets an id, if there is a cancellation."""
        if cancellation is None:
            return contextlib.nullcontext()
        ticket["id"] = os.urandom(8).hex()
        return cancellation.calling(lambda: self._ask("cancel_query", query_id=ticket["id"]))

    @contextmanager
    def stream_query(
        self,
        sql: str,
        parameters: Parameters | None = None,
        *,
        timeout_s: float | None = None,
        cancellation: Cancellation | None = None,
    ) -> Iterator[Iterator[pa.RecordBatch]]:
        limit_s = self._timeout_s if timeout_s is None else timeout_s
        values = dict(parameters) if parameters else None
        ticket = {"sql": sql, "parameters": values, "is_ours": False, "timeout_s": limit_s}
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._calling(cancellation, ticket))
            stack.enter_context(self._channel.in_use())
            reader = interruptible(lambda: self._call(lambda channel: _get(channel, ticket)))
            stack.callback(reader.cancel)
            yield _iter_batches(reader)

    def list_findings(self) -> StoreFindings:
        from puppylog.stores.duckdb.client import doctor  # noqa: PLC0415 - see above

        return doctor.list_findings(self, self.info, self._directory, int(self._greet()["pid"]), self._verify)

    def _verify(self, within_s: float) -> dict[str, int]:
        verified: dict[str, int] = self._ask("verify", within_s=within_s)
        return verified

    # --- the engine

    def back_up(self, place: Path) -> copies.Copy:
        """Copy the store to a new directory while it is used, and return what the copy holds.

        Raises:
            AlreadyExists: ``place`` already exists.
            StoreRefused: the directory cannot be written.
            StoreFull: there is no disk space. The copy is made in the store's directory first.
        """
        from puppylog.stores.duckdb import copies  # noqa: PLC0415 - see above

        copies.refuse_existing(place, "backup")
        name = copies.name_copy()
        copy = copies.Copy(**self._ask("back_up", name=name))
        copies.move(self._directory.outgoing / name, place)
        return copy

    def find_files(self, file_ids: Sequence[int]) -> dict[int, FilePosition]:
        """Return the committed positions of these files by their ids. Unknown ids are left out."""
        from puppylog.stores import values  # noqa: PLC0415 - see above

        files = [values.to_position(plain) for plain in self._ask("find_files", file_ids=list(file_ids))]
        return {file.file_id: file for file in files}

    def append_spooled(
        self, moves: Sequence[Move], requests: Sequence[ReceivedRequest], records: str | None, rejects: str | None
    ) -> Appended:
        """Make the engine commit a batch. This does not retry, so that the caller sees every error.

        Args:
            moves: one for each file of the batch.
            requests: the senders' requests that the batch stores.
            records: the path of the records in the spool; None if there are none.
            rejects: the path of the rejected lines in the spool; None if there are none.
        """
        plain = {"moves": list(moves), "requests": list(requests), "records": records, "rejects": rejects}
        return Appended(**self._act("append", plain, is_repeatable=False))

    def close(self) -> None:
        self._claims.close()
        self.release_sending()
        self._channel.close()
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, action: str, /, **arguments: object) -> Any:  # noqa: ANN401 - JSON
        """Call an action of the engine that is safe to repeat."""
        return self._act(action, arguments, is_repeatable=True)

    def _act(self, action: str, arguments: Mapping[str, object], *, is_repeatable: bool) -> Any:  # noqa: ANN401 - JSON
        body = messages.encode(arguments)

        def ask(channel: flight.FlightClient) -> Any:  # noqa: ANN401 - JSON
            (answer,) = interruptible(lambda: list(channel.do_action(flight.Action(action, body))))
            return messages.decode(answer.body.to_pybytes())

        return self._call(ask, is_repeatable=is_repeatable)

    def _call(self, ask: Any, *, is_repeatable: bool = True) -> Any:  # noqa: ANN401 - what the caller's function gives
        """Call ``ask`` with a connection to the engine, which is started if it is not running.

        If the engine goes away during the call and the call is repeatable, start the engine and repeat the call.
        """
        for is_last in (not is_repeatable, True):
            with self._channel.in_use():
                client = self._channel.open()
                try:
                    return ask(client)
                except (pa.ArrowException, OSError) as error:
                    failure = wire.decode_error(error)
            if isinstance(failure, StoreUnavailable):
                self._channel.drop(client)
            if is_last or not isinstance(failure, StoreUnavailable):
                raise failure
        raise AssertionError  # the loop returns or raises


def _get(channel: flight.FlightClient, ticket: Mapping[str, object]) -> flight.FlightStreamReader:
    return channel.do_get(flight.Ticket(messages.encode(ticket)))


def _read_chunk(reader: flight.FlightStreamReader) -> flight.FlightStreamChunk | None:
    try:
        return reader.read_chunk()
    except StopIteration:
        return None


def _iter_batches(reader: flight.FlightStreamReader) -> Iterator[pa.RecordBatch]:
    """Yield the batches of an answer. Without rows, yield one empty batch, which has the names of the columns."""
    is_empty = True
    try:
        while (chunk := interruptible(lambda: _read_chunk(reader))) is not None:
            is_empty = False
            yield chunk.data
    except (pa.ArrowException, OSError) as error:
        raise wire.decode_error(error) from None
    if is_empty:
        yield pa.RecordBatch.from_pylist([], schema=reader.schema)
