"""What a store promises of rates and ratios: they equal plain Python over the records, also over several buckets."""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from puppylog.model.alert import Alert, Comparison, NoData
from puppylog.model.metric import Metric
from puppylog.monitor.metrics import read_in_steps
from puppylog.monitor.range import ALWAYS
from puppylog.stores.base import Store
from support.embedded import wait_until
from support.examples import examples
from support.lines import NOON, Source, rows
from support.observations import SECTION, Observations, assert_same, points
from support.server import StoreServer

pytestmark = pytest.mark.sampled

Record = Mapping[str, Any]

ROW = st.fixed_dictionaries(
    {
        "ts": st.integers(-4_000, 4_000).map(lambda s: NOON + timedelta(seconds=s / 4)),
        "request_route": st.sampled_from([None, "/", "/a/1", "/a/2", "/b"]),
        "status_code": st.sampled_from([200, 404, 500, 503, None]),
    }
)
SECTIONS = {None: None, "/": "", "/a/1": "a", "/a/2": "a", "/b": "b"}
ALERT = Alert(
    name="failing",
    metric="failures",
    statistic="avg",
    comparison=Comparison.AT_LEAST,
    threshold=0.1,
    window_s=3600,
    period_s=1,
    for_s=0,
    keep_firing_for_s=0,
    delay_s=2,
    each_segment=False,
    no_data=NoData.KEEP,
)


def is_failed(record: Record) -> bool:
    return (record["status_code"] or 0) >= 500


def expect(
    records: Sequence[Record], step_s: int, value: Callable[[Sequence[Record]], float], *, is_segmented: bool
) -> Observations:
    """Return the value of the records of each step and segment."""
    groups: dict[tuple[datetime, str | None], list[Record]] = defaultdict(list)
    for record in records:
        start_s = math.floor(record["ts"].timestamp() / step_s) * step_s
        segment = SECTIONS[record["request_route"]] if is_segmented else None
        groups[datetime.fromtimestamp(start_s, UTC), segment].append(record)
    return {key: value(group) for key, group in groups.items()}


def value_of(metric: Metric, step_s: int) -> Callable[[Sequence[Record]], float]:
    """Return the function that gives the value of the records of one step."""
    if metric.statistic == "ratio":
        return lambda records: sum(map(is_failed, records)) / len(records)
    return lambda records: len(records) / step_s


def values(store: Store) -> dict[str | None, float | None]:
    """Return the value of each segment that an alert has observed."""
    found = store.query("SELECT segment, value FROM puppylog.alert_states").to_pylist()
    return {row["segment"]: row["value"] for row in found}


def in_steps(store: Store, metric: Metric) -> tuple[Observations, int]:
    table, step_s = read_in_steps(store, metric, within=ALWAYS, now=datetime.now(UTC), steps=5)
    return {(row["bucket"].astimezone(UTC), row["segment"]): row["value"] for row in table.to_pylist()}, step_s


@pytest.mark.timeout(3600)  # three metrics an example; each takes a second where it is made on every node
@settings(max_examples=examples(2, soak=3), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=st.lists(ROW, max_size=40), after=st.lists(ROW, max_size=40), period_s=st.sampled_from([1, 10, 60]))
def test_rates_and_ratios_equal_plain_python_over_the_records(
    server: StoreServer, store: Store, *, before: Sequence[Record], after: Sequence[Record], period_s: int
) -> None:
    number = len(store.query("SELECT id FROM puppylog.log_streams"))
    group, failed = f"g{number}", "status_code >= 500"
    source = Source(store, f"file:///{number}", group=group)
    if before:
        source.append(rows([dict(record) for record in before]))
    ratio = Metric(f"m{number}_ratio", "ratio", "*", period_s, SECTION, None, 1, group, failed)
    filtered = Metric(f"m{number}_found", "ratio", "*", period_s, None, "status_code <> 404", 1, group, failed)
    rate = Metric(f"m{number}_rate", "rate", "*", period_s, SECTION, None, 1, group)
    for metric in (ratio, filtered, rate):
        assert store.create_metric(metric)
    if after:
        source.append(rows([dict(record) for record in after], start=10**6))  # late: below the watermark
    wait_until(lambda: server.is_settled(store), what="the refresh")
    records = [*before, *after]
    found = [record for record in records if record["status_code"] not in {404, None}]
    for metric, wanted in ((ratio, records), (filtered, found), (rate, records)):
        is_segmented = metric.segment is not None
        assert_same(
            points(store, metric.name), expect(wanted, period_s, value_of(metric, period_s), is_segmented=is_segmented)
        )
        stepped, step_s = in_steps(store, metric)
        assert_same(stepped, expect(wanted, step_s, value_of(metric, step_s), is_segmented=is_segmented))
        store.delete_metric(metric.name)


def test_the_view_of_a_ratio_has_both_parts(store: Store) -> None:
    Source(store).append(rows([{"status_code": code} for code in (200, 500, 503, None)]))
    store.create_metric(Metric("failures", "ratio", "*", 60, of="status_code >= 500"))
    [row] = store.query("SELECT * FROM metrics.failures").to_pylist()
    assert {name: row[name] for name in ("segment", "value", "part", "whole")} == {
        "segment": None,
        "value": 0.5,
        "part": 2,
        "whole": 4,
    }


@pytest.mark.parametrize("each_segment", [False, True])
def test_an_alert_on_a_ratio_observes_the_share_in_all_records_of_its_window(
    store: Store, *, each_segment: bool
) -> None:
    past = datetime.now(UTC) - timedelta(minutes=30)
    busy = [{"ts": past, "request_route": "/busy", "status_code": 200 if n else 500} for n in range(20)]
    calm = [
        {"ts": past - timedelta(seconds=3), "request_route": "/busy", "status_code": 500},
        {"ts": past, "request_route": "/calm", "status_code": 500},
    ]
    Source(store).append(rows(busy + calm))
    store.create_metric(Metric("failures", "ratio", "*", 1, segment=SECTION, refresh_s=1, of="status_code >= 500"))
    store.create_alert(replace(ALERT, each_segment=each_segment))
    expected = {"busy": 2 / 21, "calm": 1} if each_segment else {None: 3 / 22}
    wait_until(lambda: values(store).keys() == expected.keys(), what="an evaluation")
    assert values(store) == {segment: pytest.approx(value) for segment, value in expected.items()}
