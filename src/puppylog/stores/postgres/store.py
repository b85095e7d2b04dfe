"""The PostgreSQL store as a collector or a monitor uses it.

One session is for claims, queries and definitions, and another one for batches, so that neither waits for the other.
The next call replaces a lost session, and claims the streams of the lost session again.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Final, Self

import pyarrow as pa

from puppylog.errors import PuppylogError, QueryError, StoreRefused, StoreUnavailable
from puppylog.model.alert import Alert
from puppylog.model.labels import Labels
from puppylog.model.metric import Metric
from puppylog.model.request import ReceivedRequest
from puppylog.model.retention import Retention
from puppylog.model.stream import FilePosition, KnownFile, Move, Stream, StreamReport
from puppylog.stores.base import FULL_BYTES, Appended, NewFile, Parameters, Replayed, Reread, StoreInfo
from puppylog.stores.cancellation import Cancellation
from puppylog.stores.doctor import StoreFindings
from puppylog.stores.postgres.ingest import streams
from puppylog.stores.postgres.ingest.append import Days, Rows, append, find_requests
from puppylog.stores.postgres.ingest.appender import CopyAppender
from puppylog.stores.postgres.ingest.replay import replay
from puppylog.stores.postgres.ingest.rewriting import LinkedRewriter
from puppylog.stores.postgres.runner import JobRunner, JobWaker
from puppylog.stores.postgres.schema.flavour import Flavour, list_capabilities, read_server
from puppylog.stores.postgres.schema.installation import check_library, get_installation
from puppylog.stores.postgres.sessions import reading_sql
from puppylog.stores.postgres.sessions.failures import forbid_reading, is_forbidden, is_read_only, is_timed_out
from puppylog.stores.postgres.sessions.link import Link, connect_both
from puppylog.stores.postgres.sessions.session import Session
from puppylog.stores.queries import load_queries
from puppylog.stores.streams import check_found, find_files, find_streams, refuse_claimed

_QUERIES: Final = load_queries("puppylog.stores.postgres", "server.sql")

if TYPE_CHECKING:
    from datetime import datetime

    from puppylog.model.notification import Outcome
    from puppylog.model.silence import Silence
    from puppylog.model.token import NewToken, Token
    from puppylog.stores.postgres.definitions.linked import LinkedDefinitions
    from puppylog.stores.postgres.notifications import Notifications
    from puppylog.stores.postgres.tokens import Tokens

_FULL_ROWS: Final = 65_536
_CHECKS_CLIENTS_SINCE: Final = 140_000  # client_connection_check_interval


class PostgresStore(LinkedRewriter):
    """A connected store. Implements `puppylog.stores.base.Store`."""

    is_shared = True
    # Larger transactions are not faster, and need more memory: their rows are in memory until the commit.
    full_rows = _FULL_ROWS
    full_bytes = FULL_BYTES

    def __init__(self, url: str, *, timeout_s: float | None = None) -> None:
        """Connect.

        Args:
            url: ``postgresql://user@host/database``.
            timeout_s: how many seconds a query may take; None for no limit.

        Raises:
            ConfigurationError: the server refuses the connection, or Puppylog is not installed (`StoreRefused`).
            StoreUnavailable: the server does not answer.
        """
        # Fields without a comment are not changed after the constructor.
        self._url = url
        self._timeout_s = timeout_s
        self._lock = threading.Lock()  # held for a moment only, never during a statement
        self._claims: dict[int, str] = {}  # under the lock: source URIs by stream id
        self._control = Link(url, "puppylog", self._claim_again)
        self._ingest = Link(url, "puppylog-ingest", self._prepare_ingest)
        self._control.pair(self._ingest)
        self._sending = Link(url, "puppylog-sender")
        self._runner: JobRunner | None = None  # under the lock
        self._waker = JobWaker()
        self._has_written = False  # set in any thread, never cleared
        try:
            with self._control.session() as session:
                installed = get_installation(session)
                server = read_server(session)
        except BaseException:
            self.close()
            raise
        self._installation = installed
        # In a transaction of the ingest link, so one thread at a time.
        self._days = Days(are_needed=not installed.flavour.is_timescale)
        self.info = StoreInfo(session.name, installed.flavour.value, server.version_text, installed.schema_version)
        self._runs_jobs = not next(
            capability.is_available
            for capability in list_capabilities(installed.flavour, server)
            if capability.name == "jobs in the server"
        )

    @property
    def flavour(self) -> Flavour:
        return self._installation.flavour

    # --- storing lines

    def open_streams(self, source_uris: Sequence[str], *, group: str | None = None) -> Sequence[Stream]:
        def work(session: Session) -> Sequence[Stream]:
            claims: dict[int, str] = {}
            with self._lock:
                claimed = frozenset(self._claims)
            for stream_id, source_uri in zip(
                streams.open_streams(session, source_uris, group), source_uris, strict=True
            ):
                if stream_id in claimed or stream_id in claims:
                    refuse_claimed(source_uri, "this process")
                claims[stream_id] = source_uri
            streams.claim_streams(session, claims)
            try:
                opened = find_streams(session, list(claims))
                check_found(opened, source_uris)
            except PuppylogError:
                with suppress(PuppylogError):  # if the session is lost, the server has released the claims
                    streams.release_streams(session, list(claims))
                raise
            with self._lock:
                self._claims.update(claims)  # only now: after an error above, the caller opens the streams again
            return opened

        connect_both(self._control, self._ingest)  # first, so that no stream is claimed that cannot be collected
        return self._control.call(work)

    def close_stream(self, stream_id: int) -> None:
        with self._lock:
            was_claimed = self._claims.pop(stream_id, None) is not None
        if not was_claimed or self._control.is_lost:
            return
        with suppress(StoreUnavailable):  # the session is lost, and the claim with it
            self._control.call(lambda session: streams.release_streams(session, [stream_id]), is_repeatable=False)

    def set_labels(self, labels: Mapping[int, Labels]) -> None:
        self._control.call(lambda session: streams.set_labels(session, labels))

    def open_files(self, new: Sequence[NewFile]) -> Sequence[FilePosition]:
        with self._writing():
            return self._control.call(lambda session: streams.open_files(session, new))

    def find_known_files(
        self, source_prefix: str, identities: Sequence[tuple[int, int]], heads: Sequence[tuple[int, str]]
    ) -> Sequence[KnownFile]:
        return self._control.call(lambda session: streams.find_known_files(session, source_prefix, identities, heads))

    def appender(self) -> CopyAppender:
        return CopyAppender(self.append, self.find_files)

    def report(self, reports: Sequence[StreamReport]) -> None:
        self._control.call(lambda session: streams.report(session, reports))
        self._wake_jobs()

    def find_requests(self, digests: Sequence[str]) -> Mapping[str, ReceivedRequest]:
        return self._control.call(lambda session: find_requests(session, digests))

    def keep_alive(self) -> None:
        """Connect again if the session is lost. Run the jobs, or wake the jobs that the server runs."""
        self._control.call(lambda session: session.run("SELECT"))
        self._run_jobs()
        self._wake_jobs()

    def _run_jobs(self) -> None:
        if not self._runs_jobs:
            return
        with self._lock:  # a commit and `keep_alive` may both be the first to need it
            if self._runner is None:
                self._runner = JobRunner(self._url)

    def _wake_jobs(self) -> None:
        if self.flavour.is_timescale:
            self._waker.wake(self._control)

    # --- reading

    def query(
        self, sql: str, parameters: Parameters | None = None, *, cancellation: Cancellation | None = None
    ) -> pa.Table:
        def work(session: Session) -> pa.Table:
            try:
                with _calling(cancellation, session):
                    return session.fetch(sql, parameters)
            except StoreUnavailable as error:
                if self._timeout_s is None or not is_timed_out(error):
                    raise
                cause = f"it took longer than {self._timeout_s:g} s (see --timeout)"
                raise QueryError("finish", "this query", cause) from error

        return self._control.call(work)

    @contextmanager
    def stream_query(
        self,
        sql: str,
        parameters: Parameters | None = None,
        *,
        timeout_s: float | None = None,
        cancellation: Cancellation | None = None,
    ) -> Iterator[Iterator[pa.RecordBatch]]:
        words = reading_sql.list_words(sql)
        with Session(self._url, application="puppylog-sql") as session:
            asked = {"words": words, "harmless": list(reading_sql.HARMLESS)}
            reading_sql.refuse_functions(
                [row["name"] for row in session.rows(_QUERIES["functions_with_effects"], asked)]
            )
            self._bound(session, timeout_s)
            try:
                with _calling(cancellation, session), session.reading(sql, parameters) as batches:
                    yield batches
            except QueryError as error:
                if not is_forbidden(error) or session.value(_QUERIES["may_read"]):
                    raise  # the object that the role may not read is not part of the store
                raise forbid_reading(error, session.role) from error

    def list_findings(self) -> StoreFindings:
        from puppylog.stores.postgres.doctor import doctor  # noqa: PLC0415 - only a doctor needs it

        return self._control.call(lambda session: doctor.list_findings(session, self._installation))

    # --- definitions

    @cached_property  # if two threads each create one, that does no harm: it has no state
    def _definitions(self) -> "LinkedDefinitions":
        from puppylog.stores.postgres.definitions.linked import LinkedDefinitions  # noqa: PLC0415 - no collector parses expressions

        return LinkedDefinitions(self._control, self._installation)

    def create_group(self, name: str) -> bool:
        return self._definitions.create_group(name)

    def delete_group(self, name: str) -> None:
        self._definitions.delete_group(name)

    def forget_stream(self, source_uri: str) -> None:
        self._definitions.forget_stream(source_uri)

    def create_metric(self, metric: Metric) -> bool:
        return self._definitions.create_metric(metric)

    def update_metric(self, metric: Metric) -> bool:
        return self._definitions.update_metric(metric)

    def delete_metric(self, name: str) -> None:
        self._definitions.delete_metric(name)

    def list_metrics(self) -> Sequence[Metric]:
        return self._definitions.list_metrics()

    def create_alert(self, alert: Alert) -> bool:
        return self._definitions.create_alert(alert)

    def update_alert(self, alert: Alert) -> bool:
        return self._definitions.update_alert(alert)

    def delete_alert(self, name: str) -> None:
        self._definitions.delete_alert(name)

    def list_alerts(self) -> Sequence[Alert]:
        return self._definitions.list_alerts()

    def set_retention(self, retention: Retention) -> bool:
        return self._definitions.set_retention(retention)

    def get_retention(self) -> Retention:
        return self._definitions.get_retention()

    # --- notifications

    @cached_property  # if two threads each create one, that does no harm: it has no state
    def _notifications(self) -> "Notifications":
        from puppylog.stores.postgres.notifications import Notifications  # noqa: PLC0415 - only a sender needs it

        return Notifications(self._control, self._sending)

    def claim_sending(self) -> bool:
        return self._notifications.claim_sending()

    def release_sending(self) -> None:
        self._notifications.release_sending()

    def settle(self, outcomes: Sequence["Outcome"]) -> None:
        self._notifications.settle(outcomes)

    def set_silence(self, silence: "Silence") -> bool:
        return self._notifications.set_silence(silence)

    def end_silence(self, name: str, at: "datetime") -> None:
        self._notifications.end_silence(name, at)

    def list_silences(self) -> Sequence["Silence"]:
        return self._notifications.list_silences()

    def acknowledge(self, alert: str, segment: str | None, author: str, comment: str) -> int:
        return self._notifications.acknowledge(alert, segment, author, comment)

    # --- tokens

    @cached_property  # if two threads each create one, that does no harm: it has no state
    def _tokens(self) -> "Tokens":
        from puppylog.stores.postgres.tokens import Tokens  # noqa: PLC0415 - only a server needs it

        return Tokens(self._control)

    def create_token(self, new: "NewToken") -> "Token":
        return self._tokens.create_token(new)

    def revoke_token(self, name: str) -> bool:
        return self._tokens.revoke_token(name)

    def list_tokens(self) -> Sequence["Token"]:
        return self._tokens.list_tokens()

    def find_tokens(self, hashes: Sequence[str]) -> Mapping[str, "Token"]:
        return self._tokens.find_tokens(hashes)

    def note_token_uses(self, token_ids: Sequence[int]) -> None:
        self._tokens.note_token_uses(token_ids)

    # --- batches

    def append(self, moves: Sequence[Move], requests: Sequence[ReceivedRequest], rows: Sequence[Rows]) -> Appended:
        """Commit moves, requests and rows. This does not retry, so that the caller sees every error."""
        with self._writing():
            appended = self._ingest.call(
                lambda session: append(session, self._days, moves, requests, rows), is_repeatable=False
            )
        self._run_jobs()  # a backfill may take hours, and its metrics must be refreshed meanwhile
        return appended

    def replay(self, lines: Sequence[Reread]) -> Replayed:
        replayed = self._ingest.call(lambda session: replay(session, self._days, lines))
        self._run_jobs()
        return replayed

    def find_files(self, file_ids: Sequence[int]) -> dict[int, FilePosition]:
        """Return the committed positions of these files by their ids. Unknown ids are left out."""
        found = self._ingest.call(lambda session: find_files(session, file_ids))
        return {file_id: file.position for file_id, file in found.items()}

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """If a server becomes read-only, as in a failover or when its disk is full, raise an error that may pass."""
        try:
            yield
        except StoreRefused as error:
            if self._has_written and is_read_only(error):
                raise StoreUnavailable(*error.parts) from error.__cause__
            raise
        self._has_written = True

    def _prepare_ingest(self, session: Session) -> None:
        check_library(session, self.flavour)
        session.run(_QUERIES["set_no_limits"])
        session.run(_QUERIES["make_durable"])

    def _claim_again(self, session: Session) -> None:
        """Claim in a new session the streams that the lost session had claimed."""
        self._bound(session)
        with self._lock:
            claims = dict(self._claims)
        if claims:
            check_library(session, self.flavour)
            streams.claim_with_retry(session, claims)

    def _bound(self, session: Session, timeout_s: float | None = None) -> None:
        """Make the server end a query that takes too long, or whose client has disconnected."""
        limit_s = self._timeout_s if timeout_s is None else timeout_s
        if limit_s is not None:
            session.run(f"SET statement_timeout = {max(1, round(limit_s * 1000))}")
        if session.server_version >= _CHECKS_CLIENTS_SINCE:
            session.run("SET client_connection_check_interval = 1000")

    def close(self) -> None:
        with self._lock:
            runner, self._runner = self._runner, None
            self._claims.clear()
        if runner is not None:
            runner.close()
        self._sending.close()
        self._ingest.close()
        self._control.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _calling(cancellation: Cancellation | None, session: Session) -> AbstractContextManager[None]:
    return nullcontext() if cancellation is None else cancellation.calling(session.cancel)
