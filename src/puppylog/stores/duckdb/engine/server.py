"""The engine process: answers clients over the socket, runs the jobs, and ends when it has no client.

Started by `launch`, never by hand. It says on one line of its first output whether it is ready or why it is not; from
then on what it has to say goes to ``engine.log``.
"""

import contextlib
import logging
import os
import resource
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
from puppylog.model.metric import Metric
from puppylog.stores.base import StoreInfo
from puppylog.stores.duckdb import spool, wire
from puppylog.stores.duckdb.directory import StoreDirectory
from puppylog.stores.duckdb.engine import ingest, replay, streams
from puppylog.stores.duckdb.engine.commits import CommitNumbers
from puppylog.stores.duckdb.engine.damage import DamageNote
from puppylog.stores.duckdb.engine.database import MEMORY_LIMIT_BYTES, Connection, Engine
from puppylog.stores.duckdb.engine.definitions import DEFINITIONS
from puppylog.stores.duckdb.engine.jobs import Jobs
from puppylog.stores.duckdb.engine.limited_log import LimitedLog
from puppylog.stores.duckdb.engine.running_query import QueryRunner, Question
from puppylog.stores.duckdb.engine.schema import SCHEMA_VERSION, migrate
from puppylog.stores.duckdb.engine.verify import Verified, verify
from puppylog.stores.duckdb.locks import FileLock
from puppylog.stores.streams import find_files, find_streams

IDLE_S = 10.0
"""The engine leaves so long after its last client. Long enough for one command after another to find it running."""

# Clients look whether the store is owned by taking the lock for a moment.
_OWN_S = 2.0

_LOG_LIMIT_BYTES = 1 << 20

# Stacks of threads count as data, and a stack may grow to 8 MB.
_STACKS_BYTES = 1 << 30

_log = logging.getLogger("puppylog.engine")


