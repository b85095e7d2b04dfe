"""What a store promises of derived metrics: they always equal their formula over the observations of their inputs."""

import math
import random
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from puppylog.errors import ExpressionError, UsageError
from puppylog.model.alert import Alert, Comparison, NoData
from puppylog.model.derived import define_derived
from puppylog.model.finding import Health
from puppylog.model.metric import Metric
from puppylog.monitor.doctor import list_findings
from puppylog.monitor.metrics import get_metric, list_metrics, read_steps
from puppylog.monitor.range import ALWAYS
from puppylog.stores.base import Store
from support.embedded import wait_until
from support.lines import NOON, Source, rows
from support.observations import SECTION, Observations, assert_same, points
from support.server import StoreServer

pytestmark = pytest.mark.sampled

PERIOD_S: Final = 10
STEP_S: Final = 60
INPUTS: Final = (
    Metric("requests", "count", "*", PERIOD_S, SECTION, refresh_s=1),
    Metric("failures", "count", "*", PERIOD_S, SECTION, "status_code >= 500", refresh_s=1),
    Metric("total", "count", "*", PERIOD_S, refresh_s=1),
    Metric("size", "sum", "response_bytes", PERIOD_S, refresh_s=1),
)
FORMULAS: Final = {
    "share": "failures / requests * 100",
    "of_all": "failures / total",
    "mean_size": "size / total",
    "apart": "(total - size) / -(size - 10)",
    "doubled": "share * 2 + share / (total - total)",  # is never observed: it divides by zero
    "percent": "share - 0.5",  # is derived from a derived metric
}
CODES: Final = [200, 500, 404, None]
SECTIONS: Final = {None: None, "/": "", "/a/1": "a", "/b": "b"}


def make_record(chance: random.Random) -> dict[str, Any]:
    return {
        "ts": NOON + timedelta(seconds=chance.randrange(120) * 2.5),
        "status_code": chance.choice(CODES),
        "response_bytes": chance.choice([None, 0, 5, 10]),
        "request_route": chance.choice(list(SECTIONS)),
    }


def create(store: Store, name: str, formula: str) -> Metric:
    metric = define_derived(name, formula, {known.name: known for known in store.list_metrics()})
    assert store.create_metric(metric)
    return metric


def create_all(store: Store, *inputs: str) -> dict[str, Metric]:
    """Create the inputs, all by default, and the metrics that can be derived from them."""
    chosen = [metric for metric in INPUTS if not inputs or metric.name in inputs]
    for metric in chosen:
        assert store.create_metric(metric)
    known = {metric.name for metric in chosen}
    created: dict[str, Metric] = {}
    for name, formula in FORMULAS.items():
        if set(re.findall("[a-z_]+", formula)) <= known | created.keys():
            created[name] = create(store, name, formula)
    return created


def inputs_of(records: Sequence[Mapping[str, Any]], step_s: int) -> dict[str, dict[tuple[datetime, str | None], float]]:
    """Return the observations of the inputs by plain Python."""
    found: dict[str, dict[tuple[datetime, str | None], float]] = {metric.name: {} for metric in INPUTS}

    def add(name: str, key: tuple[datetime, str | None], value: float) -> None:
        found[name][key] = found[name].get(key, 0) + value

    for record in records:
        bucket = datetime.fromtimestamp(math.floor(record["ts"].timestamp() / step_s) * step_s, UTC)
        section = SECTIONS[record["request_route"]]
        add("requests", (bucket, section), 1)
        add("total", (bucket, None), 1)
        if (record["status_code"] or 0) >= 500:
            add("failures", (bucket, section), 1)
        if record["response_bytes"] is not None:
            add("size", (bucket, None), record["response_bytes"])
    return found


def expect(records: Sequence[Mapping[str, Any]], step_s: int) -> dict[str, Observations]:
    of = inputs_of(records, step_s)
    share = {key: n / of["requests"][key] * 100 for key, n in of["failures"].items()}
    return {
        "share": share,
        "of_all": {(bucket, s): n / of["total"][bucket, None] for (bucket, s), n in of["failures"].items()},
        "mean_size": {key: size / of["total"][key] for key, size in of["size"].items()},
        "apart": {key: (of["total"][key] - size) / -(size - 10) for key, size in of["size"].items() if size != 10},
        "doubled": {},
        "percent": {key: value - 0.5 for key, value in share.items()},
    }


