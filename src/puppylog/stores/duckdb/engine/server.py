"""The engine process: answers clients over the socket, runs the jobs, and ends when it has no client.

`launch` starts it. It prints one line, "ready" or an error, and then closes its output. Everything else goes to
``engine.log``.
"""

import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import flight

from puppylog import __version__
from puppylog.errors import PuppylogError, StoreDamaged, StoreError, StoreUnavailable
from puppylog.model.alert import Alert
from puppylog.model.metric import Metric
from puppylog.stores import messages, values
from puppylog.stores.base import StoreInfo
from puppylog.stores.duckdb import copies, spool, wire
from puppylog.stores.duckdb.directory import StoreDirectory
from puppylog.stores.duckdb.engine import ingest, outbox, received_requests, replay, stream_actions, streams, tokens
from puppylog.stores.duckdb.engine.backup import Backups
from puppylog.stores.duckdb.engine.commits import CommitNumbers
from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.duckdb.engine.damage import DamageNote
from puppylog.stores.duckdb.engine.database import Engine
from puppylog.stores.duckdb.engine.definitions import DEFINITIONS
from puppylog.stores.duckdb.engine.jobs import Jobs
from puppylog.stores.duckdb.engine.limited_log import LimitedLog
from puppylog.stores.duckdb.engine.process_memory import LibraryPages, limit_memory
from puppylog.stores.duckdb.engine.retainer import Retainer
from puppylog.stores.duckdb.engine.retention import read_retention
from puppylog.stores.duckdb.engine.running_query import QueryRunner, Question
from puppylog.stores.duckdb.engine.schema import SCHEMA_VERSION, migrate
from puppylog.stores.duckdb.engine.store_wait import wait_for_store
from puppylog.stores.duckdb.engine.tally_thread import TallyThread
from puppylog.stores.duckdb.engine.verify import Verified, verify
from puppylog.stores.duckdb.locks import FileLock
from puppylog.stores.duckdb.polling import polling_in_callers
from puppylog.stores.streams import find_files, find_streams

IDLE_S = 10.0
"""How long the engine stays after its last client has left, so that the next command usually finds it running."""

# How long a new engine tries to get its lock: a client takes the lock for a moment to see whether an engine runs.
_OWN_S = 2.0
_LOG_LIMIT_BYTES = 1 << 20
_log = logging.getLogger("puppylog.engine")


