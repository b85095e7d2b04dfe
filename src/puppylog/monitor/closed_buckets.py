"""The last closed bucket of every metric, for monitoring systems that keep time series of their own.

A bucket is closed when the store has materialized it, or has had the time to do so: buckets without any record need not
be materialized. So no bucket is computed from many records. A metric costs its store 5 ms of CPU. So its bucket is read
only when the next one closes, and once a minute for late lines.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from puppylog.errors import PuppylogError
from puppylog.model.metric import COUNTING_STATISTICS, Metric
from puppylog.monitor.metrics import MetricState
from puppylog.stores.base import RecordReader
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores", "watching.sql")

_SETTLED_S: Final = 10.0  # an evaluator that keeps up has materialized what is older

FRESH_S: Final = 60.0
"""How many seconds until a bucket is read again, because late lines may have changed it."""

MAX_SEGMENTS: Final = 100
"""The number of segments of one metric that are read; those with the largest values."""


@dataclass(frozen=True, slots=True)
class ClosedBucket:
    """The last closed bucket of a metric."""

    metric: Metric
    bucket: datetime  # its start
    values: tuple[tuple[str, float], ...]  # segments and values, the largest first; the segment of a whole metric is ""
    left_out: int  # segments that are not in `values`


@dataclass(frozen=True, slots=True)
class _Known:
    state: MetricState  # when the bucket was read
    closed: ClosedBucket
    read_at: float  # of time.monotonic


class ClosedBuckets:
    """Reads the buckets, and remembers them. Used by one thread at a time."""

    def __init__(self, *, max_segments: int = MAX_SEGMENTS, fresh_s: float = FRESH_S) -> None:
        self._most = max_segments
        self._fresh_s = fresh_s
        self._known: dict[str, _Known] = {}

    def read(self, reader: RecordReader, states: Sequence[MetricState]) -> Sequence[ClosedBucket]:
        """Return the last closed bucket of each of the metrics that has one, in their order.

        A metric whose bucket cannot be read, because it is just being deleted, is left out.
        """
        if not states:
            return []
        [clock] = reader.query(_QUERIES["clock"]).to_pylist()
        found: dict[str, _Known] = {}
        for state in states:
            bucket = find_closed_bucket(state, clock["now"])
            if bucket is None:
                continue
            known = self._known.get(state.metric.name)
            if known is None or not self._is_fresh(known, state, bucket):
                try:
                    known = _Known(state, self._read(reader, state.metric, bucket), time.monotonic())
                except PuppylogError:
                    continue
            found[state.metric.name] = known
        self._known = found
        return [known.closed for known in found.values()]

    def _is_fresh(self, known: _Known, state: MetricState, bucket: datetime) -> bool:
        is_same = (known.state.metric, known.state.created_at) == (state.metric, state.created_at)
        return is_same and known.closed.bucket == bucket and time.monotonic() - known.read_at < self._fresh_s

    def _read(self, reader: RecordReader, metric: Metric, bucket: datetime) -> ClosedBucket:
        sql = _QUERIES["bucket"].format(metric=metric.name)
        rows = reader.query(sql, {"bucket": bucket.isoformat(), "most": self._most}).to_pylist()
        values = tuple((row["segment"] or "", row["value"]) for row in rows if row["value"] is not None)
        if not rows and metric.segment is None and metric.statistic in COUNTING_STATISTICS:
            values = (("", 0.0),)  # no record came
        return ClosedBucket(metric, bucket, values, rows[0]["segments"] - len(rows) if rows else 0)


def find_closed_bucket(state: MetricState, now: datetime) -> datetime | None:
    """Return the start of the last closed bucket; None if the metric was not materialized yet.

    Args:
        state: of the metric.
        now: by the store's clock.
    """
    if state.watermark is None:
        return None
    metric = state.metric
    until_s = max(state.watermark.timestamp(), now.timestamp() - max(metric.refresh_s, _SETTLED_S))
    return datetime.fromtimestamp(until_s // metric.period_s * metric.period_s - metric.period_s, UTC)
