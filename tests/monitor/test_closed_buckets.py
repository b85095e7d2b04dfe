"""Which bucket of a metric is its last closed one."""

from datetime import UTC, datetime

import pytest

from puppylog.model.metric import Metric
from puppylog.monitor.closed_buckets import find_closed_bucket
from puppylog.monitor.metrics import MetricState


def at(minute: int, second: int = 0) -> datetime:
    return datetime(2026, 3, 1, 12, minute, second, tzinfo=UTC)


@pytest.mark.parametrize(
    ("watermark", "now", "bucket"),
    [
        (None, at(10), None),
        (at(10), at(10, 5), at(9)),  # it is materialized already
        (at(9), at(10, 5), at(8)),  # the evaluator may not have come to the last one
        (at(9), at(10, 30), at(9)),
        (at(2), at(10, 30), at(9)),  # no record came since minute 2
        (at(9, 30), at(10, 5), at(8)),
    ],
)
def test_a_bucket_is_closed_when_it_is_materialized_or_is_over_for_long(
    watermark: datetime | None, now: datetime, bucket: datetime | None
) -> None:
    state = MetricState(Metric("m", "count", "*", 60), at(0), watermark, None, None, is_being_checked=False)
    assert find_closed_bucket(state, now) == bucket