class Service(flight.FlightServerBase):
    """Answers the clients' requests: actions by name, and queries by SQL. Each request runs in its own thread."""

    def __init__(
        self,
        location: str,
        directory: StoreDirectory,
        engine: Engine,
        jobs: Jobs,
        *,
        retainer: Retainer,
        damage: DamageNote,
    ) -> None:
        # No field is changed after the constructor, so the threads of the requests need no lock.
        self._damage = damage
        self._directory = directory
        self._engine = engine
        self._jobs = jobs
        self._retainer = retainer
        self._queries = QueryRunner(engine)
        self._backups = Backups(engine, directory)
        self.asked_to_end = threading.Event()
        self._actions: dict[str, Callable[..., object]] = {
            "hello": self._hello,
            "verify": self._verify,
            "leave": self.asked_to_end.set,
            "back_up": self._backups.back_up,
            "open_streams": self._open_streams,
            "find_streams": self._find_streams,
            "open_files": self._open_files,
            "find_files": self._find_files,
            "find_known_files": self._find_known_files,
            "append": self._append,
            "cancel_query": self._queries.cancel,
            "find_requests": self._find_requests,
            "report": self._report,
            "replay": self._replay,
            "create_group": self._writing(DEFINITIONS.create_group),
            "delete_group": self._writing(DEFINITIONS.delete_group),
            **stream_actions.list_actions(engine, directory, self._refuse_damaged, retainer, jobs.note_append),
            "create_metric": self._create_metric,
            "update_metric": self._update_metric,
            "delete_metric": self._writing(DEFINITIONS.delete_metric),
            "list_metrics": self._list_metrics,
            "create_alert": self._writing_alert(DEFINITIONS.create_alert),
            "update_alert": self._writing_alert(DEFINITIONS.update_alert),
            "delete_alert": self._writing(DEFINITIONS.delete_alert),
            "list_alerts": self._list_alerts,
            **outbox.list_actions(engine),
            **tokens.list_actions(engine),
            "set_retention": self._set_retention,
            "get_retention": self._get_retention,
        }
        with polling_in_callers():
            super().__init__(location)  # last, because from now on requests come

    def do_action(self, context: flight.ServerCallContext, action: flight.Action) -> Iterator[flight.Result]:
        del context  # no permission to check: only the store's owner can open the socket
        with _answering(action.type):
            act = self._actions.get(action.type)
            if act is None:
                raise StoreError("do", repr(action.type[:40]), "the engine knows no such action")
            answer = act(**messages.decode(action.body))
        yield flight.Result(pa.py_buffer(messages.encode(answer)))

    def do_get(self, context: flight.ServerCallContext, ticket: flight.Ticket) -> flight.GeneratorStream:
        with _answering("query"):
            question = Question(**messages.decode(ticket.ticket))
            batches = self._iter_query(question, context)
            schema = next(batches)
        return flight.GeneratorStream(schema, batches)

    def _iter_query(self, question: Question, context: flight.ServerCallContext) -> Iterator[Any]:
        """Yield the answer's schema, then its batches."""
        with _answering("query"):
            yield from self._queries.iter_answer(question, context.is_cancelled)

    def _hello(self) -> dict[str, object]:
        info = StoreInfo(str(self._directory.path), "duckdb", self._engine.version, SCHEMA_VERSION)
        return {"protocol": wire.PROTOCOL, "version": __version__, "pid": os.getpid(), "info": info}

    def _verify(self, within_s: float) -> Verified:
        """Read the database for a limited time. Read a damaged one completely: only that proves that it is repaired."""
        with self._engine.read() as connection:
            verified = verify(connection, within_s if self._damage.found is None else None)
        if verified.read == verified.rows:
            self._damage.clear()
        return verified

    def _refuse_damaged(self) -> None:
        """Raise StoreDamaged if the database is damaged, because it could lose new lines."""
        if self._damage.found is not None:
            raise StoreDamaged("read", f"the store {self._directory.path}", self._damage.found)

    def _writing(self, work: Callable[[Connection, str], object]) -> Callable[[str], object]:
        """Return an action that runs ``work`` with a name, of a group, metric or alert, in a transaction."""

        def act(name: str) -> object:
            done = self._engine.write(lambda connection: work(connection, name))
            self._jobs.note_definitions()
            return done

        return act

    def _create_metric(self, metric: dict[str, Any]) -> bool:
        asked = values.to_metric(metric)
        stored = self._engine.write(lambda connection: DEFINITIONS.create_metric(connection, asked))
        if stored is not None:
            self._materialize(asked)
            self._jobs.note_definitions()
        return stored is not None

    def _update_metric(self, metric: dict[str, Any]) -> bool:
        asked = values.to_metric(metric)
        with self._engine.read() as connection:
            before = DEFINITIONS.get_metric(connection, asked.name).metric
        stored = self._engine.write(lambda connection: DEFINITIONS.update_metric(connection, asked))
        if stored is not None:
            self._materialize(asked, before)
            self._jobs.note_definitions()
        return stored is not None

    def _materialize(self, metric: Metric, before: Metric | None = None) -> None:
        """Fill a new metric. Delete it or restore the one before if that fails: each refresh would fail, too."""
        try:
            self._jobs.materialize(metric)
        except PuppylogError:
            if before is None:
                self._engine.write(lambda connection: DEFINITIONS.delete_metric(connection, metric.name))
            else:
                self._engine.write(lambda connection: DEFINITIONS.update_metric(connection, before))
            raise

    def _list_metrics(self) -> object:
        with self._engine.read() as connection:
            return [stored.metric for stored in DEFINITIONS.list_metrics(connection)]

    def _writing_alert(self, work: Callable[[Connection, Alert], bool]) -> Callable[[dict[str, Any]], bool]:
        """Return an action that runs ``work`` with an alert in a transaction."""

        def act(alert: dict[str, Any]) -> bool:
            asked = values.to_alert(alert)
            done = self._engine.write(lambda connection: work(connection, asked))
            self._jobs.note_definitions()
            return done

        return act

    def _list_alerts(self) -> object:
        with self._engine.read() as connection:
            return [stored.alert for stored in DEFINITIONS.list_alerts(connection)]

    def _set_retention(self, retention: dict[str, Any]) -> bool:
        return self._retainer.set_retention(values.to_retention(retention))

    def _get_retention(self) -> object:
        with self._engine.read() as connection:
            return read_retention(connection)

    def _open_streams(self, source_uris: list[str], group: str | None) -> object:
        self._refuse_damaged()
        return self._engine.write(lambda connection: streams.open_streams(connection, source_uris, group))

    def _find_streams(self, stream_ids: list[int]) -> object:
        with self._engine.read() as connection:
            return find_streams(connection, stream_ids)

    def _open_files(self, new: list[dict[str, Any]]) -> object:
        files = values.to_new_files(new)
        return self._engine.write(lambda connection: streams.open_files(connection, files))

    def _find_files(self, file_ids: list[int]) -> object:
        with self._engine.read() as connection:
            return [file.position for file in find_files(connection, file_ids).values()]

    def _find_known_files(
        self, source_prefix: str, identities: list[tuple[int, int]], heads: list[tuple[int, str]]
    ) -> object:
        with self._engine.read() as connection:
            return streams.find_known_files(connection, source_prefix, identities, heads)

    def _append(
        self, moves: list[dict[str, Any]], requests: list[dict[str, Any]], records: str | None, rejects: str | None
    ) -> object:
        self._refuse_damaged()
        spooled = self._directory.spool
        rows = spool.read_spooled(spooled, records, spool.SPOOLED_RECORDS)
        refused = spool.read_spooled(spooled, rejects, spool.SPOOLED_REJECTS)
        known, received = values.to_moves(moves), values.to_requests(requests)
        with self._retainer.space_for(rows.num_rows + refused.num_rows, rows.nbytes + refused.nbytes):
            appended = ingest.append_to(self._engine, known, received, rows, refused)
        self._jobs.note_append()
        if rows.num_rows >= spool.ROW_GROUP:
            self._engine.release_blocks()
        return appended

    def _find_requests(self, digests: list[str]) -> object:
        with self._engine.read() as connection:
            return received_requests.find_requests(connection, digests)

    def _replay(self, records: str | None) -> object:
        self._refuse_damaged()
        rows = spool.read_spooled(self._directory.spool, records, spool.SPOOLED_REREAD)
        replayed = self._engine.write(lambda connection: replay.replay(connection, rows))
        self._jobs.note_append()
        return replayed

    def _report(self, columns: dict[str, list[Any]]) -> None:
        """Postpone the reports and answer at once. The last reports of a collector are written without delay."""
        self._engine.write_later(lambda connection: streams.report(connection, columns))
        self._engine.write_deferred(now=any(columns["ended"]))


