"""The thread that makes tallies, in time that lines and queries leave over."""

import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from puppylog.errors import PuppylogError
from puppylog.stores.duckdb.engine import tallies
from puppylog.stores.duckdb.engine.database import Engine

# A command that starts an engine for one question should not wait for tallies.
_FIRST_S: Final = 10.0
_TICK_S: Final = 60.0
# How many seconds the thread rests after a day that took a second: while lines come, and otherwise.
_REST_BUSY: Final = 6.0
_REST_QUIET: Final = 0.25
# The tallies of a day are not made again within this time: a source may be always late.
_AGAIN_S: Final = 3600.0
# The time between two deletions of counts that no query uses.
_CLEAR_S: Final = 600.0

_log = logging.getLogger("puppylog.tallies")


class TallyThread:
    """Makes the tallies of one store in a thread, from the constructor to `close`. Usable with ``with``."""

    def __init__(
        self,
        engine: Engine,
        are_lines_coming: Callable[[], bool],
        clock_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        """Start the thread.

        Args:
            engine: the open database.
            are_lines_coming: returns whether lines were stored within the last seconds; called in the thread.
            clock_us: returns the time in microseconds since the epoch.
        """
        # Not changed after the constructor.
        self._engine = engine
        self._are_lines_coming = are_lines_coming
        self._clock_us = clock_us
        self._stop = threading.Event()
        # In the thread only.
        self._orphans: frozenset[int] = frozenset()  # as of the last clearing
        self._cleared_at = time.monotonic()
        # By the start of a day: when its tallies were made, by the monotonic clock.
        self._made_at: dict[int, float] = {}
        with engine.read() as connection:
            has_interrupted = tallies.has_interrupted(connection)
        if has_interrupted:
            engine.write(tallies.repeat_interrupted)
        self._thread = threading.Thread(target=self._run, name="tallies")
        self._thread.start()

    def _run(self) -> None:
        wait_s = _FIRST_S
        while not self._stop.wait(wait_s):
            wait_s = _TICK_S
            try:
                self._make_due()
                self._clear_if_due()
            except PuppylogError as error:
                _log.error("%s", error.message)
            except Exception:  # noqa: BLE001 - a defect here must not end the thread
                _log.exception("cannot make tallies")

    def _make_due(self) -> None:
        with self._engine.read() as connection:
            due = tallies.list_due(connection, self._clock_us())
        now = time.monotonic()
        self._made_at = {start_us: at for start_us, at in self._made_at.items() if now - at < _AGAIN_S}
        for start_us in due:
            if start_us in self._made_at:
                continue
            started = time.monotonic()
            tallies.make_tallies(self._engine, start_us, self._stop.is_set)
            self._made_at[start_us] = time.monotonic()
            took_s = self._made_at[start_us] - started
            if self._stop.wait(took_s * (_REST_BUSY if self._are_lines_coming() else _REST_QUIET)):
                return

    def _clear_if_due(self) -> None:
        """Delete the counts that had no tally at the last clearing: no query that has chosen them is still running."""
        if time.monotonic() - self._cleared_at < _CLEAR_S:
            return
        old = self._orphans
        if old:
            self._engine.write(lambda connection: tallies.delete_counts(connection, old))
        with self._engine.read() as connection:
            self._orphans = tallies.list_orphans(connection)
        self._cleared_at = time.monotonic()

    def close(self) -> None:
        """Stop the thread; return when it has counted the current field of its current day."""
        self._stop.set()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
