"""What a store promises of alerts: judged in the store, every change of state a row, missed evaluations caught up."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from puppylog.errors import AlreadyExists, NotFound, UsageError
from puppylog.model.alert import Alert, Comparison, NoData
from puppylog.model.metric import Metric
from puppylog.stores.base import Store
from support.embedded import wait_until
from support.lines import Source, records, rows, soon
from support.server import StoreServer

pytestmark = pytest.mark.sampled

ALERT = Alert(
    name="busy",
    metric="total",
    statistic="avg",
    comparison=Comparison.ABOVE,
    threshold=10,
    window_s=3,
    period_s=2,
    for_s=0,
    keep_firing_for_s=0,
    delay_s=2,
    each_segment=False,
    no_data=NoData.ZERO,
)


def history(store: Store) -> list[dict[str, Any]]:
    return store.query("SELECT * FROM puppylog.alert_history ORDER BY evaluated_at, id").to_pylist()


def states(store: Store) -> dict[str | None, str]:
    found = store.query("SELECT segment, state FROM puppylog.alert_states").to_pylist()
    return {row["segment"]: row["state"] for row in found}


def changed(alert: Alert, **changes: Any) -> Alert:
    return Alert(**{**{name: getattr(alert, name) for name in Alert.__slots__}, **changes})


@pytest.fixture
def source(store: Store) -> Source:
    store.create_metric(Metric("total", "count", "*", 1, refresh_s=1))
    return Source(store)


def test_an_alert_fires_on_a_burst_and_recovers_after_it(store: Store, source: Source) -> None:
    store.create_alert(ALERT)
    source.append(records(60, ts=soon(), step_s=0))
    wait_until(lambda: len(history(store)) == 2, what="firing and recovering")
    fired, recovered = history(store)
    assert (fired["from_state"], fired["to_state"], fired["value"]) == ("ok", "firing", 20)
    assert (recovered["from_state"], recovered["to_state"], recovered["value"]) == ("firing", "ok", 0)
    assert fired["window_until"] - fired["window_since"] == timedelta(seconds=3)
    assert fired["evaluated_at"] - fired["window_until"] == timedelta(seconds=2)
    assert not fired["made_up"]
    assert states(store) == {None: "ok"}


def test_segments_are_judged_one_by_one(store: Store, source: Source) -> None:
    metric = Metric("sections", "count", "*", 1, segment="split_part(request_route, '/', 2)", refresh_s=1)
    store.create_metric(metric)
    store.create_alert(changed(ALERT, metric="sections", each_segment=True))
    now = soon()
    source.append(rows([{"ts": now, "request_route": "/busy/1"}] * 60 + [{"ts": now, "request_route": "/calm/1"}] * 3))
    wait_until(lambda: len(history(store)) == 2, what="firing and recovering")
    assert [(row["segment"], row["to_state"]) for row in history(store)] == [("busy", "firing"), ("busy", "ok")]
    assert states(store) == {"busy": "ok", "calm": "ok"}


def test_an_alert_without_observations_is_in_the_state_no_data(store: Store, source: Source) -> None:
    store.create_metric(Metric("size", "avg", "response_bytes", 1, refresh_s=1))
    store.create_alert(changed(ALERT, metric="size", no_data=NoData.NO_DATA))
    source.append(records(1, ts=soon(), response_bytes=5))
    wait_until(lambda: len(history(store)) >= 3, what="no data, data, no data")
    assert [row["to_state"] for row in history(store)][:3] == ["no_data", "ok", "no_data"]


def test_missed_evaluations_are_caught_up_in_order_with_a_mark(
    server: StoreServer, store: Store, source: Source
) -> None:
    store.create_alert(ALERT)
    wait_until(lambda: states(store) == {None: "ok"}, what="the first evaluation")
    minute_ago = datetime.now(UTC) - timedelta(seconds=60)
    source.append(records(60, ts=minute_ago, step_s=0))
    wait_until(lambda: server.is_settled(store), what="the correction")
    server.pretend_last_evaluation(minute_ago - timedelta(seconds=30))
    wait_until(lambda: len(history(store)) == 2, what="making up")
    assert [(row["to_state"], row["made_up"]) for row in history(store)] == [("firing", True), ("ok", True)]
    assert history(store)[0]["window_since"] <= minute_ago < history(store)[0]["window_until"]


def test_an_alert_is_evaluated_after_the_clock_was_set_back(server: StoreServer, store: Store, source: Source) -> None:
    store.create_alert(ALERT)
    wait_until(lambda: states(store) == {None: "ok"}, what="the first evaluation")
    server.pretend_last_evaluation(datetime.now(UTC) + timedelta(hours=1))  # as if a clock was set back by an hour
    ahead = "SELECT id FROM puppylog.alerts WHERE evaluated_at > now()"
    wait_until(lambda: not store.query(ahead), what="re-basing")
    source.append(records(60, ts=soon(), step_s=0))
    wait_until(lambda: len(history(store)) == 2, what="firing and recovering")
    assert [row["to_state"] for row in history(store)] == ["firing", "ok"]
    steps = store.query("SELECT back_s FROM puppylog.clock_steps WHERE part = 'alerts'").to_pylist()
    assert [round(row["back_s"], -2) for row in steps] == [3600]


def test_the_evaluator_stores_a_heartbeat(store: Store) -> None:
    def beats() -> list[dict[str, Any]]:
        return store.query("SELECT * FROM puppylog.heartbeat").to_pylist()

    wait_until(lambda: bool(beats()), what="a heartbeat")
    first = beats()[0]["beat_at"]
    wait_until(lambda: beats()[0]["beat_at"] > first, what="another heartbeat")
    assert len(beats()) == 1


def test_creating_an_alert_again_is_ok_and_a_different_alert_of_its_name_is_refused(
    store: Store, source: Source
) -> None:
    del source  # it has made the metric
    assert store.create_alert(ALERT)
    assert not store.create_alert(ALERT)
    with pytest.raises(AlreadyExists, match="'busy': the name belongs to another definition"):
        store.create_alert(changed(ALERT, threshold=11))
    assert list(store.list_alerts()) == [ALERT]
    with pytest.raises(UsageError, match="alert busy judges it"):
        store.delete_metric("total")


def test_a_deleted_alert_is_gone_with_its_history(store: Store, source: Source) -> None:
    store.create_alert(ALERT)
    source.append(records(60, ts=soon(), step_s=0))
    wait_until(lambda: len(history(store)) > 0, what="firing")
    store.delete_alert("busy")
    assert (list(store.list_alerts()), history(store), states(store)) == ([], [], {})
    with pytest.raises(NotFound, match="cannot find alert 'busy'"):
        store.delete_alert("busy")
    with pytest.raises(NotFound, match="cannot find metric 'nope'"):
        store.create_alert(changed(ALERT, metric="nope"))


def test_a_segment_is_not_judged_before_its_first_observation(
    server: StoreServer, store: Store, source: Source
) -> None:
    store.create_metric(Metric("sections", "count", "*", 1, segment="request_route", refresh_s=1))
    store.create_alert(changed(ALERT, metric="sections", each_segment=True, threshold=-1, no_data=NoData.NO_DATA))
    ago = datetime.now(UTC) - timedelta(seconds=20)
    source.append(rows([{"ts": ago, "request_route": "/new"}]))
    wait_until(lambda: server.is_settled(store), what="the correction")
    server.pretend_last_evaluation(ago - timedelta(seconds=10))
    wait_until(lambda: len(history(store)) == 2, what="seen and gone")
    assert [row["to_state"] for row in history(store)] == ["firing", "no_data"]


@pytest.mark.long
def test_an_updated_alert_judges_by_its_new_rule_and_keeps_its_history(store: Store, source: Source) -> None:
    store.create_alert(ALERT)
    source.append(records(60, ts=soon(), step_s=0))
    wait_until(lambda: len(history(store)) == 2, what="firing and recovering")
    assert not store.update_alert(ALERT)
    lower = changed(ALERT, threshold=1, no_data=NoData.OK)
    assert store.update_alert(lower)
    assert list(store.list_alerts()) == [lower]
    source.append(records(8, start=source.offset, ts=soon(), step_s=0))
    wait_until(lambda: len(history(store)) == 4, what="firing and recovering by the new rule")
    assert [(row["to_state"], row["level"]) for row in history(store)] == [
        ("firing", 10),
        ("ok", 10),
        ("firing", 1),
        ("ok", 1),
    ]


def test_who_is_told_of_an_alert_is_stored_and_changed_without_an_effect_on_its_evaluations(
    store: Store, source: Source
) -> None:
    del source  # it has made the metric
    evaluated = "SELECT evaluated_at FROM puppylog.alerts"
    rare = changed(ALERT, period_s=3600, contacts=("ops", "on-call"), group_wait_s=5, repeat_s=60, severity="error")
    store.create_alert(rare)
    assert list(store.list_alerts()) == [rare]
    before = store.query(evaluated)
    other = changed(rare, contacts=(), summary="it's \u201cbusy\u201d")
    assert store.update_alert(other)
    assert list(store.list_alerts()) == [other]
    assert store.query(evaluated) == before


def test_an_alert_cannot_be_updated_to_another_metric_or_other_segments(store: Store, source: Source) -> None:
    del source  # it has made the metric
    with pytest.raises(NotFound, match="alert 'busy'"):
        store.update_alert(ALERT)
    store.create_metric(Metric("other", "count", "*", 1, segment="host", refresh_s=1))
    store.create_alert(ALERT)
    for different in (changed(ALERT, metric="other"), changed(ALERT, each_segment=True)):
        with pytest.raises(UsageError, match="cannot update alert 'busy': its states belong to its metric"):
            store.update_alert(different)
    assert list(store.list_alerts()) == [ALERT]
