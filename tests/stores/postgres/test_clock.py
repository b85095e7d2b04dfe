"""A clock that was set back or forward: future instants stop no job, and skipped evaluations are recorded.

The server's clock cannot be set here, so the stored instants are moved into the future instead.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from puppylog.model.alert import NoData
from puppylog.model.metric import Metric
from puppylog.stores.connect import connect as connect_store
from support.alert_tables import (
    ALERT,
    NOON,
    Connection,
    at,
    create_alert,
    create_metric,
    evaluate,
    history,
    read_outcome,
)
from support.lines import Source, records, soon

YEAR = timedelta(days=365)


def ask(store: Connection, sql: str) -> Any:
    """Return the one value of a query."""
    (row,) = store.execute(sql.encode()).fetchall()
    (value,) = row.values()
    return value


def steps(store: Connection) -> dict[str, float]:
    rows = store.execute("SELECT part, back_s FROM puppylog.clock_steps").fetchall()
    return {row["part"]: round(row["back_s"], -1) for row in rows}


@pytest.mark.parametrize("step", [timedelta(hours=1), YEAR])
def test_a_round_continues_when_the_clock_is_set_back(store: Connection, step: timedelta) -> None:
    now = datetime.now(UTC)
    create_metric(store, {(int((now - timedelta(seconds=60)).timestamp()), None): 20.0})
    create_alert(store, replace(ALERT, window_s=600), now + step)
    store.execute("SELECT puppylog.beat('me', NULL)")
    store.execute("UPDATE puppylog.heartbeat SET beat_at = beat_at + %s", [step])
    store.execute("CALL puppylog.evaluate_alerts()")
    assert ask(store, "SELECT evaluated_at <= clock_timestamp() FROM puppylog.alerts")
    assert ask(store, "SELECT beat_at <= clock_timestamp() FROM puppylog.heartbeat")
    assert steps(store) == {"alerts": step.total_seconds(), "heartbeat": step.total_seconds()}
    store.execute("UPDATE puppylog.alerts SET evaluated_at = evaluated_at - interval '5 seconds'")
    store.execute("CALL puppylog.evaluate_alerts()")
    assert [row["to_state"] for row in history(store)] == ["firing"]


def test_a_heartbeat_in_the_future_is_replaced(store: Connection) -> None:
    store.execute("INSERT INTO puppylog.heartbeat VALUES ('me', clock_timestamp() + interval '1 hour', NULL)")
    store.execute("SELECT puppylog.beat('me', NULL)")
    assert ask(store, "SELECT beat_at <= clock_timestamp() FROM puppylog.heartbeat")


def test_a_rollup_is_refreshed_and_read_live_when_the_clock_is_set_back(url: str, store: Connection) -> None:
    ahead = soon() + timedelta(minutes=5)  # above the watermark, when the clock is right again
    with connect_store(url) as client:
        client.create_metric(Metric("total", "count", "*", 1, refresh_s=10))
        Source(client).append(records(3, ts=ahead, step_s=0))
    # The client has ended, and with it the jobs that it has run since it stored records.
    # As if the clock had been an hour ahead: the watermark, the refresh and the invalidations are of that time.
    store.execute(
        "UPDATE puppylog.metrics SET watermark = puppylog.floor_to(now() + interval '1 hour', 1), "
        "refreshed_at = now() + interval '1 hour'"
    )
    store.execute("INSERT INTO puppylog.invalidations VALUES (1, %s, %s, now() + interval '1 hour')", [ahead, ahead])
    assert ask(store, "SELECT count(*) FROM puppylog.metrics_due()") == 1
    assert ask(store, "SELECT puppylog.take_invalidations()")
    assert ask(store, "SELECT count(*) FROM puppylog.invalidations") == 0
    store.execute("SELECT puppylog.rebase_clock()")
    assert ask(store, "SELECT coalesce(sum(value), 0) FROM metrics.total") == 3
    store.execute("SELECT puppylog.refresh_rollup(id) FROM puppylog.metrics")
    assert ask(store, "SELECT coalesce(sum(value), 0) FROM metrics.total") == 3
    assert ask(store, "SELECT watermark < clock_timestamp() FROM puppylog.metrics")
    assert steps(store) == {"metrics": 3600}
    with connect_store(url) as client:
        client.delete_metric("total")


def test_future_reports_are_moved_to_now_and_keep_their_durations(store: Connection) -> None:
    store.execute(
        "INSERT INTO puppylog.stream_reports SELECT 1, t, t - interval '7 seconds', NULL, 0, 0, 0, 0, '', NULL, false "
        "FROM (VALUES (now() + interval '1 hour')) AS v (t)"
    )
    store.execute("SELECT puppylog.rebase_clock()")
    assert ask(store, "SELECT reported_at <= clock_timestamp() FROM puppylog.stream_reports")
    assert ask(store, "SELECT reported_at - stored_at FROM puppylog.stream_reports") == timedelta(seconds=7)
    assert steps(store) == {"reports": 3600}


def test_after_a_year_the_last_week_is_caught_up_and_the_skipped_range_is_recorded(store: Connection) -> None:
    create_metric(store, {(NOON + 60, None): 20.0}, period_s=60)
    alert = replace(ALERT, window_s=60, period_s=3600, no_data=NoData.OK)
    alert_id = create_alert(store, alert, at(NOON))
    assert not evaluate(store, alert_id, at(NOON) + YEAR)
    row = store.execute("SELECT skipped_since, skipped_until, evaluated_at FROM puppylog.alerts").fetchone()
    assert row == {
        "skipped_since": at(NOON),
        "skipped_until": at(NOON) + YEAR - timedelta(days=7),
        "evaluated_at": at(NOON) + YEAR,
    }
    assert read_outcome(store).states[None].evaluated_at == at(NOON) + YEAR


def test_alerts_that_are_catching_up_come_last(store: Connection) -> None:
    now = datetime.now(UTC)
    create_metric(store, {})
    order = [
        create_alert(store, replace(ALERT, name="late"), now - timedelta(seconds=60)),
        create_alert(store, replace(ALERT, name="on_time"), now - timedelta(seconds=6)),
        create_alert(store, replace(ALERT, name="an_hour"), now - timedelta(hours=1)),
        create_alert(store, replace(ALERT, name="a_day"), now - timedelta(days=1)),
    ]
    due = "SELECT due FROM puppylog.alerts_due(catching_up => {}) AS due"
    assert [row["due"] for row in store.execute(due.format("NULL").encode())] == order
    assert [row["due"] for row in store.execute(due.format("false").encode())] == order[:2]
    assert [row["due"] for row in store.execute(due.format("true").encode())] == order[2:]


def test_an_alert_judges_a_limited_number_of_segments_and_counts_the_rest(store: Connection) -> None:
    body = ask(store, "SELECT pg_get_functiondef('puppylog.most_segments'::regproc)")
    try:
        store.execute(body.replace("20000", "2").encode())
        create_metric(store, {(NOON + 1, segment): 20.0 for segment in ("b", "c", None)} | {(NOON, "d"): 20.0})
        alert_id = create_alert(store, replace(ALERT, each_segment=True), at(NOON))
        evaluate(store, alert_id, at(NOON + 5))
        assert set(read_outcome(store).states) == {"b", "c"}  # all are seen at once, so their names decide
        assert ask(store, "SELECT unjudged_segments FROM puppylog.alerts") == 2
        store.execute("DELETE FROM metrics.m WHERE segment = 'd'")
        evaluate(store, alert_id, at(NOON + 10))
        assert ask(store, "SELECT unjudged_segments FROM puppylog.alerts") == 1
    finally:
        store.execute(body.encode())
