from datetime import UTC, datetime

import pytest

from puppylog.errors import NotFound
from puppylog.model.metric import Metric
from puppylog.monitor.metrics import (
    Extent,
    count_buckets,
    get_metric,
    list_metrics,
    measure_extent,
    read_in_steps,
    read_observations,
)
from puppylog.monitor.range import ALWAYS, Range
from support.memory import MemoryReader

NOW = datetime(2015, 5, 17, 10, 5, tzinfo=UTC)
PLAIN = Metric(name="hits", statistic="count", property="*", period_s=10)
SEGMENTED = Metric(name="sections", statistic="count", property="*", period_s=10, segment="request_route")


def at(second: int) -> str:
    return f"2015-05-17T10:00:{second:02}+00:00"


def test_a_metric_is_read_from_its_row(reader: MemoryReader) -> None:
    reader.insert("log_groups", id=7, name="shop")
    reader.make_metric("hits", [], refresh_s=5, group_id=7, filter="status_code = 500", watermark=at(10))
    state = get_metric(reader, "hits")
    assert state.metric == Metric("hits", "count", "*", 10, None, "status_code = 500", 5, "shop")
    assert state.watermark == datetime(2015, 5, 17, 10, 0, 10, tzinfo=UTC)
    assert state.refreshed_at is None


def test_a_watermark_before_all_time_means_that_nothing_is_materialized(reader: MemoryReader) -> None:
    reader.make_metric("hits", [])
    reader.connection.execute("UPDATE puppylog.metrics SET watermark = make_timestamptz(-62200000000000000)")
    assert get_metric(reader, "hits").watermark is None


def test_an_unknown_metric_is_not_found(reader: MemoryReader) -> None:
    reader.make_metric("hits", [])
    with pytest.raises(NotFound, match="cannot find metric 'hit'"):
        get_metric(reader, "hit")


def test_metrics_are_listed_by_name_and_may_be_limited_to_a_group(reader: MemoryReader) -> None:
    reader.insert("log_groups", id=7, name="shop")
    reader.make_metric("b", [])
    reader.make_metric("c", [], group_id=7)
    reader.make_metric("a", [])
    assert [state.metric.name for state in list_metrics(reader)] == ["a", "b", "c"]
    assert [state.metric.name for state in list_metrics(reader, group="shop")] == ["c"]
    assert list_metrics(reader, group="shed") == []


def test_the_newest_buckets_come_oldest_first(reader: MemoryReader) -> None:
    reader.make_metric("hits", [(at(30), None, 3.0), (at(10), None, 1.0), (at(20), None, 2.0)])
    assert read_observations(reader, PLAIN, buckets=2)["value"].to_pylist() == [2.0, 3.0]


def test_a_range_is_half_open(reader: MemoryReader) -> None:
    reader.make_metric("hits", [(at(second), None, float(second)) for second in (10, 20, 30)])
    within = Range(datetime.fromisoformat(at(10)), datetime.fromisoformat(at(30)))
    assert read_observations(reader, PLAIN, within=within, buckets=9)["value"].to_pylist() == [10.0, 20.0]


def test_the_newest_buckets_include_all_their_segments(reader: MemoryReader) -> None:
    rows = [(at(10), "a", 1.0), (at(20), "b", 2.0), (at(20), "a", 3.0), (at(30), None, 4.0)]
    reader.make_metric("sections", rows)
    found = read_observations(reader, SEGMENTED, buckets=2)
    assert found["segment"].to_pylist() == ["a", "b", None]
    assert found["value"].to_pylist() == [3.0, 2.0, 4.0]


def test_one_segment_is_a_series_of_its_own(reader: MemoryReader) -> None:
    rows = [(at(10), "a", 1.0), (at(20), "a", 2.0), (at(30), "b", 3.0), (at(40), "b", 4.0), (at(50), "", 5.0)]
    reader.make_metric("sections", rows)
    assert read_observations(reader, SEGMENTED, buckets=1, segment="a")["value"].to_pylist() == [2.0]
    assert read_observations(reader, SEGMENTED, buckets=9, segment="it's")["value"].to_pylist() == []


def test_the_extent_counts_observations_buckets_and_segments(reader: MemoryReader) -> None:
    reader.make_metric("sections", [(at(10), "a", 1.0), (at(20), "a", 2.0), (at(20), "b", 3.0)])
    first, last = datetime.fromisoformat(at(10)), datetime.fromisoformat(at(20))
    assert measure_extent(reader, SEGMENTED) == Extent(3, 2, 2, first, last)
    reader.make_metric("hits", [])
    assert measure_extent(reader, PLAIN) == Extent(0, 0, 0, None, None)


def test_buckets_are_counted_up_to_a_number(reader: MemoryReader) -> None:
    rows = [(at(second), segment, 1.0) for second in (10, 20, 30) for segment in ("a", "b")]
    reader.make_metric("sections", [*rows, (at(40), "b", 1.0)])
    assert [count_buckets(reader, SEGMENTED, most) for most in (2, 3, 9)] == [2, 3, 4]
    assert count_buckets(reader, SEGMENTED, 9, segment="a") == 3
    assert count_buckets(reader, SEGMENTED, 9, within=Range(datetime.fromisoformat(at(30)), None)) == 2


@pytest.mark.parametrize(
    ("statistic", "values"), [("count", [3.0, 7.0]), ("min", [1.0, 3.0]), ("max", [2.0, 4.0]), ("avg", [1.5, 3.5])]
)
def test_a_step_of_several_buckets_combines_them_by_the_statistic(
    reader: MemoryReader, statistic: str, values: list[float]
) -> None:
    reader.make_metric("hits", [(at(second), None, float(second // 10)) for second in (10, 20, 30, 40)])
    metric = Metric(name="hits", statistic=statistic, property="*", period_s=10)
    table, step_s = read_in_steps(reader, metric, within=ALWAYS, now=NOW, steps=3)
    assert step_s == 30
    assert table["bucket"].to_pylist() == [datetime.fromisoformat(at(second)) for second in (0, 30)]
    assert table["value"].to_pylist() == values
    every, step_s = read_in_steps(reader, metric, within=ALWAYS, now=NOW, steps=4)
    assert (step_s, every["value"].to_pylist()) == (10, [1.0, 2.0, 3.0, 4.0])


def test_a_range_without_observations_has_steps_of_one_period(reader: MemoryReader) -> None:
    reader.make_metric("hits", [])
    table, step_s = read_in_steps(reader, PLAIN, within=ALWAYS, now=NOW, steps=3)
    assert (table.num_rows, step_s) == (0, 10)


def test_the_steps_of_a_range_without_an_end_are_chosen_for_a_chart_that_ends_now(reader: MemoryReader) -> None:
    reader.make_metric("hits", [(at(10), None, 1.0), (at(20), None, 2.0)])
    within = Range(since=datetime.fromisoformat(at(0)))
    assert read_in_steps(reader, PLAIN, within=within, now=NOW, steps=11)[1] == 30
    ended = Range(within.since, datetime.fromisoformat(at(30)))
    assert read_in_steps(reader, PLAIN, within=ended, now=NOW, steps=11)[1] == 10
