"""The size of a metric by its levels is that of its buckets: before and after late lines, for any range and segment."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from puppylog.model.metric import Metric
from puppylog.monitor.levels import list_live_parts, read_levels
from puppylog.monitor.metrics import (
    count_buckets,
    find_ends,
    find_step,
    measure_extent,
    read_few_segments,
    read_observations,
)
from puppylog.monitor.range import ALWAYS, Range
from puppylog.monitor.steps import choose_step
from puppylog.stores.base import Store
from support.embedded import wait_until
from support.examples import examples
from support.lines import NOON, Source, rows
from support.server import StoreServer

pytestmark = pytest.mark.sampled

MOST = 1_000_000
SEGMENTS = [None, "", "/a", "/b", "/none"]
SIZE = """
    SELECT count(*) AS observations, count(DISTINCT bucket) AS buckets, count(DISTINCT segment) AS segments,
           min(bucket) AS first_bucket, max(bucket) AS last_bucket
    FROM metrics.{name}
    WHERE bucket >= $since::TIMESTAMPTZ AND bucket < $until::TIMESTAMPTZ
      AND coalesce(segment, '') = coalesce($segment, segment, '')
"""


def test_the_size_of_a_metric_is_that_of_its_buckets(server: StoreServer, store: Store) -> None:
    chosen = random.Random(10)
    metrics = [
        Metric(f"{name}_{period_s}", "count", "*", period_s, segment, refresh_s=1)
        for period_s in (10, 60, 86_400)
        for name, segment in (("all", None), ("by_route", "request_route"))
    ]
    source = Source(store)
    source.append(rows([_record(chosen) for _ in range(300)]))
    for metric in metrics:
        store.create_metric(metric)
        _check(store, metric, chosen)
    source.append(rows([_record(chosen) for _ in range(50)], start=10**6))  # late: below the watermark
    source.append(rows([_record(chosen, datetime.now(UTC)) for _ in range(5)], start=10**7))  # above it
    wait_until(lambda: server.is_settled(store), what="the refresh")
    for metric in metrics:
        _check(store, metric, chosen)


@pytest.mark.parametrize("segment", [None, "request_route"])
def test_the_newest_buckets_above_the_watermark_are_those_of_the_whole_range(store: Store, segment: str | None) -> None:
    """As during a backfill, where the watermark stays behind."""
    metric = Metric("m", "count", "*", 10, segment, refresh_s=3600)
    store.create_metric(metric)
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=2)
    agos = [0, 3, 20, 25, 300, 301, 2000, 3000]
    Source(store).append(rows([{"ts": end - timedelta(seconds=ago), "request_route": f"/{ago % 2}"} for ago in agos]))
    within = Range(until=end + timedelta(seconds=1))
    levels = read_levels(store)["m"]
    for asked in (within, Range(until=end + timedelta(hours=1))):
        # An end makes PostgreSQL use the index by time of a table that has no statistics yet.
        parts = list_live_parts(store, metric, levels, within=asked, buckets=3)
        assert parts != []
        assert all(part.since and part.until and part.since <= end < part.until for part in parts), parts
    whole = store.query("SELECT bucket, segment, value FROM metrics.m ORDER BY 1, 2").to_pylist()
    for buckets in (1, 2, 3, 4, 5, 6, 100):
        newest = sorted({row["bucket"] for row in whole})[-buckets:]
        found = read_observations(store, metric, within=within, buckets=buckets).to_pylist()
        assert found == [row for row in whole if row["bucket"] in newest], buckets


def _record(chosen: random.Random, end: datetime = NOON) -> dict[str, Any]:
    """Return a record of the three days before ``end``; several records share a bucket."""
    ago = timedelta(days=chosen.choice([0, 1, 3]), seconds=chosen.randrange(100))
    return {"ts": end - ago, "request_route": chosen.choice(SEGMENTS[:-1])}


def _check(store: Store, metric: Metric, chosen: random.Random) -> None:
    extent = measure_extent(store, metric)
    (whole,) = _size(store, metric, ALWAYS, None)
    assert {name: getattr(extent, name) for name in whole} == whole
    for _ in range(examples(1, soak=12)):
        instants = sorted(NOON + timedelta(seconds=chosen.randrange(-4 * 86_400, 86_400)) for _ in range(2))
        since, until = (chosen.choice([None, instant]) for instant in instants)
        within = Range(since, until)
        segment = chosen.choice(SEGMENTS)
        (found,) = _size(store, metric, within, segment)
        assert count_buckets(store, metric, MOST, within=within, segment=segment) == found["buckets"], (within, segment)
        assert count_buckets(store, metric, 2, within=within, segment=segment) == min(2, found["buckets"])
        if since is None and until is None and found["first_bucket"] is not None:
            span_s = metric.period_s + int((found["last_bucket"] - found["first_bucket"]).total_seconds())
            ends = find_ends(store, metric, within, segment)
            step_s = find_step(metric, ends, within=within, now=NOON, steps=50)
            assert step_s == choose_step(metric.period_s, span_s, 50)


def _size(store: Store, metric: Metric, within: Range, segment: str | None) -> Sequence[dict[str, Any]]:
    return store.query(SIZE.format(name=metric.name), {**within.parameters(), "segment": segment}).to_pylist()


def test_segments_are_read_if_they_are_few(store: Store) -> None:
    metric = Metric("m", "count", "*", 10, "request_route", refresh_s=1)
    source = Source(store)
    old = [{"ts": NOON + timedelta(seconds=60 * no), "request_route": f"/{no % 5}"} for no in range(20)]
    source.append(rows(old))
    store.create_metric(metric)
    for within in (ALWAYS, Range(NOON + timedelta(seconds=65), NOON + timedelta(seconds=700))):
        for buckets, segments in ((1, 1), (3, 3), (5, 5), (8, 5), (100, 5)):
            whole = read_observations(store, metric, within=within, buckets=buckets)
            assert len(set(whole["segment"].to_pylist())) == segments
            for most in {1, segments - 1, segments, segments + 1} - {0}:
                few = read_few_segments(store, metric, within=within, buckets=buckets, most=most)
                assert (few is None) == (segments > most), (buckets, most)
                assert few is None or few.equals(whole)
