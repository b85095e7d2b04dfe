"""Running the jobs from a client, where nothing in the server does: one client at a time, under an advisory lock.

The runner with the lock does a round every second. When its process ends, or is killed, the server releases the lock.
The other runners try to take the lock every two seconds, and keep no connection meanwhile. Each step is one function
call, so one transaction: a runner that dies has done a step or has not.

Where TimescaleDB's scheduler runs them, any client sees to it that they do not wait for a clock that was set back.
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

TICK_S: Final = 1.0
_TEND_S: Final = 600.0
_RETRY_S: Final = 5.0
_LOOK_S: Final = 2.0
_CATCH_UP_S: Final = 1.0
_WAKE_S: Final = 60.0


class JobWaker:
    """Wakes the jobs that TimescaleDB's scheduler lets wait for a clock that was set back, once a minute at most."""

    def __init__(self) -> None:
        # Read and set without a lock: two threads at once wake the jobs twice, which does no harm.
        self._woken_at = float("-inf")  # by the monotonic clock, in seconds

    def wake(self, link: Link) -> None:
        """Wake them if it is time. A failure is kept quiet: a store that is away is told of by others."""
        now = time.monotonic()
        if now - self._woken_at < _WAKE_S:
            return
        self._woken_at = now
        with suppress(PuppylogError):
            link.call(lambda session: session.run(_QUERIES["wake_jobs"]))


class JobRunner:
    """Runs from construction to `close`, whenever no other runner does. Usable with ``with``."""

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
            pause_s = _LOOK_S
            try:
                with Session(self._url, application="puppylog-jobs") as session:
                    self._lead(session)
            except PuppylogError as error:
                pause_s = _RETRY_S
                if not self._stop.is_set():
                    self._tell(error.message)
            if self._stop.wait(pause_s):
                return

    def _tell(self, message: str) -> None:
        """Leave the failure with the heartbeat, where monitors find it; a store that is away is told of by others."""
        with suppress(PuppylogError), Session(self._url, application="puppylog-jobs") as session:
            session.run(_QUERIES["beat"], {"evaluator": self._evaluator, "error": message})

    def _lead(self, session: Session) -> None:
        """Do rounds until stopped, if the lock is free. An error ends the session, and so releases the lock.

        The last round begins after the stop, so that the metrics have all lines that this process stored.
        """
        if not session.value(_QUERIES["try_to_lead"]):
            return
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
            self._tended_at = time.monotonic()
        session.run(_QUERIES["beat"], {"evaluator": self._evaluator, "error": error})

    def _refresh(self, session: Session, *, is_last: bool) -> str | None:
        """Refresh the metrics that are due; return why not, if the places where records are noted cannot be read.

        With a worker of Citus away they cannot; what lies on this node, alerts and the heartbeat, goes on.
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
        """Evaluate what is due; what has much to catch up comes last, and has a limited time of each round."""
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
        """Return when a last round is over."""
        self._stop.set()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
