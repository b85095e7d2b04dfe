"""The engine's jobs: one thread refreshes metrics, evaluates alerts and stores a heartbeat.

No error ends the thread. The error of one metric or alert is stored with it and does not affect the others. Any other
error is stored with the heartbeat.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import TracebackType
from typing import Final, Self, TypeVar

from puppylog.errors import PuppylogError
from puppylog.model.derived import is_derived
from puppylog.model.metric import Metric
from puppylog.stores.duckdb.engine import clock, evaluate, outbox, received_requests, refresh
from puppylog.stores.duckdb.engine.alert_batches import MAX_ALERTS, count_missed, iter_batches, order_due
from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.duckdb.engine.database import Engine
from puppylog.stores.duckdb.engine.definitions import DEFINITIONS
from puppylog.stores.duckdb.engine.evidence import Allowance
from puppylog.stores.duckdb.engine.metric_schedule import MetricSchedule
from puppylog.stores.duckdb.engine.settled import Changes, SettledAlerts, find_settled, note_settled
from puppylog.stores.duckdb.engine.stored import StoredAlert, StoredMetric

T = TypeVar("T")

TICK_S = 0.5
BEAT_S = 10.0
"""The time in seconds between two heartbeats. A monitor calls a heartbeat old after three times this."""

# An alert that has missed more evaluations than this is evaluated after the other alerts.
_CATCHING_UP: Final = 100
# About how many seconds a round spends on such alerts, so that the others do not wait long for the next round.
_CATCH_UP_S: Final = 0.5
# Alerts wait this long for the refreshes of a round, and for the transaction that runs then.
_REFRESH_S: Final = 2.0
# If lines came within this time, the next ones are expected, and a short job waits for their transaction.
_COMING_S: Final = 2.0
# How long such a job waits, and how long no other job waits after it, so that many jobs are not late.
_JOIN_S: Final = 1.0
# Jobs of more work than this do not wait: other writes would wait for them.
_SHORT_S: Final = 0.1
# The time between two deletions of old notifications and requests.
_CLEAR_S: Final = 600.0
# The first value of the last seen time: later than any clock, so that the first round re-bases future instants.
_NEVER_US: Final = 2**63 - 1

_log = logging.getLogger("puppylog.jobs")


class Jobs:
    """The thread of the jobs, which runs from the constructor to `close`. Usable with ``with``."""

    def __init__(self, engine: Engine, clock_us: Callable[[], int] = lambda: time.time_ns() // 1000) -> None:
        """Start the thread.

        Args:
            engine: the open database.
            clock_us: returns the time in microseconds since the epoch. It may be set back.
        """
        # In any thread: these do not change after the constructor, or are events.
        self._engine = engine
        self._clock_us = clock_us
        self._stop = threading.Event()
        self._is_outdated = threading.Event()  # set if the lists of metrics and alerts must be read again
        self._is_outdated.set()

        # Under the lock.
        self._lock = threading.Lock()
        self._appends = 0  # the number of appends; without a new append no metric is refreshed
        self._definitions = 0  # the number of changes of metrics and alerts
        self._appended_at = -_COMING_S  # the time of the last append, by the monotonic clock

        # In transactions of the jobs' thread only, one at a time.
        self._allowance = Allowance()

        # In the thread of the jobs only.
        self._seen_us = _NEVER_US  # the clock's time in the last round
        self._schedule = MetricSchedule()
        self._known_metrics: list[StoredMetric] = []
        self._known_alerts: list[StoredAlert] = []
        self._settled = SettledAlerts()
        self._took_s: dict[int, float] = {}  # by alert: how long its last evaluation took, or its share of a batch
        self._beat_at = 0.0
        self._joined_at = 0.0  # when a job last waited for the transaction of lines
        self._refresh_took_s = 1.0  # how long the last transaction of refreshes took
        self._cleared_at = time.monotonic()
        self._error: str | None = None

        self._thread = threading.Thread(target=self._run, name="jobs")
        self._thread.start()

    def note_append(self) -> None:
        """Record that lines were committed. Any thread calls this after the commit."""
        with self._lock:
            self._appends += 1
            self._appended_at = time.monotonic()

    def are_lines_coming(self) -> bool:
        """Return whether lines were committed within the last seconds. Any thread may call this."""
        with self._lock:
            return time.monotonic() - self._appended_at < _COMING_S

    def _count_appends(self) -> int:
        with self._lock:
            return self._appends

    def _count_changes(self) -> Changes:
        with self._lock:
            return self._appends, self._definitions

    def _write(self, work: Callable[[Connection], T], expected_s: float) -> T:
        """Run a job in a transaction: in that of the next lines if lines keep coming and the job is short."""
        now = time.monotonic()
        if not self.are_lines_coming() or expected_s > _SHORT_S or now - self._joined_at < 2 * _JOIN_S:
            return self._engine.write(work)
        self._joined_at = now
        return self._engine.write_joined(work, _JOIN_S)

    def note_definitions(self) -> None:
        """Record that metrics or alerts were created or deleted. Any thread calls this after the commit."""
        with self._lock:
            self._definitions += 1
        self._is_outdated.set()

    def materialize(self, metric: Metric) -> None:
        """Fill a new metric up to now, the oldest records first, in several transactions, in the caller's thread."""
        if is_derived(metric):
            return
        with self._engine.read() as connection:
            slices = refresh.list_slice_ends(connection)
        for until_us in [*slices, None]:
            self._refresh([metric.name], until_us)
        self._engine.write(refresh.forget_invalidations)

    def _run(self) -> None:
        while not self._stop.wait(TICK_S):
            self._round()

    def _round(self) -> None:
        """Do all jobs that are due. If one part fails, the others still run."""
        with self._reported():
            self._check_clock()
        with self._reported():
            self._list_definitions()
        self._refresh_due()
        with self._reported():
            self._evaluate_due()
        self._clear_if_due()
        self._beat_if_due()

    def _clear_if_due(self) -> None:
        """Delete old notifications, evidence and requests if it is time."""
        if time.monotonic() - self._cleared_at >= _CLEAR_S:
            with self._reported():
                self._engine.write(lambda connection: outbox.clear(connection, self._clock_us()))
            with self._reported():
                self._engine.write(lambda connection: received_requests.clear(connection, self._clock_us()))
            self._cleared_at = time.monotonic()

    def _beat_if_due(self) -> None:
        """Store a heartbeat if it is due. Called several times in a round, because a round may take long.

        The heartbeat is deferred, so that it shares the transaction of lines that come.
        """
        if time.monotonic() - self._beat_at >= BEAT_S:
            self._beat()
        self._engine.write_deferred()

    def _beat(self) -> None:
        error, self._error = self._error, None
        self._engine.write_later(lambda connection: evaluate.beat(connection, error, self._clock_us()))
        self._beat_at = time.monotonic()

    @contextmanager
    def _reported(self) -> Iterator[None]:
        """Catch errors of the ``with`` block, log them, and keep the last one for the next heartbeat."""
        try:
            yield
        except PuppylogError as error:
            self._error = error.message
            _log.error("%s", error.message)
        except Exception:  # noqa: BLE001 - a defect in one job must not stop the others
            self._error = "internal error; the engine's log tells more"
            _log.exception("a round of jobs failed")

    def _check_clock(self) -> None:
        """Re-base the store's future instants in the first round, and when the clock was set back."""
        now_us = self._clock_us()
        if now_us < self._seen_us:
            self._engine.write(lambda connection: clock.rebase(connection, now_us))
            self._is_outdated.set()
        self._seen_us = now_us

    def _list_definitions(self) -> None:
        if self._is_outdated.is_set():
            self._is_outdated.clear()
            with self._engine.read() as connection:
                metrics = DEFINITIONS.list_metrics(connection)
                self._known_metrics = [stored for stored in metrics if not is_derived(stored.metric)]
                self._known_alerts = DEFINITIONS.list_alerts(connection)

    def _refresh_due(self) -> None:
        """Refresh the metrics that are due, several in one transaction. If this takes long, evaluate alerts in between.

        The refreshes come first, because an alert whose window is materialized costs less. It is not wrong to evaluate
        it before: the buckets that are not materialized are computed from the records.
        """
        has_refreshed, evaluated_at = False, time.monotonic()
        for batch in self._schedule.iter_batches(self._known_metrics, self._count_appends(), self._clock_us()):
            if self.is_ending():
                return
            with self._reported():
                has_refreshed |= self._refresh_batch(batch)
            self._beat_if_due()
            if time.monotonic() - evaluated_at > _REFRESH_S:
                with self._reported():
                    self._evaluate_due()
                evaluated_at = time.monotonic()
        if has_refreshed:
            with self._reported():
                self._forget_invalidations()

    def _forget_invalidations(self) -> None:
        """Delete the invalidations that are handled, if there are any: most refreshes have had no late line."""
        with self._engine.read() as connection:
            is_needed = refresh.has_handled_invalidations(connection)
        if is_needed:
            self._engine.write(refresh.forget_invalidations)

    def _refresh_batch(self, batch: Sequence[StoredMetric]) -> bool:
        """Refresh metrics; return whether any was refreshed. An error is stored with its metric.

        A transaction takes limited time: metrics that it leaves out are refreshed in another one. If one fails, each
        of its metrics is refreshed alone, so that the error of one is not an error of the others.
        """
        has_refreshed = False
        while batch:
            appends, now_us = self._count_appends(), self._clock_us()
            try:
                done = self._refresh_shortly([stored.metric.name for stored in batch])
            except PuppylogError as error:
                if len(batch) == 1:
                    self._note_failed(batch[0], error.message, now_us)
                    return has_refreshed
                refreshed = [self._refresh_batch([stored]) for stored in batch]
                return has_refreshed or any(refreshed)
            # If no lines follow, the newest buckets must be filled later, without another append.
            live: set[int] = set()
            if appends == self._count_appends():
                with self._engine.read() as connection:
                    live = refresh.list_live(connection, [stored.id for stored in batch[:done]])
            for stored in batch[:done]:
                self._schedule.note_refreshed(stored, None if stored.id in live else appends, now_us)
            has_refreshed, batch = True, batch[done:]
        return has_refreshed

    def _note_failed(self, stored: StoredMetric, message: str, now_us: int) -> None:
        if self._schedule.note_failed(stored, message, now_us):
            _log.error("metric %s is not refreshed: %s", stored.metric.name, message)
        self._engine.write(lambda connection: refresh.note_error(connection, stored.id, message))

    def _refresh_shortly(self, names: Sequence[str]) -> int:
        """Refresh metrics as `_refresh` does, up to now. The transaction may be that of the next lines."""

        def work(connection: Connection) -> int:
            started_at = time.monotonic()
            done = refresh.refresh(connection, names, self._clock_us(), None)
            self._refresh_took_s = time.monotonic() - started_at
            return done

        return self._write(work, self._refresh_took_s)

    def _refresh(self, names: Sequence[str], until_us: int | None) -> int:
        """Refresh metrics in one transaction; return how many of them, which are the first ones."""
        return self._engine.write(lambda connection: refresh.refresh(connection, names, self._clock_us(), until_us))

    def _evaluate_due(self) -> None:
        """Evaluate the alerts that are due, in the order of `order_due`, many alerts in one transaction.

        Alerts with many missed evaluations come last. They share a limited time of each round, but at least one of
        them is evaluated.
        """
        self._list_definitions()
        now_us = self._clock_us()
        changes = self._count_changes()
        due = [
            (count_missed(stored, now_us), stored)
            for stored in self._known_alerts
            if not self._settled.may_wait(stored, changes, now_us)
        ]
        due = order_due(due, self._took_s)
        few = [(missed, stored) for missed, stored in due if missed <= _CATCHING_UP]
        noted = self._note_settled([stored for _, stored in few], changes, now_us)
        few = [(missed, stored) for missed, stored in few if stored.id not in noted]
        for batch in iter_batches(few, self._took_s, MAX_ALERTS):
            if self.is_ending():
                return
            self._evaluate(batch, now_us)
            self._beat_if_due()
        deadline = time.monotonic() + _CATCH_UP_S
        for stored in (stored for missed, stored in due if missed > _CATCHING_UP):
            while self._evaluate([stored], now_us):
                if time.monotonic() > deadline or self.is_ending():
                    return
            if time.monotonic() > deadline:
                return

    def _note_settled(self, alerts: Sequence[StoredAlert], changes: Changes, now_us: int) -> Mapping[int, int]:
        """Note the evaluations of settled alerts, with a heartbeat; return the ids of the alerts as keys.

        If this fails, the alerts are evaluated like all others.
        """
        noted: Mapping[int, int] = {}
        settled = self._settled.list_settled(alerts, changes, now_us)
        if settled:
            self._beat()
            with self._reported():
                noted = self._engine.write(lambda connection: note_settled(connection, settled, now_us))
        if not noted:
            return noted
        self._settled.note_noted(noted, now_us)
        self._known_alerts = [
            replace(stored, evaluated_us=noted.get(stored.id, stored.evaluated_us)) for stored in self._known_alerts
        ]
        return noted

    def _evaluate(self, alerts: Sequence[StoredAlert], now_us: int) -> bool:
        """Do a limited number of each alert's evaluations; return whether more are due.

        All alerts are evaluated in one transaction. If it fails, each alert is evaluated alone, so that the error of
        one is not an error of the others.
        """
        names = [stored.alert.name for stored in alerts]
        self._is_outdated.set()  # the list has the time of each alert's last evaluation, which changes
        started_at = time.monotonic()

        def work(connection: Connection) -> bool:
            nonlocal started_at
            started_at = time.monotonic()
            is_more_due = evaluate.evaluate(connection, names, now_us, allowance=self._allowance)
            settled.clear()
            if quiet and not is_more_due:
                settled.update(find_settled(connection, quiet))
            return is_more_due

        # An alert is looked at if nothing has changed since its last evaluation: most alerts of a busy store are not.
        changes, settled = self._count_changes(), set[int]()
        quiet = self._settled.list_quiet(alerts, changes)
        try:
            is_more_due = self._write(work, sum(self._took_s.get(stored.id, 1.0) for stored in alerts))
        except PuppylogError as error:
            if len(alerts) > 1:
                are_more_due = [self._evaluate([stored], now_us) for stored in alerts]
                return any(are_more_due)
            message = error.message
            self._engine.write(lambda connection: evaluate.note_error(connection, names[0], message, now_us))
            return False
        else:
            self._settled.note_evaluated(alerts, settled, changes, now_us)
            return is_more_due
        finally:
            share_s = (time.monotonic() - started_at) / len(alerts)
            self._took_s.update({stored.id: share_s for stored in alerts})

    def is_ending(self) -> bool:
        """Return whether the thread has been told to stop."""
        return self._stop.is_set()

    def close(self) -> None:
        """Stop the thread; return when its current transaction has ended."""
        self._stop.set()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
