"""Late is not lost: a line that comes after its time corrects every metric that it belongs to."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from puppylog.model.metric import Metric
from puppylog.stores.base import Store
from support.embedded import wait_until
from support.lines import Source, rows
from support.observations import SECTION, STATISTICS, assert_same, points, raw
from support.server import StoreServer

pytestmark = pytest.mark.sampled

PERIOD_S = 60
JUDGED = ("count", "avg", "p99", "distinct")
SEGMENTS = {"_of_all": None, "_by_section": SECTION}


def lines(since: datetime, count: int, step: timedelta) -> Sequence[dict[str, Any]]:
    """Return records with different sections and sizes, some of them without a size."""
    return [
        {
            "ts": since + i * step,
            "request_route": f"/section{i % 3}/page",
            "response_bytes": None if i % 7 == 0 else i % 11 * 1000,
        }
        for i in range(count)
    ]


@pytest.fixture(scope="module")
def source(kept_store: Store) -> Source:
    """A log with lines of the last minutes, and metrics of these lines. All tests add lines: none counts them."""
    source = Source(kept_store)
    source.append(rows(lines(datetime.now(UTC) - timedelta(minutes=10), 120, timedelta(seconds=5))))
    for statistic in JUDGED:
        for suffix, segment in SEGMENTS.items():
            kept_store.create_metric(
                Metric(statistic + suffix, statistic, "response_bytes", PERIOD_S, segment, refresh_s=1)
            )
    return source


def assert_all_correct(server: StoreServer, source: Source) -> None:
    store = source.store
    wait_until(lambda: server.is_settled(store), within_s=60, what="the correction")
    for statistic in JUDGED:
        for suffix, segment in SEGMENTS.items():
            expected = raw(store, STATISTICS[statistic], PERIOD_S, segment)
            assert_same(points(store, statistic + suffix), expected)


def test_one_late_line_corrects_its_bucket_in_every_metric(kept_server: StoreServer, source: Source) -> None:
    source.append(rows(lines(datetime.now(UTC) - timedelta(days=1), 1, timedelta()), start=source.offset))
    assert_all_correct(kept_server, source)
    source.append(rows(lines(datetime.now(UTC) - timedelta(minutes=5), 1, timedelta()), start=source.offset))
    assert_all_correct(kept_server, source)


def test_a_backfill_of_two_weeks_is_in_every_metric(kept_server: StoreServer, source: Source) -> None:
    weeks_ago = datetime.now(UTC) - timedelta(days=14)
    source.append(rows(lines(weeks_ago, 500, timedelta(minutes=40)), start=source.offset))
    assert_all_correct(kept_server, source)


def test_lines_of_all_times_in_one_batch_are_in_every_metric(kept_server: StoreServer, source: Source) -> None:
    now = datetime.now(UTC)
    mixed = [*lines(now - timedelta(days=14), 21, timedelta(hours=16)), *lines(now, 3, timedelta(seconds=-20))]
    source.append(rows(mixed[::-1], start=source.offset))
    assert_all_correct(kept_server, source)
