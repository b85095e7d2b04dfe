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
from puppylog.stores.address import is_remote
from puppylog.stores.base import Store
from puppylog.stores.connect import is_postgresql
from puppylog.stores.size import measure_store
from support.embedded import wait_until
from support.lines import Source, records, rows
from support.server import StoreServer

pytestmark = pytest.mark.sampled

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


def test_a_snapshot_tells_alerts_notifications_and_problems(store: Store) -> None:
    assert see(store).info == store.info
    source = Source(store)
    store.create_metric(FAILURES)
    store.create_alert(FAILING)
    store.report([StreamReport(source.stream_id, 5, 100.0, 100.0, 0.0, 1, 2)])
    wait_until(lambda: see(store).outbox != [] and see(store).streams != [], what="a notification and a report")
    snapshot = see(store)
    [alert] = snapshot.alerts
    assert (alert.name, alert.severity, alert.state, alert.segments) == ("failing", "error", "firing", 1)
    assert alert.since is not None
    assert not alert.has_failed
    [outbox] = snapshot.outbox
    assert (outbox.contact, outbox.state, outbox.notifications) == ("ops", "waiting", 1)
    assert snapshot.evaluator_age_s is not None
    assert snapshot.evaluator_age_s < 60
    assert snapshot.count_streams(StreamState.STALLED) == 1
    assert [(found.subject, found.state) for found in snapshot.problems if "stream" in found.subject] == [
        ("stream /var/log/test.log", "wrong")
    ]


def test_the_size_of_a_store_is_measured(server: StoreServer, store: Store) -> None:
    size = measure_store(store, server.url)
    assert size.used_bytes >= 0  # an embedded store first writes to its log
    is_embedded = not is_postgresql(server.url) and not is_remote(server.url)
    assert (size.file_bytes is not None, size.disk_free_bytes is not None) == (is_embedded, is_embedded)
    if size.file_bytes is not None and size.disk_bytes is not None and size.disk_free_bytes is not None:
        assert 0 < size.file_bytes < size.disk_bytes
        assert 0 < size.disk_free_bytes <= size.disk_bytes


def test_the_last_closed_bucket_is_read_with_late_lines_and_its_largest_segments(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=4)
    source = Source(store)
    for name, statistic, segment in (("hosts", "count", "host"), ("all", "count", None), ("largest", "max", None)):
        property_ = "*" if statistic == "count" else "response_bytes"
        store.create_metric(Metric(name, statistic, property_, 3600, segment=segment, refresh_s=1))
    source.append(records(3, ts=hour))
    read = ClosedBuckets(max_segments=1, fresh_s=0)

    def values() -> dict[str, tuple[tuple[tuple[str, float], ...], int]]:
        found = read.read(store, list_metrics(store))
        return {closed.metric.name: (closed.values, closed.left_out) for closed in found}

    wait_until(lambda: len(values()) == 3, what="materialized buckets")
    assert values() == {"hosts": ((), 0), "all": ((("", 0.0),), 0), "largest": ((), 0)}  # no record in the last hour
    monkeypatch.setattr(closed_buckets, "find_closed_bucket", lambda *_: hour)
    wait_until(lambda: values()["hosts"] == ((("h", 3.0),), 0), what="the bucket")
    source.append(rows([{"ts": hour, "host": "z"}] * 5, start=source.offset))
    wait_until(lambda: values()["hosts"] == ((("z", 5.0),), 1), what="the bucket with the late lines")
    wait_until(lambda: values()["all"] == ((("", 8.0),), 0), what="the same of the metric without segments")