class Service(flight.FlightServerBase):
    """What clients may ask: actions by name, queries by SQL. Each request runs in a thread of its own."""

    def __init__(
        self, location: str, directory: StoreDirectory, engine: Engine, jobs: Jobs, damage: DamageNote
    ) -> None:
        super().__init__(location)
        # No field is changed after the constructor, so the threads of the requests need no lock.
        self._damage = damage
        self._directory = directory
        self._engine = engine
        self._jobs = jobs
        self._queries = QueryRunner(engine)
        self.asked_to_leave = threading.Event()
        self._actions: dict[str, Callable[..., object]] = {
            "hello": self._hello,
            "verify": self._verify,
            "leave": self.asked_to_leave.set,
            "open_streams": self._open_streams,
            "find_streams": self._find_streams,
            "open_files": self._open_files,
            "find_files": self._find_files,
            "find_known_files": self._find_known_files,
            "append": self._append,
            "report": self._report,
            "replay": self._replay,
            "create_group": self._writing(DEFINITIONS.create_group),
            "delete_group": self._writing(DEFINITIONS.delete_group),
            "create_metric": self._create_metric,
            "delete_metric": self._writing(DEFINITIONS.delete_metric),
            "list_metrics": self._list_metrics,
            "create_alert": self._create_alert,
            "delete_alert": self._writing(DEFINITIONS.delete_alert),
            "list_alerts": self._list_alerts,
        }

    def do_action(self, context: flight.ServerCallContext, action: flight.Action) -> Iterator[flight.Result]:
        del context  # only the store's owner can open the socket
        with _answering(action.type):
            act = self._actions.get(action.type)
            if act is None:
                raise StoreError("do", repr(action.type[:40]), "the engine knows no such action")
            answer = act(**wire.decode(action.body))
        yield flight.Result(pa.py_buffer(wire.encode(answer)))

    def do_get(self, context: flight.ServerCallContext, ticket: flight.Ticket) -> flight.GeneratorStream:
        with _answering("query"):
            question = Question(**wire.decode(ticket.ticket))
            batches = self._iter_query(question, context)
            schema = next(batches)
        return flight.GeneratorStream(schema, batches)

    def _iter_query(self, question: Question, context: flight.ServerCallContext) -> Iterator[Any]:
        """Give the answer's schema, then its batches."""
        with _answering("query"):
            yield from self._queries.iter_answer(question, context.is_cancelled)

    def _hello(self) -> dict[str, object]:
        info = StoreInfo(str(self._directory.path), "duckdb", self._engine.version, SCHEMA_VERSION)
        return {"protocol": wire.PROTOCOL, "version": __version__, "pid": os.getpid(), "info": info}

    def _verify(self, within_s: float) -> Verified:
        """Read the database; all of one that is known to be damaged, because only that can prove that it is whole."""
        with self._engine.read() as connection:
            verified = verify(connection, within_s if self._damage.found is None else None)
        if verified.read == verified.rows:
            self._damage.clear()
        return verified

    def _refuse_damaged(self) -> None:
        """Store nothing in a database that may lose it."""
        if self._damage.found is not None:
            raise StoreDamaged("read", f"the store {self._directory.path}", self._damage.found)

    def _writing(self, work: Callable[[Connection, str], object]) -> Callable[[str], object]:
        """Return the action that does something to the group, metric or alert of a name."""

        def act(name: str) -> object:
            done = self._engine.write(lambda connection: work(connection, name))
            self._jobs.note_definitions()
            return done

        return act

    def _create_metric(self, metric: dict[str, Any]) -> bool:
        asked = wire.to_metric(metric)
        stored = self._engine.write(lambda connection: DEFINITIONS.create_metric(connection, asked))
        if stored is not None:
            self._materialize(asked)
            self._jobs.note_definitions()
        return stored is not None

    def _materialize(self, metric: Metric) -> None:
        """Fill a new metric. One that cannot be filled would fail with every refresh: it does not stay."""
        try:
            self._jobs.materialize(metric)
        except PuppylogError:
            self._engine.write(lambda connection: DEFINITIONS.delete_metric(connection, metric.name))
            raise

    def _list_metrics(self) -> object:
        with self._engine.read() as connection:
            return [stored.metric for stored in DEFINITIONS.list_metrics(connection)]

    def _create_alert(self, alert: dict[str, Any]) -> bool:
        asked = wire.to_alert(alert)
        is_new = self._engine.write(lambda connection: DEFINITIONS.create_alert(connection, asked))
        self._jobs.note_definitions()
        return is_new

    def _list_alerts(self) -> object:
        with self._engine.read() as connection:
            return [stored.alert for stored in DEFINITIONS.list_alerts(connection)]

    def _open_streams(self, source_uris: list[str], group: str | None) -> object:
        self._refuse_damaged()
        return self._engine.write(lambda connection: streams.open_streams(connection, source_uris, group))

    def _find_streams(self, stream_ids: list[int]) -> object:
        with self._engine.read() as connection:
            return find_streams(connection, stream_ids)

    def _open_files(self, new: list[dict[str, Any]]) -> object:
        files = wire.to_new_files(new)
        return self._engine.write(lambda connection: streams.open_files(connection, files))

    def _find_files(self, file_ids: list[int]) -> object:
        with self._engine.read() as connection:
            return [file.position for file in find_files(connection, file_ids).values()]

    def _find_known_files(
        self, source_prefix: str, identities: list[tuple[int, int]], heads: list[tuple[int, str]]
    ) -> object:
        with self._engine.read() as connection:
            return streams.find_known_files(connection, source_prefix, identities, heads)

    def _append(self, moves: list[dict[str, Any]], records: str | None, rejects: str | None) -> object:
        self._refuse_damaged()
        spooled = self._directory.spool
        rows = spool.read_spooled(spooled, records, spool.SPOOLED_RECORDS)
        refused = spool.read_spooled(spooled, rejects, spool.SPOOLED_REJECTS)
        known = wire.to_moves(moves)
        appended = self._engine.write(lambda connection: ingest.append(connection, known, rows, refused))
        self._jobs.note_append()
        return appended

    def _replay(self, records: str | None) -> object:
        self._refuse_damaged()
        rows = spool.read_spooled(self._directory.spool, records, spool.SPOOLED_REREAD)
        replayed = self._engine.write(lambda connection: replay.replay(connection, rows))
        self._jobs.note_append()
        return replayed

    def _report(self, columns: dict[str, list[Any]]) -> None:
        """Queue the reports and answer at once: the collector has lines to read."""
        self._engine.write_soon(lambda connection: streams.report(connection, columns))


