"""A client's query in the engine, with limits of time and memory. It ends when the client disconnects.

Queries of users' own SQL have more limits. Only a few run at once and the others wait. Their threads have a lower
priority than the threads that write and evaluate. Their memory for sorting and hashing has its own limit. See decision
29.
"""

import logging
import os
import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

from puppylog.errors import PuppylogError, QueryError
from puppylog.stores.duckdb.engine.archive_reading import archive_relations
from puppylog.stores.duckdb.engine.configuration import MEMORY_LIMIT_BYTES
from puppylog.stores.duckdb.engine.connection import Connection, iter_batches
from puppylog.stores.duckdb.engine.database import Engine
from puppylog.stores.duckdb.engine.failures import OutOfMemory

_log = logging.getLogger("puppylog.engine")

USER_QUERIES: Final = 2
"""How many queries of users' own SQL run at once. More of them would take processor time from the writer."""

_WATCH_S: Final = 0.1
_WATCH_ON_S: Final = 1.0  # how long the watcher's thread waits for another query
# The schema and a batch of 65,536 rows. The request's thread cannot watch its client while it sends a longer answer.
_SHORT_PARTS: Final = 2
# If the store needs the space of deleted records, a query that has run for longer than this ends.
_MIN_RUN_S: Final = 5.0
_NICENESS: Final = 15
# DuckDB's own limit does not count all memory, such as the texts in one batch of rows. If the process has more memory
# than this, a user's query ends.
_RESIDENT_LIMIT_BYTES: Final = MEMORY_LIMIT_BYTES * 3 // 2
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Question:
    """A query as a client sends it."""

    sql: str
    parameters: dict[str, Any] | None
    is_ours: bool  # one of Puppylog's own queries, not a user's
    timeout_s: float | None  # limits the engine's work, without the time in which the client reads; None for no limit
    id: str = ""  # names the query for `QueryRunner.cancel`; empty if it is not cancelled in this way


class QueryRunner:
    """Runs the queries of clients, each in its own thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._slots = threading.BoundedSemaphore(USER_QUERIES)
        self._watcher = QueryWatcher()
        self._running: dict[str, _Running] = {}  # by the id of the query; each operation on it is atomic

    def iter_answer(self, question: Question, is_disconnected: Callable[[], bool]) -> Iterator[Any]:
        """Yield the answer's schema, then its batches.

        The caller's thread runs one of Puppylog's own queries, as far as the answer is short: a thread of its own takes
        as long as a small query, and waits for a processor when these are busy.

        Args:
            question: the query.
            is_disconnected: returns whether the client has disconnected; called often.

        Raises:
            QueryError: the SQL is refused, or the query needs more time or memory than it may have.
        """
        running = _Running(self._engine, self._slots, question, is_disconnected, self._watcher)
        if question.id:
            self._running[question.id] = running
        is_complete = False
        try:
            is_complete = question.is_ours and running.run_shortly()
            if not is_complete:
                threading.Thread(target=self._run, args=(running, question.id), daemon=True, name="query").start()
        except BaseException:
            self._running.pop(question.id, None)
            raise
        if is_complete:
            self._running.pop(question.id, None)
        return running.iter_answer()

    def _run(self, running: "_Running", query_id: str) -> None:
        try:
            running.run()
        finally:
            self._running.pop(query_id, None)

    def cancel(self, query_id: str) -> None:
        """End the query with this id as if its client had disconnected. It is OK if there is none."""
        running = self._running.get(query_id)
        if running is not None:
            running.abandon()


class _AbandonedError(Exception):
    """The client has disconnected or takes no more answers."""


class QueryWatcher:
    """Calls a function of each running query ten times a second. All queries share a thread, which ends without any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Under the lock.
        self._checks: dict[object, Callable[[], None]] = {}
        self._has_thread = False

    @contextmanager
    def watching(self, check: Callable[[], None]) -> Iterator[None]:
        """Call ``check`` in another thread, again and again, but not after the ``with`` block has ended."""
        query = object()
        with self._lock:
            self._checks[query] = check
            if not self._has_thread:
                threading.Thread(target=self._watch, daemon=True, name="query-watch").start()
                self._has_thread = True
        try:
            yield
        finally:
            with self._lock:
                del self._checks[query]

    def _watch(self) -> None:
        seen_at = time.monotonic()
        while True:
            time.sleep(_WATCH_S)
            with self._lock:
                for check in self._checks.values():
                    try:
                        check()
                    except Exception:  # noqa: BLE001 - the other queries must be watched
                        _log.exception("cannot watch a query")
                now = time.monotonic()
                if self._checks:
                    seen_at = now
                elif now - seen_at > _WATCH_ON_S:
                    self._has_thread = False
                    return


