"""Which bucket of a metric is its last closed one."""

from datetime import UTC, datetime
from typing import cast

import pyarrow as pa
import pytest

from puppylog.model.metric import Metric
from puppylog.monitor import closed_buckets
from puppylog.monitor.closed_buckets import ClosedBuckets, find_closed_bucket
from puppylog.monitor.metrics import MetricState
from puppylog.stores.base import RecordReader


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


def test_a_bucket_is_remembered_until_the_next_one_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    bucket = [at(9)]

    class Reader:
        def query(self, sql: str, _parameters: object = None) -> pa.Table:
            asked.append(sql)
            answer = {"now": at(10)} if "now()" in sql else {"segment": None, "value": 5.0, "segments": 1}
            return pa.Table.from_pylist([answer])

    monkeypatch.setattr(closed_buckets, "find_closed_bucket", lambda *_: bucket[0])
    reader = cast("RecordReader", Reader())
    state = MetricState(Metric("m", "count", "*", 60), at(0), at(10), None, None, is_being_checked=False)
    read = ClosedBuckets()
    for _ in range(3):
        [closed] = read.read(reader, [state])
        assert (closed.bucket, closed.values) == (at(9), (("", 5.0),))
    assert sum("metrics.m" in sql for sql in asked) == 1
    bucket[0] = at(10)
    read.read(reader, [state])
    assert sum("metrics.m" in sql for sql in asked) == 2
