"""When each metric is refreshed next, and which metrics are refreshed in one transaction.

A refresh at an instant that is a multiple of the metric's refresh rate fills the bucket that has just become final. An
alert that is evaluated at that instant, after the refresh, then reads no records.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from puppylog.stores.duckdb.engine.ranges import US_PER_S
from puppylog.stores.duckdb.engine.stored import StoredMetric

_MAX_METRICS: Final = 10  # in one transaction


@dataclass(frozen=True, slots=True)
class _Refresh:
    """The last refresh of a metric."""

    at_s: float  # by the monotonic clock
    interval_no: int  # in which interval of the refresh rate, counted from the epoch, by the system's clock
    appends: int | None  # the number of appends then; None: the next refresh does not wait for another append
    error: str | None = None


class MetricSchedule:
    """The last refresh of each metric. Not for several threads."""

    def __init__(self) -> None:
        self._last: dict[int, _Refresh] = {}

    def iter_batches(self, metrics: Iterable[StoredMetric], appends: int, now_us: int) -> Iterator[list[StoredMetric]]:
        """Yield the metrics that are due, as lists of those to refresh in one transaction.

        A metric is due in each interval of its refresh rate, if lines were appended since its last refresh, and when
        the interval's length has passed. A metric that has never been refreshed, or whose refresh failed, is alone.

        Args:
            metrics: all metrics.
            appends: the number of appends so far.
            now_us: the time in microseconds since the epoch.
        """
        now_s = time.monotonic()
        batch: list[StoredMetric] = []
        for stored in metrics:
            if not self._is_due(stored, appends, now_us, now_s):
                continue
            if stored.refreshed_us is None or self.has_failed(stored):
                yield [stored]
                continue
            batch.append(stored)
            if len(batch) == _MAX_METRICS:
                yield batch
                batch = []
        if batch:
            yield batch

    def _is_due(self, stored: StoredMetric, appends: int, now_us: int, now_s: float) -> bool:
        last = self._last.get(stored.id)
        if last is None:
            return True
        is_time = last.interval_no != _interval_no(stored, now_us) or now_s - last.at_s >= stored.metric.refresh_s
        return is_time and last.appends != appends

    def has_failed(self, stored: StoredMetric) -> bool:
        """Return whether the last refresh of the metric failed."""
        last = self._last.get(stored.id)
        return last is not None and last.error is not None

    def note_refreshed(self, stored: StoredMetric, appends: int | None, now_us: int) -> None:
        """Record a refresh.

        Args:
            stored: the metric.
            appends: the number of appends that the refresh has seen; None if it left records to a later refresh, which
                must not wait for another append.
            now_us: the time in microseconds since the epoch.
        """
        self._last[stored.id] = _Refresh(time.monotonic(), _interval_no(stored, now_us), appends)

    def note_failed(self, stored: StoredMetric, error: str, now_us: int) -> bool:
        """Record that a refresh failed; return whether the error differs from the last one."""
        last = self._last.get(stored.id)
        self._last[stored.id] = _Refresh(time.monotonic(), _interval_no(stored, now_us), None, error)
        return last is None or last.error != error


def _interval_no(stored: StoredMetric, now_us: int) -> int:
    return now_us // (stored.metric.refresh_s * US_PER_S)
