"""What monitoring systems are told of every kind of store."""

from datetime import UTC, datetime, timedelta

import pytest

from puppylog.model.alert import Alert, Comparison, NoData
from puppylog.model.metric import Metric
from puppylog.model.stream import StreamReport
from puppylog.monitor import closed_buckets
from puppylog.monitor.closed_buckets import ClosedBuckets
from puppylog.monitor.collectors import StreamState
from puppylog.monitor.metrics import list_metrics
from puppylog.monitor.watching import Snapshot, read_snapshot
from puppylog.stores.base import Store
from puppylog.stores.size import measure_store
from support.embedded import wait_until
from support.lines import Source, records, rows
from support.server import StoreServer

HOUR = timedelta(hours=1)
PAST = datetime.now(UTC).replace(microsecond=0) - HOUR
FAILURES = Metric("failures", "count", "*", 1, segment="host", refresh_s=1)
FAILING = Alert(
    name="failing",
    metric="failures",
    statistic="sum",
    comparison=Comparison.AT_LEAST,
    threshold=0,
    window_s=2,
    period_s=1,
    for_s=0,
    keep_firing_for_s=0,
    delay_s=0,
    each_segment=False,
    no_data=NoData.ZERO,
    contacts=("ops",),
    group_wait_s=0,
    severity="error",
)


def see(store: Store, buckets: ClosedBuckets | None = None) -> Snapshot:
    return read_snapshot(store, buckets or ClosedBuckets())


def test_a_snapshot_of_a_new_store_is_empty(store: Store) -> None:
    snapshot = see(store)
    assert (snapshot.streams, snapshot.alerts, snapshot.outbox, snapshot.buckets) == ([], [], [], [])
    assert snapshot.info == store.info


def test_a_snapshot_counts_the_alerts_that_fire_and_the_notifications_that_wait(store: Store) -> None:
    store.create_metric(FAILURES)
    store.create_alert(FAILING)
    wait_until(lambda: see(store).outbox != [], what="a notification")
    snapshot = see(store)
    [alert] = snapshot.alerts
    assert (alert.name, alert.severity, alert.state, alert.segments, alert.has_failed) == (
        *("failing", "error", "firing", 1),
        False,
    )
    assert alert.since is not None
    [outbox] = snapshot.outbox
    assert (outbox.contact, outbox.state, outbox.notifications) == ("ops", "waiting", 1)
    assert snapshot.evaluator_age_s is not None
    assert snapshot.evaluator_age_s < 60


def test_a_stream_that_has_stalled_is_a_problem(store: Store) -> None:
    source = Source(store)
    store.report([StreamReport(source.stream_id, 5, 100.0, 100.0, 0.0, 1, 2)])
    wait_until(lambda: see(store).streams != [], what="the report")
    snapshot = see(store)
    assert snapshot.count_streams(StreamState.STALLED) == 1
    assert [(found.subject, found.state) for found in snapshot.problems if "stream" in found.subject] == [
        ("stream /var/log/test.log", "wrong")
    ]


def test_the_last_closed_bucket_of_a_metric_is_the_newest_that_is_over(store: Store) -> None:
    source = Source(store)
    for name, statistic, segment in (("all", "count", None), ("by_host", "sum", "host"), ("largest", "max", None)):
        property_ = "*" if statistic == "count" else "response_bytes"
        store.create_metric(Metric(name, statistic, property_, 60, segment=segment, refresh_s=1))
    source.append(rows([{"ts": PAST, "host": host, "response_bytes": size} for host, size in (("a", 3), ("b", 9))]))
    read = ClosedBuckets()
    wait_until(lambda: len(see(store, read).buckets) == 3, what="materialized buckets")
    found = {closed.metric.name: closed for closed in see(store, read).buckets}
    for closed in found.values():
        assert timedelta(seconds=60) <= datetime.now(UTC) - closed.bucket < timedelta(seconds=240)
    assert found["all"].values == (("", 0.0),)  # no record came in the last minute
    assert found["largest"].values == ()


@pytest.fixture
def hour(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """Let the last closed bucket of a materialized metric be an hour in the past, and return its start."""
    start = PAST.replace(minute=0, second=0) - HOUR
    monkeypatch.setattr(closed_buckets, "find_closed_bucket", lambda state, _: state.watermark and start)
    return start


def read_bucket(store: Store, read: ClosedBuckets) -> tuple[tuple[tuple[str, float], ...], int] | None:
    found = read.read(store, list_metrics(store))
    return (found[0].values, found[0].left_out) if found else None


def test_a_bucket_is_read_again_after_late_lines(store: Store, hour: datetime) -> None:
    source = Source(store)
    store.create_metric(Metric("by_host", "count", "*", 3600, segment="host", refresh_s=1))
    source.append(records(3, ts=hour))
    read = ClosedBuckets(most_segments=1, fresh_s=0)
    wait_until(lambda: read_bucket(store, read) == ((("h", 3.0),), 0), what="the bucket")
    source.append(rows([{"ts": hour, "host": "z"}] * 5, start=source.offset))
    wait_until(lambda: read_bucket(store, read) == ((("z", 5.0),), 1), what="the bucket with the late lines")


def test_a_bucket_is_remembered_for_some_time(store: Store, hour: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source(store)
    store.create_metric(Metric("by_host", "count", "*", 3600, segment="host", refresh_s=1))
    source.append(records(3, ts=hour))
    read = ClosedBuckets()
    wait_until(lambda: read_bucket(store, read) is not None, what="a refresh")
    known = read_bucket(store, read)
    monkeypatch.setattr(read, "_read", None)
    assert read_bucket(store, read) == known


def test_the_size_of_a_store_is_measured(server: StoreServer, store: Store) -> None:
    Source(store).append(records(10))
    size = measure_store(store, server.url)
    assert size.used_bytes >= 0  # an embedded store first writes to its log
    is_embedded = store.info.flavour == "duckdb"
    assert (size.file_bytes is not None, size.disk_free_bytes is not None) == (is_embedded, is_embedded)
    if size.file_bytes is not None and size.disk_bytes is not None and size.disk_free_bytes is not None:
        assert 0 < size.file_bytes < size.disk_bytes
        assert 0 < size.disk_free_bytes <= size.disk_bytes
