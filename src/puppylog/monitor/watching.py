"""The state of a store for monitoring systems: everything that a query of a small table tells."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from puppylog.model.finding import Finding, Health
from puppylog.monitor.alerts import find_heartbeat
from puppylog.monitor.closed_buckets import ClosedBucket, ClosedBuckets
from puppylog.monitor.collectors import FollowedStream, StreamState, list_followed_streams
from puppylog.monitor.doctor import iter_alert_findings, iter_clock_findings, iter_evaluator_findings
from puppylog.monitor.metrics import MetricState, list_metrics
from puppylog.monitor.notifications import iter_notification_findings
from puppylog.stores.base import RecordReader, Store, StoreInfo
from puppylog.stores.doctor import findings_of
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores", "watching.sql")

NOT_EVALUATED: Final = "not_evaluated"
"""The state of an alert that was not evaluated yet."""


@dataclass(frozen=True, slots=True)
class AlertCount:
    """How many segments of an alert have a state; 1 if the alert judges all segments together."""

    name: str
    severity: str
    state: str  # a value of `State`, or NOT_EVALUATED
    segments: int
    since: datetime | None  # since when the first of them has the state
    has_failed: bool  # whether the last evaluation of the alert failed


@dataclass(frozen=True, slots=True)
class OutboxCount:
    """How many notifications to a contact wait, or were given up."""

    contact: str
    state: str  # "waiting" or "dead"
    notifications: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of a store at one moment."""

    info: StoreInfo
    streams: Sequence[FollowedStream]
    alerts: Sequence[AlertCount]
    outbox: Sequence[OutboxCount]
    evaluator_age_s: float | None  # seconds since the evaluator's last sign of life; None if it has never run
    buckets: Sequence[ClosedBucket]
    problems: Sequence[Finding]  # warnings and faults, as the doctor finds them, without its slow checks

    def count_streams(self, state: StreamState) -> int:
        """Return the number of streams that have this state."""
        return sum(stream.state is state for stream in self.streams)


def read_snapshot(store: Store, buckets: ClosedBuckets) -> Snapshot:
    """Return the state of a store. It takes some milliseconds and waits for no writer.

    Args:
        store: the store.
        buckets: the buckets that were read before.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    streams = list_followed_streams(store)
    metrics = list_metrics(store)
    heartbeat = find_heartbeat(store)
    return Snapshot(
        info=store.info,
        streams=streams,
        alerts=list_alert_counts(store),
        outbox=[OutboxCount(**row) for row in store.query(_QUERIES["outbox"]).to_pylist()],
        evaluator_age_s=None if heartbeat is None else heartbeat.age_s,
        buckets=buckets.read(store, metrics),
        problems=[found for found in _iter_findings(store, streams, metrics) if found.state.is_bad],
    )


def list_alert_counts(reader: RecordReader) -> list[AlertCount]:
    """Return for each alert the number of its segments in each state, in the order of the names."""
    rows = reader.query(_QUERIES["alert_counts"]).to_pylist()
    return [AlertCount(**{**row, "state": row["state"] or NOT_EVALUATED}) for row in rows]


def _iter_findings(
    store: Store, streams: Sequence[FollowedStream], metrics: Sequence[MetricState]
) -> Iterator[Finding]:
    yield from findings_of("clock", partial(iter_clock_findings, store))
    yield from findings_of("evaluator", partial(iter_evaluator_findings, store))
    yield from findings_of("alerts", partial(iter_alert_findings, store))
    yield from findings_of("notifications", partial(iter_notification_findings, store))
    for metric in metrics:
        if metric.error is not None:
            yield Finding(f"metric {metric.metric.name}", Health.WRONG, f"its last refresh failed: {metric.error}")
    for stream in streams:
        if stream.state is StreamState.STALLED:
            yield Finding(f"stream {stream.name}", Health.WRONG, f"it has stalled: {stream.problem}")
