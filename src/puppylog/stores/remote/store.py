"""A store behind a server, as a collector or a monitor uses it: each method is a call over HTTP.

The server holds the claims of its clients. If it is restarted, the next call brings the claims back. Whatever becomes
of a claim, the positions in the store ensure that no line is stored twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Final, Self

import pyarrow as pa

from puppylog.errors import StoreRefused, StoreUnavailable
from puppylog.stores.address import StoreAddress
from puppylog.stores.base import Appended, NewFile, Parameters, Replayed, Reread, StoreInfo
from puppylog.stores.definition_client import DefinitionClient
from puppylog.stores.messages import encode
from puppylog.stores.remote.connection import Answer, Connection
from puppylog.stores.remote.frames import END, BrokenFrames, Kind, pack_batch, pack_frame, unpack_batch
from puppylog.stores.remote.notifications import RemoteNotifications
from puppylog.stores.remote.protocol import FULL_BYTES, FULL_ROWS, PROTOCOL
from puppylog.stores.remote.rewriting import RemoteRewriter
from puppylog.stores.remote.session import Session
from puppylog.stores.streams import refuse_claimed
from puppylog.stores.token_client import TokenClient

if TYPE_CHECKING:  # a command that reads records uses none of these
    from puppylog.model.labels import Labels
    from puppylog.model.request import ReceivedRequest
    from puppylog.model.stream import FilePosition, KnownFile, Stream, StreamReport
    from puppylog.stores.cancellation import Cancellation
    from puppylog.stores.doctor import StoreFindings
    from puppylog.stores.remote.appender import RemoteAppender

_NEVER_REFUSES: Final = "duckdb"  # the flavour of a store that can hold every row


class RemoteStore(RemoteRewriter, DefinitionClient, RemoteNotifications, TokenClient):
    """A connected store. Implements `puppylog.stores.base.Store`. Usable with ``with``."""

    is_shared = True

    def __init__(self, address: StoreAddress, *, timeout_s: float | None = None) -> None:
        """Connect.

        Args:
            address: of the server, with the token.
            timeout_s: how many seconds a query may take; None is the server's limit.

        Raises:
            ConfigurationError: the address, the certificate or the token cannot be used, or there is no Puppylog server
                of this version (`StoreRefused`).
            StoreUnavailable: the server, or the store behind it, does not answer.
        """
        # Fields without a comment are not changed after the constructor.
        self._timeout_s = timeout_s
        self._ends: dict[int, int] = {}  # in the thread that commits
        self._connection = Connection(address)
        self._session = Session(self._connection, address)
        try:
            hello = self._greet()
        except BaseException:
            self.close()
            raise
        self.info = StoreInfo(**{**hello["info"], "url": self._connection.name})
        self.full_rows = min(int(hello["full_rows"]), FULL_ROWS)
        # Frames are compressed, so a batch of half the size of a body fits into one, with its attributes and its lines.
        self.full_bytes = min(FULL_BYTES, int(hello["max_body"]) // 2)

    def _greet(self) -> dict[str, Any]:
        hello: dict[str, Any] = self._connection.ask("hello", {})
        if hello.get("protocol") != PROTOCOL:
            cause = f"the server runs Puppylog {hello.get('version')}, which speaks another version of the protocol"
            raise StoreRefused("use", f"store {self._connection.name}", cause, "install the same version on both")
        return hello

    def _ask(self, call: str, /, **arguments: object) -> Any:  # noqa: ANN401 - JSON
        return self._connection.ask(call, arguments, session=self._session.id if self._session.is_started else "")

    # --- storing lines

    def open_streams(self, source_uris: Sequence[str], *, group: str | None = None) -> Sequence[Stream]:
        from puppylog.stores import values  # noqa: PLC0415 - as above

        claimed = self._session.find_claimed(source_uris)
        if claimed is not None:
            refuse_claimed(claimed, "this process")
        arguments = {"source_uris": list(source_uris), "group": group}
        streams = [values.to_stream(plain) for plain in self._session.ask("open_streams", arguments)]
        self._session.add_claims({stream.stream_id: stream.source_uri for stream in streams})
        return streams

    def set_labels(self, labels: Mapping[int, Labels]) -> None:
        self._ask("set_labels", labels={str(stream_id): dict(given) for stream_id, given in labels.items()})

    def close_stream(self, stream_id: int) -> None:
        if self._session.drop_claim(stream_id):
            self._session.ask("close_stream", {"stream_id": stream_id})

    def open_files(self, new: Sequence[NewFile]) -> Sequence[FilePosition]:
        from puppylog.stores import values  # noqa: PLC0415 - as above

        return [values.to_position(plain) for plain in self._ask("open_files", new=list(new))]

    def find_known_files(
        self, source_prefix: str, identities: Sequence[tuple[int, int]], heads: Sequence[tuple[int, str]]
    ) -> Sequence[KnownFile]:
        from puppylog.stores import values  # noqa: PLC0415 - as above

        asked = {"source_prefix": source_prefix, "identities": list(identities), "heads": list(heads)}
        return [values.to_known_file(plain) for plain in self._ask("find_known_files", **asked)]

    def find_files(self, file_ids: Sequence[int]) -> Mapping[int, FilePosition]:
        from puppylog.stores import values  # noqa: PLC0415 - as above

        files = [values.to_position(plain) for plain in self._ask("find_files", file_ids=list(file_ids))]
        return {file.file_id: file for file in files}

    def find_requests(self, digests: Sequence[str]) -> Mapping[str, ReceivedRequest]:
        from puppylog.stores import values  # noqa: PLC0415 - as above

        found = values.to_requests(self._ask("find_requests", digests=list(digests)))
        return {request.digest: request for request in found}

    def appender(self) -> RemoteAppender:
        from puppylog.stores.remote.appender import RemoteAppender  # noqa: PLC0415 - only a collector appends

        return RemoteAppender(self._append, self.find_files, self._ends, keeps_lines=self._keeps_lines)

    @property
    def _keeps_lines(self) -> bool:
        return self.info.flavour != _NEVER_REFUSES

    def _append(self, body: list[bytes]) -> Appended:
        """Send a transaction once. Another session may have claimed the streams since; then the server refuses it."""

        def send() -> Appended:
            with self._connection.open("append", body, session=self._session.id) as answer:
                plain = answer.read_json()
            refused = {int(stream_id): count for stream_id, count in plain["refused_by_stream"].items()}
            return Appended(**{**plain, "refused_by_stream": refused})

        return self._session.run(send)

    def replay(self, lines: Sequence[Reread]) -> Replayed:
        parts = [[part.stream_id, part.file_id] for part in lines]
        body = [pack_frame(Kind.JSON, encode({"parts": parts}))]
        for part in lines:
            column = pa.field("rejected_offset", pa.int64(), nullable=False)
            body.append(pack_batch(Kind.RECORDS, part.records.append_column(column, part.line_offsets)))
        with self._connection.open("replay", [*body, END]) as answer:
            return Replayed(**answer.read_json())

    def report(self, reports: Sequence[StreamReport]) -> None:
        self._ask("report", reports=list(reports))

    def keep_alive(self) -> None:
        self._ask("keep_alive")

    # --- reading

    def query(
        self, sql: str, parameters: Parameters | None = None, *, cancellation: Cancellation | None = None
    ) -> pa.Table:
        with self.stream_query(sql, parameters, cancellation=cancellation) as batches:
            return pa.Table.from_batches(list(batches))

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
        arguments = {"sql": sql, "parameters": dict(parameters or {}), "timeout_s": limit_s}
        with ExitStack() as stack:
            answer = stack.enter_context(
                self._connection.open("query", [pack_frame(Kind.JSON, encode(arguments)), END])
            )
            if cancellation is not None:
                stack.enter_context(cancellation.calling(answer.cut))
            yield self._iter_batches(answer)

    def _iter_batches(self, answer: Answer) -> Iterator[pa.RecordBatch]:
        for frame in answer.iter_frames():
            if frame.kind is Kind.ROWS:
                try:
                    yield unpack_batch(frame.payload)
                except BrokenFrames as error:
                    raise StoreUnavailable("read", f"the answer of store {self._connection.name}", str(error)) from None

    def list_findings(self) -> StoreFindings:
        from puppylog.model.finding import Finding, Health  # noqa: PLC0415 - only a doctor needs it
        from puppylog.stores.doctor import StoreFindings  # noqa: PLC0415 - as above

        plain = self._ask("list_findings")
        server = Finding("remote store", Health.OK, f"{self._connection.name}; the findings below are the server's")
        findings = [Finding(**{**finding, "state": Health(finding["state"])}) for finding in plain["findings"]]
        return StoreFindings([server, *findings], frozenset(plain["claimed"]))

    # --- sending

    def claim_sending(self) -> bool:
        is_sender = bool(self._session.ask("claim_sending", {}))
        self._session.set_sender(is_sender=is_sender)
        return is_sender

    def release_sending(self) -> None:
        self._session.set_sender(is_sender=False)
        if self._session.is_started:
            self._session.ask("release_sending", {})

    def close(self) -> None:
        self._session.close()
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