def test_a_derived_metric_is_its_formula_over_its_inputs(server: StoreServer, store: Store) -> None:
    chance = random.Random(11)
    before, late = ([make_record(chance) for _ in range(60)] for _ in range(2))
    source = Source(store)
    source.append(rows(before))
    derived = create_all(store)
    for name, expected in expect(before, PERIOD_S).items():
        assert_same(points(store, name), expected)
    source.append(rows(late, start=10**6))  # below the watermark
    wait_until(lambda: server.is_settled(store), what="the refresh")
    for name, expected in expect([*before, *late], PERIOD_S).items():
        assert_same(points(store, name), expected)
    for name, metric in derived.items():
        table = read_steps(store, metric, STEP_S, within=ALWAYS)
        stepped = {(row["bucket"].astimezone(UTC), row["segment"]): row["value"] for row in table.to_pylist()}
        assert_same(stepped, expect([*before, *late], STEP_S)[name])
    one = read_steps(store, derived["of_all"], STEP_S, within=ALWAYS, segments=["a"])
    assert set(one["segment"].to_pylist()) == {"a"}


def test_a_derived_metric_is_as_up_to_date_as_its_inputs(server: StoreServer, store: Store) -> None:
    Source(store).append(rows([{"ts": NOON}]))
    create_all(store)

    def are_refreshed() -> bool:
        inputs = [state for state in list_metrics(store) if state.metric.name in ("size", "total")]
        return server.is_settled(store) and all(state.watermark for state in inputs)

    wait_until(are_refreshed, what="the refresh")
    states = {state.metric.name: state for state in list_metrics(store)}
    assert states["mean_size"].watermark == min(states[name].watermark for name in ("size", "total"))  # type: ignore[type-var] # each has one
    assert get_metric(store, "percent").state == "ok"
    found = {finding.subject: finding for finding in list_findings(store)}
    assert found["metric percent"].state is Health.OK
    assert "derived: share - 0.5" in found["metric percent"].found


def test_an_input_cannot_be_deleted_and_a_derived_metric_can(store: Store) -> None:
    create_all(store)
    with pytest.raises(UsageError, match="cannot delete metric 'size': metric apart, mean_size is derived from it"):
        store.delete_metric("size")
    with pytest.raises(UsageError, match="metric doubled, percent is derived from it"):
        store.delete_metric("share")
    for name in ("apart", "mean_size", "size"):
        store.delete_metric(name)
    assert {"apart", "mean_size", "size"}.isdisjoint(metric.name for metric in store.list_metrics())


def test_an_input_can_be_updated_if_its_derived_metrics_still_fit(store: Store) -> None:
    Source(store).append(rows([{"ts": NOON, "status_code": code, "request_route": "/a/1"} for code in (404, 500, 500)]))
    create_all(store)
    assert store.update_metric(Metric("failures", "count", "*", PERIOD_S, SECTION, "status_code >= 400", refresh_s=1))
    assert points(store, "percent") == {(NOON, "a"): 99.5}
    with pytest.raises(UsageError, match=r"metric apart is derived from it, and needs its period, segments and group"):
        store.update_metric(Metric("total", "count", "*", 60))
    assert store.update_metric(define_derived("share", "failures * 10", {known.name: known for known in INPUTS}))
    assert points(store, "percent") == {(NOON, "a"): 29.5}
    with pytest.raises(ExpressionError, match="metric 'share' would be derived from itself"):
        store.update_metric(Metric("share", "derived", "percent + 1", PERIOD_S, SECTION))


def test_an_alert_can_judge_a_derived_metric(store: Store) -> None:
    past = datetime.now(UTC) - timedelta(minutes=30)
    codes = [500, 200, 200, 200]
    Source(store).append(rows([{"ts": past, "status_code": code, "request_route": "/a/1"} for code in codes]))
    assert create_all(store, "requests", "failures").keys() == {"share", "percent"}
    alert = Alert("failing", "share", "max", Comparison.ABOVE, 20, 3600, 1, 0, 0, 2, True, NoData.KEEP)
    store.create_alert(alert)
    fired = "SELECT segment, state, value FROM puppylog.alert_states WHERE state = 'firing'"
    wait_until(lambda: len(store.query(fired)) > 0, what="firing")
    assert store.query(fired).to_pylist() == [{"segment": "a", "state": "firing", "value": 25}]


def test_a_formula_that_does_not_fit_to_the_store_is_refused_and_leaves_nothing(store: Store) -> None:
    store.create_metric(INPUTS[0])
    for formula, cause in {
        "requests / nothing": "there is no metric 'nothing'",
        "new + 1": "derived from itself",
    }.items():
        with pytest.raises(ExpressionError, match=cause):
            store.create_metric(Metric("new", "derived", formula, PERIOD_S))
    assert [metric.name for metric in store.list_metrics()] == ["requests"]
