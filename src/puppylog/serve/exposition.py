"""What Prometheus reads at ``/metrics``.

Every label comes from a limited set, or the number of its values is capped: streams, alerts and segments of metrics can
be many, and each value is a time series that Prometheus keeps. What a cap leaves out is counted.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector, CollectorRegistry

from puppylog import __version__
from puppylog.model.alert import State
from puppylog.monitor.closed_buckets import ClosedBucket
from puppylog.monitor.collectors import FollowedStream, StreamState
from puppylog.monitor.watching import AlertCount, Snapshot
from puppylog.serve.counters import BOUNDS_S, Counters
from puppylog.serve.watch import Watched
from puppylog.stores.size import StoreSize

MAX_STREAMS: Final = 500
MAX_ALERTS: Final = 500
MAX_VALUES: Final = 2000
"""How many streams, alerts and observations of metrics have time series of their own."""

_NUMBERS: Final = {
    "requests": "Requests of senders that were stored.",
    "records": "Records that receivers have stored.",
    "rejected_lines": "Lines that receivers could not read and have stored as rejected lines.",
    "repeated_requests": "Requests that were identical to an earlier one, and were not stored again.",
    "refused_requests": "Requests that the store could not take.",
    "repeated_entries": "Entries of journals that were sent again, and were not stored again.",
    "dropped_datagrams": "Datagrams that were dropped because the store was behind.",
    "lost_messages": "Messages of syslog that were lost because the server ended, or the store refused them.",
    "lost_framing": "Connections of syslog that were closed because the size of a message was wrong.",
    "failed_handshakes": "Connections of syslog whose TLS handshake failed.",
    "refused_connections": "Connections of syslog that were refused because there are too many.",
    "defects": "Errors of the server itself. Please report them.",
}
"""What the numbers of the counters are. Numbers that are not listed here are published, too."""


@dataclass(frozen=True, slots=True)
class ServerState:
    """What the server itself knows."""

    counters: Counters
    queue_rows: int
    queue_bytes: int
    body_bytes: int
    sessions: int


def write_exposition(watched: Watched, server: ServerState, accept: str) -> tuple[bytes, str]:
    """Return the text and its content type.

    Args:
        watched: the state of the store.
        server: the state of the server.
        accept: the header of the request, which asks for a format.
    """
    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    registry.register(_Families(watched, server))
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


class _Families(Collector):
    """Gives the families of one answer to a registry."""

    def __init__(self, watched: Watched, server: ServerState) -> None:
        self._watched = watched
        self._server = server

    def collect(self) -> Iterator[Metric]:
        yield from _iter_server(self._server)
        snapshot, size = self._watched.snapshot, self._watched.size
        yield _gauge("store_up", "Whether the store answers.", float(snapshot is not None))
        yield _gauge("store_read_seconds", "How long the last reading of the store took.", self._watched.seconds)
        if snapshot is not None:
            yield from _iter_store(snapshot)
        if size is not None:
            yield from _iter_sizes(size)


def _iter_server(server: ServerState) -> Iterator[Metric]:
    numbers = server.counters.read()
    for name in sorted({name for name, _ in numbers} | {*_NUMBERS}):
        family = CounterMetricFamily(f"puppylog_{name}", _NUMBERS.get(name, f"Number of {name}."), labels=["receiver"])
        for (known, receiver), count in sorted(numbers.items()):
            if known == name:
                family.add_metric([receiver], count)
        yield family
    responses = CounterMetricFamily("puppylog_http_responses", "Answers over HTTP.", labels=["receiver", "status"])
    for (receiver, status), count in sorted(server.counters.read_responses().items()):
        responses.add_metric([receiver, str(status)], count)
    yield responses
    yield _gauge("queue_rows", "Received rows that wait for their commit.", server.queue_rows)
    yield _gauge("queue_bytes", "Memory of the received rows that wait for their commit.", server.queue_bytes)
    yield _gauge("body_bytes", "Memory of the bodies of requests.", server.body_bytes)
    yield _gauge("sessions", "Remote clients that hold claims.", server.sessions)
    commits = HistogramMetricFamily("puppylog_commit_seconds", "How long commits of lines took.", labels=["origin"])
    bounds = [*map(str, BOUNDS_S), "+Inf"]
    for origin, durations in sorted(server.counters.read_commits().items()):
        commits.add_metric([origin], list(zip(bounds, accumulate(durations.counts), strict=True)), durations.sum_s)
    yield commits


def _iter_store(snapshot: Snapshot) -> Iterator[Metric]:
    info = snapshot.info
    versions = (__version__, info.flavour, info.version, str(info.schema_version))
    yield _family("build_info", "Versions.", ("version", "store", "store_version", "schema"), [(versions, 1)])
    if snapshot.evaluator_age_s is not None:
        yield _gauge("evaluator_age_seconds", "Time since the evaluator's last sign of life.", snapshot.evaluator_age_s)
    found = Counter(problem.state.value for problem in snapshot.problems)
    yield _family(
        "problems",
        "Findings of doctor, without its slow checks.",
        ("state",),
        [((state,), found[state]) for state in ("warning", "wrong")],
    )
    yield _family(
        "notifications",
        "Notifications that wait, and that were given up.",
        ("contact", "state"),
        [((count.contact, count.state), count.notifications) for count in snapshot.outbox],
    )
    values = limit_values(snapshot.buckets)
    yield from _iter_streams(snapshot)
    yield from _iter_alerts(snapshot.alerts)
    yield from _iter_values(snapshot.buckets, values)
    left_out = {
        "streams": len(snapshot.streams) - MAX_STREAMS,
        "alerts": len({count.name for count in snapshot.alerts}) - MAX_ALERTS,
        "metric_values": sum(len(closed.values) + closed.left_out for closed in snapshot.buckets) - len(values),
    }
    yield _family(
        "series_left_out",
        "What has no time series of its own, because there are too many.",
        ("kind",),
        [((kind,), max(0, count)) for kind, count in left_out.items()],
    )


def _iter_streams(snapshot: Snapshot) -> Iterator[Metric]:
    counts = [((state.value,), snapshot.count_streams(state)) for state in StreamState]
    yield _family("streams", "Streams by state.", ("state",), counts)
    streams = choose_streams(snapshot.streams)
    for name, text, read in _OF_STREAMS:
        yield _family(name, text, ("source", "group"), [(_labels_of(stream), read(stream)) for stream in streams])
    for counter, text, read in _COUNTED_OF_STREAMS:
        family = CounterMetricFamily(f"puppylog_{counter}", text, labels=["source", "group"])
        for stream in streams:
            family.add_metric(_labels_of(stream), read(stream))
        yield family


_OF_STREAMS: Final[Sequence[tuple[str, str, Callable[[FollowedStream], float]]]] = (
    ("stream_lag_seconds", "How long the oldest line that is not stored has waited.", lambda stream: stream.lag_s),
    ("stream_lag_bytes", "Bytes that are not stored yet.", lambda stream: stream.lag_bytes),
    (
        "stream_stalled",
        "Whether lines wait and none is stored.",
        lambda stream: float(stream.state is StreamState.STALLED),
    ),
)
_COUNTED_OF_STREAMS: Final[Sequence[tuple[str, str, Callable[[FollowedStream], float]]]] = (
    ("stream_records", "Records stored since the stream's collector started.", lambda stream: stream.records),
    ("stream_rejects", "Rejected lines since the stream's collector started.", lambda stream: stream.rejects),
)


def choose_streams(streams: Sequence[FollowedStream]) -> Sequence[FollowedStream]:
    """Return the streams that have time series: if there are too many, those that have stalled or are far behind."""
    if len(streams) <= MAX_STREAMS:
        return streams

    def rank(stream: FollowedStream) -> tuple[bool, float, str]:
        return stream.state is not StreamState.STALLED, -stream.lag_s, stream.source_uri

    return sorted(sorted(streams, key=rank)[:MAX_STREAMS], key=lambda stream: stream.source_uri)


def _labels_of(stream: FollowedStream) -> tuple[str, str]:
    return stream.source_uri, stream.group or ""


def choose_alerts(counts: Sequence[AlertCount]) -> Sequence[AlertCount]:
    """Return the counts of the alerts that have time series: if there are too many, those that fire or fail first."""
    names = {count.name for count in counts}
    if len(names) <= MAX_ALERTS:
        return counts
    urgent = {count.name for count in counts if count.state == State.FIRING or count.has_failed}
    chosen = set(sorted(names, key=lambda name: (name not in urgent, name))[:MAX_ALERTS])
    return [count for count in counts if count.name in chosen]


def _iter_alerts(counts: Sequence[AlertCount]) -> Iterator[Metric]:
    shown = choose_alerts(counts)
    yield _family(
        "alert_segments",
        "Segments of an alert in a state; 1 if it judges all segments together.",
        ("alert", "severity", "state"),
        [((count.name, count.severity, count.state), count.segments) for count in shown],
    )
    failed = {count.name: count.has_failed for count in shown}
    yield _family(
        "alert_failed",
        "Whether the last evaluation of an alert failed.",
        ("alert",),
        [((name,), float(has_failed)) for name, has_failed in failed.items()],
    )


def limit_values(buckets: Sequence[ClosedBucket]) -> list[tuple[str, str, float]]:
    """Return metric, segment and value of the observations that have time series.

    If there are too many, each metric has its largest ones: as many as fit if all metrics have the same number.
    """
    most = MAX_VALUES
    while sum(min(most, len(closed.values)) for closed in buckets) > MAX_VALUES and most > 1:
        most = most // 2
    found = [(closed.metric.name, segment, value) for closed in buckets for segment, value in closed.values[:most]]
    return found[:MAX_VALUES]


def _iter_values(buckets: Sequence[ClosedBucket], values: Sequence[tuple[str, str, float]]) -> Iterator[Metric]:
    yield _family(
        "metric_value",
        "The value of a metric's last closed bucket.",
        ("metric", "segment"),
        [((metric, segment), value) for metric, segment, value in values],
    )
    yield _family(
        "metric_bucket_start_seconds",
        "The start of a metric's last closed bucket, in seconds since the epoch.",
        ("metric",),
        [((closed.metric.name,), closed.bucket.timestamp()) for closed in buckets[:MAX_VALUES]],
    )


def _iter_sizes(size: StoreSize) -> Iterator[Metric]:
    yield _gauge("store_used_bytes", "Bytes in use in the database.", size.used_bytes)
    if size.file_bytes is not None and size.disk_free_bytes is not None and size.disk_bytes is not None:
        yield _gauge("store_file_bytes", "Size of the directory of the embedded store.", size.file_bytes)
        yield _gauge("disk_free_bytes", "Free space on the disk of the embedded store.", size.disk_free_bytes)
        yield _gauge("disk_bytes", "Size of the disk of the embedded store.", size.disk_bytes)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"puppylog_{name}", text, value=value)


def _family(name: str, text: str, labels: Sequence[str], samples: Iterable[tuple[Sequence[str], float]]) -> Metric:
    family = GaugeMetricFamily(f"puppylog_{name}", text, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family