@contextlib.contextmanager
def _answering(what: str) -> Iterator[None]:
    """Turn an error into what a client can read; log one that is not of `puppylog.errors` with its traceback."""
    try:
        yield
    except flight.FlightError:
        raise
    except PuppylogError as error:
        raise wire.encode_error(error) from None
    except Exception as error:  # noqa: BLE001 - a client must never wait for an answer that does not come
        _log.exception("cannot %s", what)
        lost = StoreError(f"{what}", "", f"{type(error).__name__} in the engine", advice="its log tells more")
        raise wire.encode_error(lost) from None


def limit_memory() -> None:
    """Make an allocation fail that would take the machine's memory.

    DuckDB counts the blocks of its pool, but not the texts of the rows at hand: ``repeat(host, 100000000)`` took 19 GB
    within one step that nothing could interrupt. Where the system refuses, the query ends and the engine goes on.
    """
    limit = 2 * MEMORY_LIMIT_BYTES + _STACKS_BYTES
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    if most in (resource.RLIM_INFINITY, -1) or most > limit:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, most))


def serve(directory: StoreDirectory, ready: Callable[[], None]) -> None:
    """Own the store until it has no client.

    Raises:
        StoreRefused: it is not ours.
        StoreDamaged: it has lost commits, or cannot be read.
        StoreUnavailable: another engine owns it.
    """
    directory.prepare()
    with FileLock(directory.engine_lock) as lock, FileLock(directory.clients_lock) as clients:
        if not lock.acquire_within(_OWN_S):
            raise StoreUnavailable("open", f"store {directory.path}", "another engine owns it")
        spool.sweep(directory.spool)
        damage = DamageNote(directory.damage)
        with (
            CommitNumbers(directory) as commits,
            directory.reachable() as path,
            _open_database(path / directory.database.name, commits, damage) as engine,
        ):
            directory.socket.unlink(missing_ok=True)  # a killed engine's
            with (
                Jobs(engine) as jobs,
                Service(f"grpc+unix://{path / directory.socket.name}", directory, engine, jobs, damage) as service,
            ):
                ready()
                _wait_until_unneeded(clients, engine, service)
                service.shutdown()
            directory.socket.unlink(missing_ok=True)


def _open_database(path: Path, commits: CommitNumbers, damage: DamageNote) -> Engine:
    """Open the database, whole and of our schema."""
    commits.check_database_file()
    engine = Engine(path, damage)
    try:
        engine.write(commits.check_last_commit)  # the schema may be missing, which reading needs
        engine.write(migrate)
        with engine.read() as connection:
            commits.mark_last_commit(connection)
        engine.number_commits(commits.number, commits.mark)
    except BaseException:
        engine.close()
        raise
    return engine


def _wait_until_unneeded(clients: FileLock, engine: Engine, service: Service) -> None:
    """Return when a signal asks, when the database is broken, or when no client has been there for IDLE_S.

    Clients share a lock. Having it alone means that there is none; it is kept then, so that a client that comes while
    the engine leaves waits at the lock and starts a new one.
    """
    signalled = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: signalled.set())
    idle_s = 0.0
    poll_s = 0.5
    while not signalled.wait(poll_s):
        if engine.is_broken.is_set():
            _log.error("the database is broken until it is opened again; the engine ends")
            os._exit(70)  # closing would wait for it, and its log is replayed by the next engine
        if not clients.acquire():
            idle_s = 0.0
            service.asked_to_leave.clear()
            continue
        idle_s += poll_s
        if idle_s >= IDLE_S or service.asked_to_leave.is_set():
            return
        clients.release()


def main() -> None:
    """Run as ``python -m puppylog.stores.duckdb.engine.server DIRECTORY``; say on stdout whether it is ready."""
    os.umask(0o077)  # the database, its log and the socket are for their owner, however lax the client's umask was
    handler = LimitedLog(sys.stderr, limit_bytes=_LOG_LIMIT_BYTES)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO, handlers=[handler])

    def say(line: str) -> None:
        with contextlib.suppress(BrokenPipeError):  # the client that started this engine has ended; others may come
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
        with contextlib.suppress(BrokenPipeError):
            sys.stdout.close()

    directory = StoreDirectory(Path(sys.argv[1]))
    limit_memory()
    try:
        serve(directory, ready=lambda: say("ready"))
    except PuppylogError as error:
        _log.error("%s", error.message)
        if not sys.stdout.closed:
            say(wire.pack_error(error).decode())
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
