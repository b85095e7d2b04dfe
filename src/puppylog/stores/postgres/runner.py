"""Runs the jobs in a client if the server has no scheduler: in one client at a time, under an advisory lock.

The runner with the lock does a round every second. When its process ends, or is killed, the server releases the lock.
The other runners try to take the lock every two seconds, and keep no connection meanwhile. Each step is one function
call and one transaction, so a killed runner has done a step completely or not at all.

If TimescaleDB's scheduler runs the jobs, clients wake the jobs that would wait because the clock was set back.
"""

import os
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from puppylog.errors import PuppylogError
from puppylog.stores.postgres.sessions.link import Link
from puppylog.stores.postgres.sessions.session import Session
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores.postgres", "jobs.sql")
_SERVER_QUERIES = load_queries("puppylog.stores.postgres", "server.sql")

TICK_S: Final = 1.0
_TEND_S: Final = 600.0
_RETRY_S: Final = 5.0
_LOCK_RETRY_S: Final = 2.0
_CATCH_UP_S: Final = 1.0
_WAKE_S: Final = 60.0


class JobWaker:
    """Wakes the jobs that would wait in TimescaleDB's scheduler after the clock was set back, at most once a minute."""

    def __init__(self) -> None:
        # Read and set without a lock: if two threads do so at once, they wake the jobs twice, which does no harm.
        self._woken_at = float("-inf")  # by the monotonic clock, in seconds

    def wake(self, link: Link) -> None:
        """Wake the jobs if it is time. Errors are ignored: other calls report a store that does not answer."""
        now = time.monotonic()
        if now - self._woken_at < _WAKE_S:
            return
        self._woken_at = now
        with suppress(PuppylogError):
            link.call(lambda session: session.run(_QUERIES["wake_jobs"]))


class JobRunner:
    """A thread that runs the jobs while no other runner does, from the constructor to `close`. Usable with ``with``."""

    def __init__(self, url: str) -> None:
        # Fields without a comment are not changed after the constructor.
        self._url = url
        self._stop = threading.Event()  # set by `close`, in any thread
        self._tended_at = float("-inf")  # in the runner's thread; by the monotonic clock, in seconds
        self._evaluator = f"{os.uname().nodename}:{os.getpid()}"
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            pause_s = _LOCK_RETRY_S
            try:
                with Session(self._url, application="puppylog-jobs") as session:
                    self._lead(session)
            except PuppylogError as error:
                pause_s = _RETRY_S
                if not self._stop.is_set():
                    self._report(error.message)
            if self._stop.wait(pause_s):
                return

    def _report(self, message: str) -> None:
        """Store the error with the heartbeat, where monitors find it, unless the store does not answer."""
        with suppress(PuppylogError), Session(self._url, application="puppylog-jobs") as session:
            session.run(_QUERIES["beat"], {"evaluator": self._evaluator, "error": message})

    def _lead(self, session: Session) -> None:
        """Do rounds until `close`, if the lock is free. An error ends the session, which releases the lock.

        The last round starts after `close` was called, so that the metrics have all lines that this process stored.
        """
        if not session.value(_QUERIES["try_to_lead"]):
            return
        session.run(_SERVER_QUERIES["set_no_limits"])
        is_last = False
        while not is_last:
            is_last = self._stop.is_set()
            started = time.monotonic()
            self._go_round(session, is_last=is_last)
            self._stop.wait(max(0.0, TICK_S - (time.monotonic() - started)))

    def _go_round(self, session: Session, *, is_last: bool) -> None:
        session.run(_QUERIES["rebase_clock"])
        error = self._refresh(session, is_last=is_last)
        self._evaluate_due(session)
        if time.monotonic() - self._tended_at > _TEND_S and not is_last:
            session.run(_QUERIES["tend_days"])
            session.run(_QUERIES["clear_notifications"])
            session.run(_QUERIES["clear_requests"])
            self._tended_at = time.monotonic()
        session.run(_QUERIES["beat"], {"evaluator": self._evaluator, "error": error})

    def _refresh(self, session: Session, *, is_last: bool) -> str | None:
        """Refresh the metrics that are due; return the error if the invalidations cannot be read.

        If a worker of Citus does not answer, they cannot be read. Alerts and the heartbeat are on this node and go on.
        """
        try:
            is_taken = session.value(_QUERIES["take_invalidations"])
        except PuppylogError as error:
            if session.is_broken:
                raise
            return error.message
        if is_taken:
            for row in session.rows(_QUERIES["metrics"] if is_last else _QUERIES["metrics_due"]):
                session.run(_QUERIES["refresh"], row)
        return None

    def _evaluate_due(self, session: Session) -> None:
        """Evaluate the due alerts. Alerts with many missed evaluations come last and share a limited time."""
        for row in session.rows(_QUERIES["alerts_due"], {"catching_up": False}):
            while session.value(_QUERIES["evaluate"], row) and not self._stop.is_set():
                pass
        deadline = time.monotonic() + _CATCH_UP_S
        for row in session.rows(_QUERIES["alerts_due"], {"catching_up": True}):
            while session.value(_QUERIES["evaluate"], row):
                if time.monotonic() > deadline or self._stop.is_set():
                    return
            if time.monotonic() > deadline:
                return

    def close(self) -> None:
        """Stop the thread; return when it has done a last round."""
        self._stop.set()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