@contextlib.contextmanager
def _answering(what: str) -> Iterator[None]:
    """Turn errors into Flight errors for the client. Log an unexpected error with its traceback."""
    try:
        yield
    except flight.FlightError:
        raise
    except PuppylogError as error:
        raise wire.encode_error(error) from None
    except Exception as error:  # noqa: BLE001 - a client must get an answer in any case
        _log.exception("cannot %s", what)
        defect = StoreError(f"{what}", "", f"{type(error).__name__} in the engine", advice="its log tells more")
        raise wire.encode_error(defect) from None


def serve(directory: StoreDirectory, ready: Callable[[], None]) -> None:
    """Run the engine until it has no client. Call ``ready`` when it answers requests.

    Raises:
        StoreRefused: the store belongs to another user or another version.
        StoreDamaged: the database has lost commits, or cannot be read.
        StoreUnavailable: another engine owns the store.
    """
    directory.prepare()
    with FileLock(directory.engine_lock) as lock, FileLock(directory.clients_lock) as clients:
        if not lock.acquire_within(_OWN_S):
            raise StoreUnavailable("open", f"store {directory.path}", "another engine owns it")
        spool.sweep(directory.spool)
        copies.sweep(directory.outgoing)
        damage = DamageNote(directory.damage)
        with (
            CommitNumbers(directory) as commits,
            directory.reachable() as path,
            _open_database(path / directory.database.name, directory, commits, damage) as engine,
        ):
            directory.socket.unlink(missing_ok=True)  # left by a killed engine
            with (
                Retainer(engine) as retainer,
                Jobs(engine) as jobs,
                TallyThread(engine, jobs.are_lines_coming),
                Service(
                    f"grpc+unix://{path / directory.socket.name}",
                    directory,
                    engine,
                    jobs,
                    retainer=retainer,
                    damage=damage,
                ) as service,
            ):
                ready()
                _wait_until_unneeded(clients, engine, service)
                service.shutdown()
            directory.socket.unlink(missing_ok=True)


