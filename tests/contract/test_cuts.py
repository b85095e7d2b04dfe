"""Every store counts what an answer leaves out, and reads a metric in steps, in the same way."""

from datetime import UTC, datetime, timedelta

import pytest

from puppylog.model.metric import Metric
from puppylog.monitor.alerts import count_transitions
from puppylog.monitor.metrics import count_buckets, read_in_steps
from puppylog.monitor.range import ALWAYS, Range
from puppylog.monitor.rejects import RejectFilter, count_lines
from puppylog.monitor.search import Search, count_records
from puppylog.stores.base import Store
from support.lines import Source, rejects, rows

pytestmark = pytest.mark.sampled

NOON = datetime(2015, 5, 17, 12, tzinfo=UTC)


def test_records_lines_and_transitions_are_counted_up_to_a_limit(store: Store) -> None:
    source = Source(store)
    source.append(rows([{"ts": NOON + timedelta(seconds=second), "status_code": 200} for second in range(120)]))
    source.append(rejects(b"one", b"two", start=source.offset))
    minute = Range(NOON, NOON + timedelta(minutes=1))
    assert [count_records(store, Search("status_code = 200", minute), most) for most in (7, 60, 61)] == [7, 60, 60]
    assert [count_lines(store, RejectFilter(), most) for most in (1, 9)] == [1, 2]
    assert count_transitions(store, "none", 9, within=minute) == 0


def test_a_metric_is_read_in_steps_that_are_aligned_to_the_epoch(store: Store) -> None:
    source = Source(store)
    begin = NOON + timedelta(seconds=20)
    source.append(rows([{"ts": begin + timedelta(seconds=second)} for second in range(100)]))
    metric = Metric("hits", "count", "*", 10)
    store.create_metric(metric)
    assert [count_buckets(store, metric, most) for most in (7, 99)] == [7, 10]
    table, step_s = read_in_steps(store, metric, within=ALWAYS, now=NOON, steps=6)
    assert step_s == 30
    assert dict(zip(table["bucket"].to_pylist(), table["value"].to_pylist(), strict=True)) == {
        NOON: 10.0,
        NOON + timedelta(seconds=30): 30.0,
        NOON + timedelta(seconds=60): 30.0,
        NOON + timedelta(seconds=90): 30.0,
    }
