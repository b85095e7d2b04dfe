"""The engine's jobs: one thread that refreshes metrics, evaluates alerts and leaves a heartbeat.

A job never raises out of its round. What goes wrong with one metric or alert is recorded as its error and does not
concern the others; anything else that goes wrong is told with the heartbeat.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Final, Self

from puppylog.errors import PuppylogError
from puppylog.model.alert_schedule import count_due
from puppylog.model.metric import Metric
from puppylog.stores.duckdb.engine import clock, evaluate, refresh
from puppylog.stores.duckdb.engine.database import Engine
from puppylog.stores.duckdb.engine.definitions import DEFINITIONS, StoredAlert, StoredMetric

TICK_S = 0.5
BEAT_S = 5.0
"""A monitor calls a heartbeat old after a few of these."""

# An alert that has missed more evaluations than this is catching up, and lets the others go first.
_CATCHING_UP: Final = 100
# So long a round catches up at most, so that the next one, and its alerts that have missed nothing, is never far.
_CATCH_UP_S: Final = 0.5
# Before the first look at the clock; later than any time, so that the first look re-bases what is in the future.
_NEVER_US: Final = 2**63 - 1

_log = logging.getLogger("puppylog.jobs")


class Jobs:
    """Runs from construction to `close`. Usable with ``with``."""

    def __init__(self, engine: Engine, clock_us: Callable[[], int] = lambda: time.time_ns() // 1000) -> None:
        """``clock_us``: the time of day in microseconds since the epoch; it may go back."""
        # In any thread: these do not change after the constructor, or are events.
        self._engine = engine
        self._clock_us = clock_us
        self._stop = threading.Event()
        self._is_outdated = threading.Event()  # the lists of metrics and alerts
        self._is_outdated.set()

        # Under the lock.
        self._lock = threading.Lock()
        self._appends = 0  # counted, so that no metric is refreshed when no line was stored

        # In the thread of the jobs only.
        self._seen_us = _NEVER_US  # what the clock said last
        self._failing: dict[int, str] = {}  # by metric: why it is not refreshed
        self._refreshed: dict[int, tuple[float, int]] = {}  # by metric: when, and at which count of appends
        self._known_metrics: list[StoredMetric] = []
        self._known_alerts: list[StoredAlert] = []
        self._took_s: dict[int, float] = {}  # by alert: how long its last evaluation took
        self._beat_at = 0.0
        self._error: str | None = None

        self._thread = threading.Thread(target=self._run, name="jobs")
        self._thread.start()

    def note_append(self) -> None:
        """Note that lines were committed. For any thread, after the commit."""
        with self._lock:
            self._appends += 1

    def _count_appends(self) -> int:
        with self._lock:
            return self._appends

    def note_definitions(self) -> None:
        """Note that metrics or alerts were made or deleted. For any thread, after the commit."""
        self._is_outdated.set()

    def materialize(self, metric: Metric) -> None:
        """Fill a metric up to now, oldest first, in several transactions. Runs in the caller's thread."""
        with self._engine.read() as connection:
            slices = refresh.list_slice_ends(connection)
        for until_us in [*slices, None]:
            self._refresh(metric.name, until_us)
        self._engine.write(refresh.forget_invalidations)

    def _run(self) -> None:
        while not self._stop.wait(TICK_S):
            self._round()

    def _round(self) -> None:
        """Do all that is due. A part that fails keeps no other part from its turn."""
        with self._told():
            self._look_at_clock()
        with self._told():
            self._list_definitions()
        has_refreshed = False
        for metric in self._known_metrics:
            with self._told():
                has_refreshed |= self._refresh_if_due(metric)
            self._beat_if_due()
        if has_refreshed:
            with self._told():
                self._engine.write(refresh.forget_invalidations)
        with self._told():
            self._evaluate_due()
        self._beat_if_due()

    def _beat_if_due(self) -> None:
        """Leave a sign of life. Asked for within a round as well: with many metrics and alerts a round takes long."""
        if time.monotonic() - self._beat_at >= BEAT_S:
            with self._told():
                error, self._error = self._error, None
                self._engine.write(lambda connection: evaluate.beat(connection, error, self._clock_us()))
                self._beat_at = time.monotonic()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Tell what goes wrong with the next heartbeat, and go on."""
        try:
            yield
        except PuppylogError as error:
            self._error = error.message
            _log.error("%s", error.message)
        except Exception:  # noqa: BLE001 - the other jobs must have their turn whatever happened in this one
            self._error = "internal error; the engine's log tells more"
            _log.exception("a round of jobs failed")

    def _look_at_clock(self) -> None:
        """Re-base the store's instants at the start, and whenever the clock goes back."""
        now_us = self._clock_us()
        if now_us < self._seen_us:
            self._engine.write(lambda connection: clock.rebase(connection, now_us))
            self._is_outdated.set()
        self._seen_us = now_us

    def _list_definitions(self) -> None:
        if self._is_outdated.is_set():
            self._is_outdated.clear()
            with self._engine.read() as connection:
                self._known_metrics = DEFINITIONS.list_metrics(connection)
                self._known_alerts = DEFINITIONS.list_alerts(connection)

    def _refresh_if_due(self, stored: StoredMetric) -> bool:
        """Return whether the metric was refreshed. A failure is recorded; the next try is when it is due."""
        at, appends = self._refreshed.get(stored.id, (0.0, -1))
        counted = self._count_appends()
        if appends == counted or time.monotonic() - at < stored.metric.refresh_s:
            return False
        appends = counted
        try:
            self._refresh(stored.metric.name, None)
        except PuppylogError as error:
            message = error.message
            appends = -1  # what has come is still to be taken in
            if self._failing.get(stored.id) != message:
                _log.error("metric %s is not refreshed: %s", stored.metric.name, message)
            self._failing[stored.id] = message
            self._engine.write(lambda connection: refresh.note_error(connection, stored.id, message))
        else:
            self._failing.pop(stored.id, None)
            with self._engine.read() as connection:
                if refresh.has_live_records(connection, stored.id):
                    appends = -1  # the newest buckets are still to be filled, even if nothing more comes
        self._refreshed[stored.id] = (time.monotonic(), appends)
        return stored.id not in self._failing

    def _refresh(self, name: str, until_us: int | None) -> None:
        self._engine.write(lambda connection: refresh.refresh_by_name(connection, name, self._clock_us(), until_us))

    def _evaluate_due(self) -> None:
        """Evaluate each alert that is due: those that missed least first, of these the ones that took least time last.

        An alert that has much to catch up gets what time is left of a round, at least one call; the others come first
        in every round.
        """
        now_us = self._clock_us()
        due = [(_missed(stored, now_us), stored) for stored in self._known_alerts]
        due = order_due(due, self._took_s)
        for missed, stored in due:
            if missed <= _CATCHING_UP:
                self._evaluate(stored, now_us)
                self._beat_if_due()
        deadline = time.monotonic() + _CATCH_UP_S
        for stored in (stored for missed, stored in due if missed > _CATCHING_UP):
            while self._evaluate(stored, now_us):
                if time.monotonic() > deadline or self._stop.is_set():
                    return
            if time.monotonic() > deadline:
                return

    def _evaluate(self, stored: StoredAlert, now_us: int) -> bool:
        """Do one call's evaluations in a transaction of their own; return whether more are due."""
        name = stored.alert.name
        self._is_outdated.set()  # the alert moves on
        started_at = time.monotonic()
        try:
            return self._engine.write(lambda connection: evaluate.evaluate(connection, name, now_us))
        except PuppylogError as error:
            message = error.message
            self._engine.write(lambda connection: evaluate.note_error(connection, name, message, now_us))
            return False
        finally:
            self._took_s[stored.id] = time.monotonic() - started_at

    def close(self) -> None:
        """Return when the round is over."""
        self._stop.set()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def order_due(due: Iterable[tuple[int, StoredAlert]], took_s: Mapping[int, float]) -> list[tuple[int, StoredAlert]]:
    """Return the alerts that have missed evaluations in the order in which they get their turn.

    Args:
        due: alerts, and how many evaluations each has missed.
        took_s: by alert, how many seconds its last evaluation took.
    """
    missing = [(missed, stored) for missed, stored in due if missed]
    return sorted(missing, key=lambda pair: (pair[0], took_s.get(pair[1].id, 0.0)))


def _missed(stored: StoredAlert, now_us: int) -> int:
    """Return how many evaluations of an alert are due; one in the future is re-based, which counts as one."""
    if stored.evaluated_us > now_us:
        return 1
    return count_due(stored.evaluated_us, now_us, stored.alert.period_s)
