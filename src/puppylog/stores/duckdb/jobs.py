"""The engine's jobs: one thread that refreshes metrics, evaluates alerts and leaves a heartbeat.

A job never raises out of its round. What goes wrong with one alert is recorded as its error and does not concern the
others; what goes wrong with a metric is told with the heartbeat.
"""

import logging
import threading
import time
from types import TracebackType
from typing import Self

from puppylog.errors import PuppylogError
from puppylog.model.metric import Metric
from puppylog.stores.duckdb import alerts, evaluate, metrics, refresh
from puppylog.stores.duckdb.engine import Connection, Engine
from puppylog.stores.duckdb.refresh import US_PER_S

TICK_S = 0.5
BEAT_S = 5.0
"""A monitor calls a heartbeat old after a few of these."""

_log = logging.getLogger("puppylog.jobs")


class Jobs:
    """Runs from construction to `close`. Usable with ``with``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._stop = threading.Event()
        self._appends = 0  # counted, so that nothing is refreshed when nothing has come
        self._refreshed: dict[int, tuple[float, int]] = {}  # by metric: when, and at which count of appends
        self._known_metrics: list[metrics.StoredMetric] = []
        self._known_alerts: list[alerts.StoredAlert] = []
        self._is_outdated = threading.Event()  # the two lists
        self._is_outdated.set()
        self._beat_at = 0.0
        self._error: str | None = None
        self._thread = threading.Thread(target=self._run, name="jobs")
        self._thread.start()

    def note_append(self) -> None:
        """Say that there are new lines."""
        self._appends += 1

    def note_definitions(self) -> None:
        """Say that metrics or alerts have been made or deleted."""
        self._is_outdated.set()

    def materialize(self, metric: Metric) -> None:
        """Fill a metric up to now, oldest first, in transactions that leave room for others in between."""
        with self._engine.read() as connection:
            slices = list(refresh.iter_slices(connection))
        for until_us in [*slices, None]:
            self._refresh(metric.name, until_us)

    def _run(self) -> None:
        while not self._stop.wait(TICK_S):
            try:
                self._round()
            except PuppylogError as error:
                self._error = error.message
                _log.error("%s", error.message)
            except Exception:  # noqa: BLE001 - the next round must come whatever happened in this one
                self._error = "internal error; the engine's log tells more"
                _log.exception("a round of jobs failed")

    def _round(self) -> None:
        if self._is_outdated.is_set():
            self._is_outdated.clear()
            with self._engine.read() as connection:
                self._known_metrics = metrics.list_metrics(connection)
                self._known_alerts = alerts.list_alerts(connection)
        for metric in self._known_metrics:
            self._refresh_if_due(metric)
        now_us = time.time_ns() // 1000
        for alert in self._known_alerts:
            if now_us >= alert.evaluated_us + alert.alert.period_s * US_PER_S:
                self._evaluate(alert)
        if time.monotonic() - self._beat_at >= BEAT_S:
            self._engine.write(lambda connection: evaluate.beat(connection, self._error))
            self._beat_at = time.monotonic()
            self._error = None

    def _refresh_if_due(self, stored: metrics.StoredMetric) -> None:
        at, appends = self._refreshed.get(stored.id, (0.0, -1))
        if appends == self._appends or time.monotonic() - at < stored.metric.refresh_s:
            return
        appends = self._appends
        self._refresh(stored.metric.name, None)
        self._refreshed[stored.id] = (time.monotonic(), appends)

    def _refresh(self, name: str, until_us: int | None) -> None:
        def work(connection: Connection) -> None:
            refresh.refresh_by_name(connection, name, time.time_ns() // 1000, until_us)
            refresh.forget_invalidations(connection)

        self._engine.write(work)

    def _evaluate(self, stored: alerts.StoredAlert) -> None:
        """Do what is due, in as many transactions as it takes: lines get their turn in between."""
        name = stored.alert.name
        now_us = time.time_ns() // 1000
        try:
            while self._engine.write(lambda connection: evaluate.evaluate(connection, name, now_us)):
                if self._stop.is_set():
                    return
        except PuppylogError as error:
            message = error.message
            self._engine.write(lambda connection: evaluate.note_error(connection, name, message, now_us))
        self._is_outdated.set()  # the alert has moved on

    def close(self) -> None:
        """Return when the round is over."""
        self._stop.set()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
