"""When metrics are refreshed, and which of them together."""

import time

import pytest

from puppylog.model.metric import Metric
from puppylog.stores.duckdb.engine.metric_schedule import MetricSchedule
from puppylog.stores.duckdb.engine.stored import StoredMetric

S = 1_000_000


def stored(number: int, *, is_new: bool = False) -> StoredMetric:
    metric = Metric(f"m{number}", "count", "*", 10, refresh_s=10)
    return StoredMetric(number, metric, None, 0, 0, None if is_new else 0)


def due(schedule: MetricSchedule, metrics: list[StoredMetric], appends: int, now_s: float) -> list[list[int]]:
    return [[each.id for each in batch] for batch in schedule.iter_batches(metrics, appends, int(now_s * S))]


def test_metrics_are_refreshed_together_and_a_new_or_failed_one_alone() -> None:
    schedule = MetricSchedule()
    metrics = [stored(0), stored(1, is_new=True), stored(2), stored(3), *map(stored, range(4, 15))]
    assert schedule.note_failed(metrics[3], "a test", 0)
    assert due(schedule, metrics, 1, 10) == [[1], [3], [0, 2, *range(4, 12)], [12, 13, 14]]


def test_a_metric_is_refreshed_when_an_interval_of_its_refresh_rate_begins() -> None:
    schedule, metric = MetricSchedule(), stored(0)
    schedule.note_refreshed(metric, 1, 995 * S)
    assert due(schedule, [metric], 2, 999.9) == []
    assert due(schedule, [metric], 2, 1000) == [[0]]
    schedule.note_refreshed(metric, 2, 1000 * S)
    assert due(schedule, [metric], 3, 1009.9) == []


def test_a_metric_is_refreshed_after_its_refresh_rate_if_the_clock_stands_still(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    schedule, metric = MetricSchedule(), stored(0)
    schedule.note_refreshed(metric, 1, 995 * S)
    begun_s = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: begun_s + 10)
    assert due(schedule, [metric], 2, 995) == [[0]]


def test_a_metric_waits_for_an_append_unless_records_were_left_or_its_refresh_failed() -> None:
    schedule, metric = MetricSchedule(), stored(0)
    schedule.note_refreshed(metric, 7, 0)
    assert due(schedule, [metric], 7, 10) == []
    assert due(schedule, [metric], 8, 10) == [[0]]
    schedule.note_refreshed(metric, None, 0)
    assert due(schedule, [metric], 7, 10) == [[0]]
    assert schedule.note_failed(metric, "a test", 0)
    assert not schedule.note_failed(metric, "a test", 0)
    assert due(schedule, [metric], 7, 10) == [[0]]