def _open_database(path: Path, directory: StoreDirectory, commits: CommitNumbers, damage: DamageNote) -> Engine:
    """Open the database, check that it has all commits, and bring it to the current schema."""
    commits.check_database_file()
    engine = Engine(path, damage, directory.outgoing.resolve())
    try:
        engine.write(commits.check_last_commit)  # not `read`, which needs the schema: it may not exist yet
        engine.write(migrate)
        with engine.read() as connection:
            commits.mark_last_commit(connection)
        engine.number_commits(commits.number, commits.mark)
    except BaseException:
        engine.close()
        raise
    return engine


def _wait_until_unneeded(clients: FileLock, engine: Engine, service: Service) -> None:
    """Return on SIGTERM or SIGINT, when a client asks, or when there was no client for IDLE_S seconds.

    All clients share a lock. If the engine gets the lock exclusively, there is no client. When this returns, the engine
    keeps the lock, so that a new client waits until the engine has ended, and then starts a new one.
    """
    signalled = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: signalled.set())
    idle_s = 0.0
    poll_s = 0.5
    pages = LibraryPages()
    while not signalled.wait(poll_s):
        pages.give_up_in_time()
        if engine.is_broken.is_set():
            _log.error("the database is broken until it is opened again; the engine ends")
            os._exit(70)  # without closing the broken database, which would hang; the next engine replays its log
        if not clients.acquire():
            idle_s = 0.0
            service.asked_to_end.clear()
            continue
        idle_s += poll_s
        if idle_s >= IDLE_S or service.asked_to_end.is_set():
            return
        clients.release()


def main() -> None:
    """Run the engine as ``python -m puppylog.stores.duckdb.engine DIRECTORY [--wait]``."""
    os.umask(0o077)  # only the owner may use the database, its log and the socket, regardless of the client's umask
    directory = StoreDirectory(Path(sys.argv[1]))
    if "--wait" in sys.argv[2:]:
        wait_for_store(directory)
    handler = LimitedLog(sys.stderr, limit_bytes=_LOG_LIMIT_BYTES)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO, handlers=[handler])

    def say(line: str) -> None:
        with contextlib.suppress(BrokenPipeError):  # the client that started this engine has ended; others may come
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
        with contextlib.suppress(BrokenPipeError):
            sys.stdout.close()

    limit_memory()
    try:
        serve(directory, ready=lambda: say("ready"))
    except PuppylogError as error:
        _log.error("%s", error.message)
        if not sys.stdout.closed:
            say(messages.pack_error(error).decode())
        sys.exit(error.exit_code)
