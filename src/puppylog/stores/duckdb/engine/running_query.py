"""A query that runs in the engine for a client: bounded in time and memory, and ended when the client has left.

A query of a user's own SQL is bounded further. Few run at once and the others wait, their threads have a lower priority
than those that write and evaluate, and what they sort and hash has a limit of its own. See decision 29.
"""

import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

from puppylog.errors import PuppylogError, QueryError
from puppylog.stores.duckdb.engine.database import MEMORY_LIMIT_BYTES, Connection, Engine, iter_batches
from puppylog.stores.duckdb.engine.failures import OutOfMemory

USER_QUERIES: Final = 2
"""Queries of users' own SQL that run at once. Each one more takes a share of the processors from the writer."""

_WATCH_S: Final = 0.1
_NICENESS: Final = 15
# What DuckDB does not count against its own limit, such as the texts of one batch of rows, ends a query from here on.
_RESIDENT_LIMIT_BYTES: Final = MEMORY_LIMIT_BYTES * 3 // 2
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Question:
    """What a client asks. ``timeout_s`` bounds the engine's work, not the client's reading; None is no limit."""

    sql: str
    parameters: dict[str, Any] | None
    is_ours: bool
    timeout_s: float | None


class QueryRunner:
    """Runs clients' queries, each in a thread of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._slots = threading.BoundedSemaphore(USER_QUERIES)

    def iter_answer(self, question: Question, is_left: Callable[[], bool]) -> Iterator[Any]:
        """Give the answer's schema, then its batches.

        Args:
            question: what to run.
            is_left: whether the client has gone away; asked often.

        Raises:
            QueryError: the SQL is refused, or took more time or memory than it may.
        """
        running = _Running(self._engine, self._slots, question, is_left)
        threading.Thread(target=running.run, daemon=True, name="query").start()
        return running.iter_answer()


class _LeftError(Exception):
    """The client has gone away: the answer has no reader."""


class Stopwatch:
    """How long a query has run, without the time in which it waited for its client. For several threads."""

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
        self, engine: Engine, slots: threading.BoundedSemaphore, question: Question, is_left: Callable[[], bool]
    ) -> None:
        self._engine = engine
        self._slots = slots
        self._question = question
        self._client_left = is_left
        # Three threads use these: the request's takes answers, the query's puts them, and a watcher interrupts it.
        self._answers: queue.Queue[Any] = queue.Queue(maxsize=2)
        self._is_unread = threading.Event()  # the request will take no other answer
        self._clock = Stopwatch()
        self._reason: str | None = None  # set by the watcher; read by the query's thread when the query has failed

    def iter_answer(self) -> Iterator[Any]:
        try:
            while (answer := self._answers.get()) is not None:
                if isinstance(answer, BaseException):
                    raise answer
                yield answer
        finally:
            self._is_unread.set()

    def run(self) -> None:
        """Run the query and put its answer; the last thing that is put is None, or the error."""
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
        except _LeftError:
            pass
        except BaseException as error:  # noqa: BLE001 - it is the client's answer, raised where the client is served
            end = error
        with suppress(_LeftError):
            self._put(end, has_slot=False)

    def _answer(self) -> None:
        with self._engine.read() as connection, self._bounded(connection):
            if not self._question.is_ours:
                connection.limit_memory(MEMORY_LIMIT_BYTES // 4)
                connection.reads_only(self._question.sql)
            reader = connection.batches(self._question.sql, self._question.parameters)
            self._put(reader.schema, has_slot=not self._question.is_ours)
            for batch in iter_batches(reader):
                self._put(batch, has_slot=not self._question.is_ours)

    def _take_slot(self) -> None:
        timeout_s = self._question.timeout_s
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while not self._slots.acquire(timeout=_WATCH_S):
            if self._is_left():
                raise _LeftError
            if deadline is not None and time.monotonic() > deadline:
                raise QueryError(
                    "run",
                    "this SQL",
                    f"{USER_QUERIES} others have been running for {timeout_s:g} s",
                    advice="try later",
                )

    def _put(self, answer: object, *, has_slot: bool) -> None:
        """Hand the answer over. A client that reads slowly keeps no other one from running meanwhile."""
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
                if self._is_left():
                    raise _LeftError
        finally:
            if has_slot:
                self._slots.acquire()
            self._clock.resume()

    def _is_left(self) -> bool:
        return self._is_unread.is_set() or self._client_left()

    @contextmanager
    def _bounded(self, connection: Connection) -> Iterator[None]:
        """Interrupt the query from another thread when there is a reason to; say the reason in place of its error."""
        done = threading.Event()

        def watch() -> None:
            while not done.wait(_WATCH_S):
                self._reason = self._reason or self._find_reason()
                if self._reason is not None:
                    connection.interrupt()  # again and again: one between two steps of the query is forgotten

        self._clock.resume()
        watcher = threading.Thread(target=watch, daemon=True, name="query-watch")
        watcher.start()
        try:
            yield
        except OutOfMemory as error:
            if self._question.is_ours:
                raise
            raise QueryError("finish", "this query", "it needs more memory than a query may have") from error
        except PuppylogError as error:
            if self._reason is not None:
                raise QueryError("finish", "this query", self._reason) from error
            raise
        finally:
            done.set()
            watcher.join()

    def _find_reason(self) -> str | None:
        if self._is_left():
            return "its client has left"
        limit_s = self._question.timeout_s
        if limit_s is not None and self._clock.read_s() > limit_s:
            return f"it took longer than {limit_s:g} s (see --timeout)"
        if not self._question.is_ours and _resident_bytes() > _RESIDENT_LIMIT_BYTES:
            return "it needs more memory than a query may have"
        return None


def _resident_bytes() -> int:
    """Return how much memory this process has; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123 - ten times a second
            return int(statm.read().split()[1]) * _PAGE_BYTES
    except (OSError, ValueError, IndexError):
        return 0
