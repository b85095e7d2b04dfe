"""What a store promises of metrics: whatever happens, a metric equals the same SQL over the raw records."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract.differences import WRONG_TYPE, Difference
from puppylog.errors import AlreadyExists, NotFound, UsageError
from puppylog.model.alert import Comparison, define_alert
from puppylog.model.metric import Metric
from puppylog.stores.base import Store
from support.embedded import wait_until
from support.examples import IS_SOAK, examples
from support.lines import NOON, Source, records, rows
from support.observations import SECTION, STATISTICS, assert_same, points, raw
from support.server import StoreServer

pytestmark = pytest.mark.sampled

ROW = st.fixed_dictionaries(
    {
        "ts": st.integers(-40_000, 40_000).map(lambda s: NOON + timedelta(seconds=s / 4)),
        "response_bytes": st.none() | st.integers(-5, 2**40),
        "request_route": st.sampled_from([None, "/", "/a/1", "/a/2", "/b", "x"]),
        "status_code": st.sampled_from([200, 404, 500, None]),
    }
)

MADE = len(STATISTICS) if IS_SOAK else 4  # metrics an example


@pytest.mark.long
@pytest.mark.timeout(3600)  # 11 metrics an example; each takes a second where it is made on every node
@settings(max_examples=examples(2, soak=5), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=st.lists(ROW, max_size=40),
    after=st.lists(ROW, max_size=40),
    period_s=st.sampled_from([1, 7, 10, 60, 3600]),
    is_segmented=st.booleans(),
    is_filtered=st.booleans(),
    statistics=st.lists(st.sampled_from(list(STATISTICS)), min_size=MADE, max_size=MADE, unique=True),
)
def test_a_metric_of_stored_records_equals_the_same_sql_over_the_records(
    server: StoreServer,
    store: Store,
    *,
    before: Sequence[dict[str, Any]],
    after: Sequence[dict[str, Any]],
    period_s: int,
    is_segmented: bool,
    is_filtered: bool,
    statistics: Sequence[str],
) -> None:
    number = len(store.query("SELECT id FROM puppylog.log_streams"))
    source = Source(store, f"file:///{number}", group=f"g{number}")
    if before:
        source.append(rows(before))
    segment, filter_ = (SECTION if is_segmented else None), ("status_code < 500" if is_filtered else None)
    names = {statistic: f"m{number}_{position}" for position, statistic in enumerate(statistics)}
    for statistic, name in names.items():
        metric = Metric(name, statistic, "response_bytes", period_s, segment, filter_, 1, f"g{number}")
        assert store.create_metric(metric)
    if after:
        source.append(rows(after, start=10**6))  # all of it late: below the watermark
    where = f"stream_id = {source.stream_id} AND {filter_ or 'true'}"
    wait_until(lambda: server.is_settled(store), what="the refresh")
    for statistic, name in names.items():
        expected = raw(store, STATISTICS[statistic], period_s, segment, where)
        assert_same(points(store, name), expected)
        store.delete_metric(name)


@pytest.mark.parametrize("period_s", [7, 604_800], ids=["7 s", "1 week"])
def test_buckets_of_any_period_begin_at_the_epoch(store: Store, period_s: int) -> None:
    Source(store).append(records(30, ts=datetime.now(UTC) - timedelta(hours=40), step_s=4001))
    store.create_metric(Metric("all", "count", "*", period_s))
    assert_same(points(store, "all"), raw(store, "count(*)", period_s, None))


def test_a_new_line_is_in_a_metric_before_any_refresh(store: Store) -> None:
    store.create_metric(Metric("total", "count", "*", 10, refresh_s=3600))
    now = datetime.now(UTC)
    Source(store).append(records(3, ts=now, step_s=0))
    assert sum(value or 0 for value in points(store, "total").values()) == 3


def test_a_late_line_corrects_its_bucket(store: Store) -> None:
    source = Source(store)
    yesterday = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    source.append(records(3, ts=yesterday, step_s=0), records(5, ts=datetime.now(UTC), step_s=0, start=300))
    store.create_metric(Metric("total", "count", "*", 1, refresh_s=1))
    assert points(store, "total")[yesterday, None] == 3
    source.append(records(1, ts=yesterday, start=800))
    wait_until(lambda: points(store, "total")[yesterday, None] == 4, what="the correction")
    assert sum(value or 0 for value in points(store, "total").values()) == 9


def test_creating_a_metric_again_is_ok_and_a_different_metric_of_its_name_is_refused(store: Store) -> None:
    assert store.create_metric(Metric("total", "count", "*", 10))
    assert not store.create_metric(Metric("total", "count", "*", 10))
    with pytest.raises(AlreadyExists, match="'total': the name belongs to another definition"):
        store.create_metric(Metric("total", "count", "*", 60))
    assert list(store.list_metrics()) == [Metric("total", "count", "*", 10)]


def test_a_deleted_metric_is_gone_and_its_name_is_free(store: Store) -> None:
    store.create_metric(Metric("total", "count", "*", 10))
    store.delete_metric("total")
    assert list(store.list_metrics()) == []
    assert store.create_metric(Metric("total", "count", "*", 60))
    with pytest.raises(NotFound, match="cannot find metric 'nope'"):
        store.delete_metric("nope")


def test_a_metric_limited_to_a_group_counts_only_its_streams(store: Store) -> None:
    Source(store, "file:///1", group="web").append(records(2))
    Source(store, "file:///2", group="mail").append(records(3))
    store.create_metric(Metric("web_total", "count", "*", 3600, group="web"))
    assert list(points(store, "web_total").values()) == [2]
    with pytest.raises(UsageError, match="metric web_total is limited to it"):
        store.delete_group("web")
    with pytest.raises(NotFound, match="cannot find group 'nope'"):
        store.create_metric(Metric("other", "count", "*", 10, group="nope"))


def test_a_metric_that_cannot_be_computed_is_refused_and_leaves_nothing(
    store: Store, differs: Callable[[Difference], bool]
) -> None:
    cause = WRONG_TYPE.expected if differs(WRONG_TYPE) else "length(status_code)"
    with pytest.raises(UsageError, match=re.escape(cause)):
        store.create_metric(Metric("bad", "count", "*", 10, filter="length(status_code) > 1"))
    assert list(store.list_metrics()) == []


def test_a_metric_can_use_a_value_in_the_json_of_attributes(store: Store) -> None:
    source = Source(store)
    source.append(rows([{"attributes": f'{{"took": {n}, "user": {{"name": "u{n % 2}"}}}}'} for n in range(4)]))
    store.create_metric(Metric("slowest", "max", "attributes.took", 60))
    store.create_metric(Metric("users", "distinct", "attributes.user.name", 60))
    assert list(points(store, "slowest").values()) == [3]
    assert list(points(store, "users").values()) == [2]


def test_an_updated_metric_has_the_buckets_of_its_new_definition_and_keeps_its_alerts(
    server: StoreServer, store: Store
) -> None:
    source = Source(store, group="shop")
    source.append(rows([{"status_code": code} for code in (200, 404, 500, 500)]))
    metric = Metric("failures", "count", "*", 1, filter="status_code >= 500", refresh_s=1)
    alert = define_alert("busy", metric, comparison=Comparison.ABOVE, threshold=10, window_s=4)
    store.create_metric(metric)
    store.create_alert(alert)
    assert not store.update_metric(metric)
    assert store.update_metric(replace(metric, refresh_s=2))
    assert points(store, "failures") == {(NOON, None): 2}
    wider = Metric("failures", "count", "*", 2, segment="host", filter="status_code >= 400", group="shop", refresh_s=1)
    assert store.update_metric(wider)
    assert list(store.list_metrics()) == [wider]
    assert points(store, "failures") == {(NOON, None): 3}
    assert list(store.list_alerts()) == [alert]
    source.append(rows([{"status_code": 400, "host": "a"}], start=source.offset))  # a late line
    wait_until(lambda: server.is_settled(store), what="the correction")
    assert points(store, "failures") == {(NOON, None): 3, (NOON, "a"): 1}
    store.delete_alert("busy")
    store.delete_metric("failures")


def test_a_metric_is_not_updated_to_what_an_alert_cannot_judge(store: Store) -> None:
    metric = Metric("failures", "count", "*", 1, segment="host", refresh_s=1)
    with pytest.raises(NotFound, match="metric 'failures'"):
        store.update_metric(metric)
    store.create_metric(metric)
    for name, each_segment in (("each", True), ("busy", False)):
        store.create_alert(
            define_alert(name, metric, comparison=Comparison.ABOVE, threshold=1, window_s=10, each_segment=each_segment)
        )
    with pytest.raises(UsageError, match="alert busy judges it, and its window of 10s is not a multiple"):
        store.update_metric(replace(metric, period_s=60))
    with pytest.raises(UsageError, match="alert each judges it, and it judges each segment"):
        store.update_metric(replace(metric, segment="ident"))
    with pytest.raises(NotFound, match="group 'nope'"):
        store.update_metric(replace(metric, group="nope"))
    assert list(store.list_metrics()) == [metric]
