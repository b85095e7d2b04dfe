"""What `monitor alerts test` says of the past is what the evaluator of the store did."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from puppylog.errors import UsageError
from puppylog.model.alert import Alert, Comparison, NoData, State
from puppylog.model.metric import Metric
from puppylog.monitor import alert_trial
from puppylog.monitor.alert_trial import try_alert
from puppylog.monitor.alerts import get_alert
from puppylog.stores.base import Store
from support.embedded import wait_until
from support.lines import Source, records, rows, soon
from support.server import StoreServer

pytestmark = pytest.mark.sampled

TOTAL = Metric("total", "count", "*", 1, refresh_s=1)
SECTIONS = Metric("sections", "count", "*", 1, segment="split_part(request_route, '/', 2)", refresh_s=1)
SIZE = Metric("size", "avg", "response_bytes", 1, refresh_s=1)
FAILED = Metric("failed", "ratio", "*", 1, of="status_code >= 500", refresh_s=1)

TOGETHER = Alert("busy", "total", "avg", Comparison.ABOVE, 10, 3, 1, 0, 2, 2, each_segment=False, no_data=NoData.ZERO)
RARER = replace(TOGETHER, period_s=2)
ALERTS = (
    (RARER, TOTAL),
    (replace(RARER, name="each", metric="sections", each_segment=True, keep_firing_for_s=0), SECTIONS),
    (replace(RARER, name="large", metric="size", threshold=100, statistic="max", no_data=NoData.NO_DATA), SIZE),
    (replace(RARER, name="share", metric="failed", threshold=0.3, no_data=NoData.OK), FAILED),
)


def history(store: Store, name: str) -> list[tuple[Any, ...]]:
    sql = (
        "SELECT h.evaluated_at, h.segment, h.from_state, h.to_state, h.value FROM puppylog.alert_history AS h "
        "JOIN puppylog.alerts AS a ON a.id = h.alert_id WHERE a.name = $name ORDER BY h.evaluated_at, h.segment"
    )
    return [tuple(row.values()) for row in store.query(sql, {"name": name}).to_pylist()]


def test_a_trial_of_the_past_is_what_the_evaluator_did(store: Store) -> None:
    for alert, metric in ALERTS:
        store.create_metric(metric)
        store.create_alert(alert)
    source = Source(store)
    wait_until(
        lambda: all(get_alert(store, alert.name).states[0].state for alert, _ in ALERTS if not alert.each_segment),
        what="the first evaluation",
    )
    now = soon()
    common = {"ts": now, "response_bytes": 500}
    source.append(
        rows(
            [{**common, "request_route": "/busy/1", "status_code": 200}] * 60
            + [{**common, "request_route": "/calm/1", "status_code": 500}] * 40
            + [{**common, "ts": now + timedelta(seconds=1), "request_route": "/calm/1", "status_code": 200}] * 10
        )
    )
    wait_until(
        lambda: all(
            len(history(store, alert.name)) >= 2 and history(store, alert.name)[-1][3] in ("ok", "no_data")
            for alert, _ in ALERTS
        ),
        what="all firing and recovering",
    )
    for alert, metric in ALERTS:
        state = get_alert(store, alert.name).states[0]
        trial = try_alert(store, alert, metric, state.created_at, state.evaluated_at)
        judged = [(one.evaluated_at, one.segment, one.from_state, one.to_state, one.value) for one in trial.judgements]
        assert judged == history(store, alert.name), alert.name
        assert State.FIRING in {problem.state for problem in trial.problems}
        assert trial.measure_s(State.FIRING) > 0


def test_a_trial_says_where_the_store_has_nothing_and_refuses_what_is_too_much(
    server: StoreServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.create_metric(TOTAL)
    noon = datetime.fromisoformat("2026-03-01T12:00:00Z")
    Source(store).append(records(60, ts=noon, step_s=0))
    wait_until(lambda: server.is_settled(store), what="the correction")
    trial = try_alert(store, TOGETHER, TOTAL, noon - timedelta(hours=1), noon + timedelta(minutes=1))
    assert trial.missing_until == noon
    assert [(problem.state, problem.value, problem.end_value) for problem in trial.problems] == [(State.FIRING, 20, 0)]
    assert trial.problems[0].since == noon + timedelta(seconds=3)
    assert (
        try_alert(store, TOGETHER, TOTAL, noon + timedelta(seconds=6), noon + timedelta(minutes=1)).missing_until
        is None
    )
    with pytest.raises(UsageError, match="it is not evaluated in this range"):
        try_alert(store, TOGETHER, TOTAL, noon + timedelta(seconds=0.1), noon + timedelta(seconds=0.2))
    monkeypatch.setattr(alert_trial, "MAX_OBSERVATIONS", 0)
    with pytest.raises(UsageError, match="metric 'total' has 1 observations in this range; choose a shorter one"):
        try_alert(store, TOGETHER, TOTAL, noon, noon + timedelta(minutes=1))
