from datetime import UTC, datetime

import pytest

from puppylog.errors import NotFound
from puppylog.model.metric import Metric
from puppylog.monitor.metrics import Extent, get_metric, list_metrics, measure_extent, read_observations
from puppylog.monitor.range import Range
from support.memory import MemoryOutlet

PLAIN = Metric(name="hits", statistic="count", property="*", period_s=10)
SEGMENTED = Metric(name="sections", statistic="count", property="*", period_s=10, segment="request_route")


def at(second: int) -> str:
    return f"2015-05-17T10:00:{second:02}+00:00"


def test_a_metric_is_read_as_its_row_has_it(outlet: MemoryOutlet) -> None:
    outlet.insert("log_groups", id=7, name="shop")
    outlet.make_metric("hits", [], refresh_s=5, group_id=7, filter="status_code = 500", watermark=at(10))
    state = get_metric(outlet, "hits")
    assert state.metric == Metric("hits", "count", "*", 10, None, "status_code = 500", 5, "shop")
    assert state.watermark == datetime(2015, 5, 17, 10, 0, 10, tzinfo=UTC)
    assert state.refreshed_at is None


def test_a_watermark_before_all_time_means_that_nothing_is_materialized(outlet: MemoryOutlet) -> None:
    outlet.make_metric("hits", [])
    outlet.connection.execute("UPDATE puppylog.metrics SET watermark = make_timestamptz(-62200000000000000)")
    assert get_metric(outlet, "hits").watermark is None


def test_an_unknown_metric_is_not_found(outlet: MemoryOutlet) -> None:
    outlet.make_metric("hits", [])
    with pytest.raises(NotFound, match="cannot find metric 'hit'"):
        get_metric(outlet, "hit")


def test_metrics_are_listed_by_name_and_may_be_limited_to_a_group(outlet: MemoryOutlet) -> None:
    outlet.insert("log_groups", id=7, name="shop")
    outlet.make_metric("b", [])
    outlet.make_metric("c", [], group_id=7)
    outlet.make_metric("a", [])
    assert [state.metric.name for state in list_metrics(outlet)] == ["a", "b", "c"]
    assert [state.metric.name for state in list_metrics(outlet, group="shop")] == ["c"]
    assert list_metrics(outlet, group="shed") == []


def test_the_newest_buckets_come_oldest_first(outlet: MemoryOutlet) -> None:
    outlet.make_metric("hits", [(at(30), None, 3.0), (at(10), None, 1.0), (at(20), None, 2.0)])
    assert read_observations(outlet, PLAIN, buckets=2)["value"].to_pylist() == [2.0, 3.0]


def test_a_range_is_half_open(outlet: MemoryOutlet) -> None:
    outlet.make_metric("hits", [(at(second), None, float(second)) for second in (10, 20, 30)])
    within = Range(datetime.fromisoformat(at(10)), datetime.fromisoformat(at(30)))
    assert read_observations(outlet, PLAIN, within=within, buckets=9)["value"].to_pylist() == [10.0, 20.0]


def test_every_segment_of_the_newest_buckets_comes(outlet: MemoryOutlet) -> None:
    rows = [(at(10), "a", 1.0), (at(20), "b", 2.0), (at(20), "a", 3.0), (at(30), None, 4.0)]
    outlet.make_metric("sections", rows)
    found = read_observations(outlet, SEGMENTED, buckets=2)
    assert found["segment"].to_pylist() == ["a", "b", None]
    assert found["value"].to_pylist() == [3.0, 2.0, 4.0]


def test_one_segment_is_a_series_of_its_own(outlet: MemoryOutlet) -> None:
    rows = [(at(10), "a", 1.0), (at(20), "a", 2.0), (at(30), "b", 3.0), (at(40), "b", 4.0), (at(50), "", 5.0)]
    outlet.make_metric("sections", rows)
    assert read_observations(outlet, SEGMENTED, buckets=1, segment="a")["value"].to_pylist() == [2.0]
    assert read_observations(outlet, SEGMENTED, buckets=9, segment="it's")["value"].to_pylist() == []


def test_the_extent_counts_what_there_is(outlet: MemoryOutlet) -> None:
    outlet.make_metric("sections", [(at(10), "a", 1.0), (at(20), "a", 2.0), (at(20), "b", 3.0)])
    first, last = datetime.fromisoformat(at(10)), datetime.fromisoformat(at(20))
    assert measure_extent(outlet, SEGMENTED) == Extent(3, 2, 2, first, last)
    outlet.make_metric("hits", [])
    assert measure_extent(outlet, PLAIN) == Extent(0, 0, 0, None, None)
