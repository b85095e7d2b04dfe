"""Small writes that share the transaction of another write, because each commit writes and syncs the log.

A postponed write is a report or a heartbeat: a later one replaces it, and no client waits for its result.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

if TYPE_CHECKING:  # `database` imports this module
    from puppylog.stores.duckdb.engine.database import Connection

T = TypeVar("T")
Work: TypeAlias = "Callable[[Connection], Any]"

WAIT_S: Final = 2.0
"""The time in seconds after which a postponed write has a transaction of its own."""

# While no transaction succeeds, such as on a full disk, the oldest writes are discarded.
_MOST: Final = 1000

_log = logging.getLogger("puppylog.engine")


class _PostponedError(Exception):
    """A postponed write failed, so the transaction has to be repeated without the postponed writes."""


class Postponed:
    """The postponed writes, the oldest first. Any thread may add writes; the writer's thread runs them."""

    def __init__(self, commit: "Callable[[Callable[[Connection], Any]], Any]") -> None:
        """Prepare.

        Args:
            commit: runs a function in a transaction and returns its result. Called in the writer's thread.
        """
        self._commit = commit
        self._lock = threading.Lock()
        # Under the lock.
        self._works: deque[Work] = deque(maxlen=_MOST)
        self._since = 0.0  # the time at which the oldest one was added, by the monotonic clock

    def add(self, work: Work) -> None:
        """Postpone a write."""
        with self._lock:
            if not self._works:
                self._since = time.monotonic()
            self._works.append(work)

    def is_due(self) -> bool:
        """Return whether a write has waited for WAIT_S seconds."""
        with self._lock:
            return bool(self._works) and time.monotonic() - self._since >= WAIT_S

    def run_with(self, work: "Callable[[Connection], T]") -> T:
        """Run ``work`` and the postponed writes in one transaction; return the result of ``work``.

        If a postponed write fails, ``work`` is repeated without the postponed writes. If the transaction fails for
        another reason, they stay postponed.
        """
        postponed = self._take()

        def run_all(connection: "Connection") -> T:
            result = work(connection)
            try:
                for each in postponed:
                    each(connection)
            except Exception as error:
                raise _PostponedError from error
            return result

        try:
            return self._commit(run_all)  # type: ignore[no-any-return]  # it returns what `run_all` returns
        except _PostponedError:
            self._run_alone(postponed)
            return self._commit(work)  # type: ignore[no-any-return]  # as above
        except BaseException:
            self._put_back(postponed)
            raise

    def run(self) -> None:
        """Run the postponed writes in a transaction of their own. Errors are logged."""
        self._run_alone(self._take())

    def _run_alone(self, postponed: Sequence[Work]) -> None:
        """Run writes in one transaction. If one of them fails, run each in a transaction of its own."""
        if not postponed:
            return
        try:
            self._commit(lambda connection: [work(connection) for work in postponed])
        except Exception as error:  # noqa: BLE001 - no client waits for the result
            if len(postponed) == 1:
                _log.error("a transaction whose result no client waits for has failed: %s", error)
                return
            for work in postponed:
                self._run_alone([work])

    def _take(self) -> Sequence[Work]:
        with self._lock:
            works = list(self._works)
            self._works.clear()
            return works

    def _put_back(self, works: Sequence[Work]) -> None:
        if works:
            with self._lock:
                self._works = deque([*works, *self._works], maxlen=_MOST)
                self._since = time.monotonic()
