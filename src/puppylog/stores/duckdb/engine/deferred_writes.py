"""Small writes that share the transaction of another write, because each commit writes and syncs the log.

A deferred write is a report or a heartbeat, which a later one replaces and whose result no client needs, or the work
of a job, which waits for its result.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeVar

from puppylog.stores.duckdb.engine.connection import Connection

T = TypeVar("T")
Work: TypeAlias = Callable[[Connection], Any]
"""It may be called again if its transaction fails."""

WAIT_S: Final = 2.0
"""The time in seconds after which a deferred write has a transaction of its own."""

# While no transaction succeeds, such as on a full disk, the oldest writes are discarded, unless a job waits for them.
_MOST: Final = 1000

_log = logging.getLogger("puppylog.engine")


class _PostponedError(Exception):
    """A deferred write failed, so the transaction has to be repeated without the deferred writes."""


@dataclass(slots=True)
class _Write:
    work: Work
    result: Any = None
    done: "Future[Any] | None" = None  # gets the result after the commit; None: no client waits for it

    def run(self, connection: Connection) -> None:
        self.result = self.work(connection)

    def note_committed(self) -> None:
        if self.done is not None:
            self.done.set_result(self.result)

    def note_failed(self, error: Exception) -> None:
        if self.done is not None:
            self.done.set_exception(error)
        else:
            _log.error("a transaction whose result no client waits for has failed: %s", error)


class DeferredWrites:
    """The deferred writes, the oldest first. Any thread may add writes; the writer's thread runs them."""

    def __init__(self, commit: Callable[[Callable[[Connection], Any]], Any]) -> None:
        """Prepare.

        Args:
            commit: runs a function in a transaction and returns its result. Called in the writer's thread.
        """
        self._commit = commit
        self._lock = threading.Lock()
        # Under the lock.
        self._writes: deque[_Write] = deque()
        self._since = 0.0  # the time at which the oldest one was added, by the monotonic clock

    def add(self, work: Work) -> None:
        """Postpone a write whose result no client needs."""
        self._add(_Write(work))

    def join(self, work: Callable[[Connection], T], within_s: float, run_now: Callable[[], None]) -> T:
        """Postpone a write for at most ``within_s`` seconds, and return its result.

        Args:
            work: the write.
            within_s: how long it waits for the transaction of another write.
            run_now: makes the writer's thread call `run`.
        """
        done: Future[T] = Future()
        self._add(_Write(work, done=done))
        try:
            return done.result(within_s)
        except TimeoutError:
            if done.done():  # the write itself has raised this error
                raise
        run_now()
        return done.result()

    def _add(self, write: _Write) -> None:
        with self._lock:
            if not self._writes:
                self._since = time.monotonic()
            self._writes.append(write)
            if len(self._writes) > _MOST and self._writes[0].done is None:
                self._writes.popleft()

    def is_due(self) -> bool:
        """Return whether a write has waited for WAIT_S seconds."""
        with self._lock:
            return bool(self._writes) and time.monotonic() - self._since >= WAIT_S

    def run_with(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` and the deferred writes in one transaction; return the result of ``work``.

        If a deferred write fails, ``work`` is repeated without the deferred writes. If the transaction fails for
        another reason, they stay deferred.
        """
        deferred = self._take()

        def run_all(connection: Connection) -> T:
            result = work(connection)
            try:
                for write in deferred:
                    write.run(connection)
            except Exception as error:
                raise _PostponedError from error
            return result

        try:
            result: T = self._commit(run_all)
        except _PostponedError:
            self._run_alone(deferred)
            return self._commit(work)  # type: ignore[no-any-return]  # it returns what `work` returns
        except BaseException:
            self._put_back(deferred)
            raise
        for write in deferred:
            write.note_committed()
        return result

    def run(self) -> None:
        """Run the deferred writes in a transaction of their own. Errors are logged."""
        self._run_alone(self._take())

    def _run_alone(self, deferred: Sequence[_Write]) -> None:
        """Run writes in one transaction. If one of them fails, run each in a transaction of its own."""
        if not deferred:
            return

        def run_all(connection: Connection) -> None:
            for write in deferred:
                write.run(connection)

        try:
            self._commit(run_all)
        except Exception as error:  # noqa: BLE001 - the one who waits for the result gets it, or it is logged
            if len(deferred) == 1:
                deferred[0].note_failed(error)
                return
            for write in deferred:
                self._run_alone([write])
            return
        for write in deferred:
            write.note_committed()

    def _take(self) -> Sequence[_Write]:
        with self._lock:
            writes = list(self._writes)
            self._writes.clear()
            return writes

    def _put_back(self, writes: Sequence[_Write]) -> None:
        if writes:
            with self._lock:
                self._writes.extendleft(reversed(writes))
                self._since = time.monotonic()