class Stopwatch:
    """Measures how long a query runs, without the time in which it waits for its client. For several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spent_s = 0.0  # under the lock: the time up to the last pause
        self._resumed_at: float | None = None  # under the lock; None while it is paused

    def resume(self) -> None:
        with self._lock:
            self._resumed_at = time.monotonic()

    def pause(self) -> None:
        with self._lock:
            self._spent_s, self._resumed_at = self._total_s(), None

    def read_s(self) -> float:
        """Return the time in seconds."""
        with self._lock:
            return self._total_s()

    def _total_s(self) -> float:
        return self._spent_s + (0.0 if self._resumed_at is None else time.monotonic() - self._resumed_at)


class _Running:
    """One query of one client."""

    def __init__(
        self,
        engine: Engine,
        slots: threading.BoundedSemaphore,
        question: Question,
        is_disconnected: Callable[[], bool],
        watcher: QueryWatcher,
    ) -> None:
        self._engine = engine
        self._slots = slots
        self._question = question
        self._is_disconnected = is_disconnected
        self._watcher = watcher
        self._parts = self._iter_parts()  # in one thread at a time: that of the request, then the query's
        self._first: list[Any] = []  # in the request's thread: the parts of the answer that it has computed
        self._is_complete = False  # in the request's thread: whether these are all
        # Three threads use these: the query's thread puts answers, the request's thread takes them, and a watcher
        # interrupts the query.
        self._answers: queue.Queue[Any] = queue.Queue(maxsize=2)
        self._is_unread = threading.Event()  # set when the request takes no more answers
        self._clock = Stopwatch()
        self._started_at = time.monotonic()
        self._reason: str | None = None  # why the watcher interrupts the query; read by the query's thread afterwards

    def iter_answer(self) -> Iterator[Any]:
        try:
            yield from self._first
            while not self._is_complete and (answer := self._answers.get()) is not None:
                if isinstance(answer, BaseException):
                    raise answer
                yield answer
        finally:
            self._is_unread.set()

    def abandon(self) -> None:
        """Let the query end: its answer is no longer needed."""
        self._is_unread.set()

    def run_shortly(self) -> bool:
        """Run the query in the request's thread until its answer is complete or long; return whether it is complete.

        Raises:
            QueryError: as `QueryRunner.iter_answer` does.
        """
        for part in self._parts:
            self._first.append(part)
            if len(self._first) > _SHORT_PARTS:
                return False
        self._is_complete = True
        return True

    def run(self) -> None:
        """Run the query, or the rest of it, and put the answer into the queue, with None or an error at the end."""
        end: BaseException | None = None
        try:
            if self._question.is_ours:
                self._answer()
            else:
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
                self._take_slot()
                try:
                    self._answer()
                finally:
                    self._slots.release()
        except _AbandonedError:
            pass
        except BaseException as error:  # noqa: BLE001 - raised in the thread of the request, which sends it to the client
            end = error
        with suppress(_AbandonedError):
            self._put(end, has_slot=False)

    def _answer(self) -> None:
        with closing(self._parts):
            for part in self._parts:
                self._put(part, has_slot=not self._question.is_ours)

    def _iter_parts(self) -> Generator[Any]:
        """Yield the answer's schema, then its batches, in a read-only transaction."""
        with self._engine.read() as connection, self._bounded(connection):
            if not self._question.is_ours:
                connection.limit_memory(MEMORY_LIMIT_BYTES // 4)
                connection.reads_only(self._question.sql)
            with archive_relations(connection, self._question.sql):
                reader = connection.batches(self._question.sql, self._question.parameters)
                yield reader.schema
                yield from iter_batches(reader)

    def _take_slot(self) -> None:
        timeout_s = self._question.timeout_s
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while not self._slots.acquire(timeout=_WATCH_S):
            if self._is_abandoned():
                raise _AbandonedError
            if deadline is not None and time.monotonic() > deadline:
                raise QueryError(
                    "run",
                    "this SQL",
                    f"{USER_QUERIES} others have been running for {timeout_s:g} s",
                    advice="try later",
                )

    def _put(self, answer: object, *, has_slot: bool) -> None:
        """Put an answer into the queue. While the queue is full, another client's query may use this query's slot."""
        with suppress(queue.Full):
            self._answers.put_nowait(answer)
            return
        self._clock.pause()
        if has_slot:
            self._slots.release()
        try:
            while True:
                with suppress(queue.Full):
                    self._answers.put(answer, timeout=_WATCH_S)
                    break
                if self._is_abandoned():
                    raise _AbandonedError
                if self._reason is not None:  # an interrupt ends only a query that computes
                    raise QueryError("finish", "this query", self._reason)
        finally:
            if has_slot:
                self._slots.acquire()
            self._clock.resume()

    def _is_abandoned(self) -> bool:
        return self._is_unread.is_set() or self._is_disconnected()

    @contextmanager
    def _bounded(self, connection: Connection) -> Iterator[None]:
        """Interrupt the query in the ``with`` block when it reaches a limit; the error then names the limit."""

        def check() -> None:
            self._reason = self._reason or self._find_reason()
            if self._reason is not None:
                connection.interrupt()  # repeated, because DuckDB ignores an interrupt between two steps of a query

        self._clock.resume()
        try:
            with self._watcher.watching(check):
                yield
        except OutOfMemory as error:
            if self._question.is_ours:
                raise
            raise QueryError("finish", "this query", "it needs more memory than a query may have") from error
        except PuppylogError as error:
            if self._reason is not None:
                raise QueryError("finish", "this query", self._reason) from error
            raise

    def _find_reason(self) -> str | None:
        if self._is_abandoned():
            return "its client has disconnected"
        limit_s = self._question.timeout_s
        if limit_s is not None and self._clock.read_s() > limit_s:
            return f"it took longer than {limit_s:g} s (see --timeout)"
        if self._engine.needs_space.is_set() and time.monotonic() - self._started_at > _MIN_RUN_S:
            return "the store is full, and the query keeps it from using the space of deleted records again"
        if not self._question.is_ours and _resident_bytes() > _RESIDENT_LIMIT_BYTES:
            return "it needs more memory than a query may have"
        return None


def _resident_bytes() -> int:
    """Return the resident memory of this process in bytes; 0 if the system has no /proc."""
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123 - ten times a second
            return int(statm.read().split()[1]) * _PAGE_BYTES
    except (OSError, ValueError, IndexError):
        return 0
