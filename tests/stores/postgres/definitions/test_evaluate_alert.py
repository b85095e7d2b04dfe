"""The evaluator in the database: due alerts are judged although one alert fails or another evaluator runs."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from puppylog.model.alert import Comparison, NoData, State
from support.alert_tables import (
    ALERT,
    NOON,
    Connection,
    Observations,
    Outcome,
    at,
    connect,
    create_alert,
    create_metric,
    errors,
    evaluate,
    history,
    read_outcome,
)


@pytest.fixture
def elsewhere(url: str) -> Iterator[Connection]:
    """Another session in the same store."""
    with connect(url) as connection:
        yield connection


# Two buckets above the threshold, then nothing more.
BURST: Observations = {(NOON, None): 20.0, (NOON + 1, None): 20.0}


def test_missed_evaluations_are_caught_up_in_order_with_a_mark(store: Connection) -> None:
    create_metric(store, BURST)
    alert_id = create_alert(store, ALERT, at(NOON))
    assert not evaluate(store, alert_id, at(NOON + 14))  # 9 s late: a busy store may be
    assert not evaluate(store, alert_id, at(NOON + 30))
    assert [(s["evaluated_at"], s["to_state"], s["made_up"]) for s in history(store)] == [
        (at(NOON + 5), "firing", False),
        (at(NOON + 15), "no_data", True),
    ]
    for transition in history(store):
        assert (transition["comparison"], transition["level"]) == (">", 10)
        assert transition["recorded_at"] > transition["evaluated_at"]


def test_the_future_is_not_judged(store: Connection) -> None:
    create_metric(store, {})
    alert_id = create_alert(store, ALERT, datetime.now(UTC))
    assert not evaluate(store, alert_id, datetime.max.replace(tzinfo=UTC))
    assert errors(store) == {"a": None}
    assert read_outcome(store) == Outcome({}, [])


def test_catching_up_a_long_time_takes_several_calls(store: Connection) -> None:
    create_metric(store, {}, period_s=10)
    alert_id = create_alert(store, ALERT, at(NOON))
    assert evaluate(store, alert_id, at(NOON + 10_005))
    assert read_outcome(store).states[None].evaluated_at == at(NOON + 10_000)
    assert not evaluate(store, alert_id, at(NOON + 10_005))
    assert read_outcome(store).states[None].evaluated_at == at(NOON + 10_005)


def test_many_segments_with_long_windows_take_several_calls(store: Connection) -> None:
    observations: Observations = {(NOON, str(number)): 20.0 for number in range(100)}
    create_metric(store, observations)
    alert = replace(ALERT, each_segment=True, window_s=10_000)
    alert_id = create_alert(store, alert, at(NOON))
    assert not evaluate(store, alert_id, at(NOON + 5))
    assert evaluate(store, alert_id, at(NOON + 60))  # 5 of 11 evaluations look at 5 million buckets
    assert {status.evaluated_at for status in read_outcome(store).states.values()} == {at(NOON + 30)}


def test_a_segment_without_observations_for_a_day_is_deleted_unless_it_fires(store: Connection) -> None:
    hour_s = 3600
    observations: Observations = {(NOON, "calm"): 5.0, (NOON, "loud"): 20.0, (NOON + 12 * hour_s, "late"): 5.0}
    create_metric(store, observations, period_s=hour_s)
    alert = replace(ALERT, each_segment=True, window_s=hour_s, period_s=hour_s, no_data=NoData.KEEP)
    alert_id = create_alert(store, alert, at(NOON))
    evaluate(store, alert_id, at(NOON + 26 * hour_s))
    assert set(read_outcome(store).states) == {"calm", "loud", "late"}
    evaluate(store, alert_id, at(NOON + 27 * hour_s))  # all were seen an hour and the delay after their bucket began
    assert set(read_outcome(store).states) == {"loud", "late"}
    assert [(s["segment"], s["to_state"]) for s in history(store)] == [("loud", "firing")]


def test_a_firing_segment_without_observations_is_deleted_with_a_last_transition(store: Connection) -> None:
    hour_s = 3600
    create_metric(store, {(NOON, "ended"): 5.0}, period_s=hour_s)
    silent = replace(ALERT, comparison=Comparison.BELOW, threshold=1, window_s=hour_s, period_s=hour_s)
    alert_id = create_alert(store, replace(silent, each_segment=True, no_data=NoData.ZERO), at(NOON))
    evaluate(store, alert_id, at(NOON + 26 * hour_s))
    assert {segment: status.state for segment, status in read_outcome(store).states.items()} == {"ended": State.FIRING}
    evaluate(store, alert_id, at(NOON + 27 * hour_s))
    assert read_outcome(store).states == {}
    assert [(s["segment"], s["from_state"], s["to_state"]) for s in history(store)] == [
        ("ended", "ok", "firing"),
        ("ended", "firing", "no_data"),
    ]
    assert history(store)[1]["evaluated_at"] == at(NOON + 27 * hour_s)
    evaluate(store, alert_id, at(NOON + 60 * hour_s))
    assert (read_outcome(store).states, len(history(store))) == ({}, 2)


def test_a_deleted_alert_is_ok_and_evaluation_does_not_wait_for_a_deletion(
    store: Connection, elsewhere: Connection
) -> None:
    create_metric(store, BURST)
    alert_id = create_alert(store, ALERT, at(NOON))
    with elsewhere.transaction():
        elsewhere.execute("DELETE FROM puppylog.alerts")
        assert not evaluate(store, alert_id, at(NOON + 5))
    assert not evaluate(store, alert_id, at(NOON + 5))
    assert read_outcome(store) == Outcome({}, [])


def test_a_second_evaluator_does_nothing_while_the_first_evaluates(store: Connection, elsewhere: Connection) -> None:
    create_metric(store, BURST)
    alert_id = create_alert(store, ALERT, at(NOON))
    with elsewhere.transaction(force_rollback=True):
        assert not evaluate(elsewhere, alert_id, at(NOON + 5))
        assert len(history(elsewhere)) == 1
        assert not evaluate(store, alert_id, at(NOON + 5))
        assert read_outcome(store) == Outcome({}, [])
    evaluate(store, alert_id, at(NOON + 5))
    assert len(history(store)) == 1


def test_an_error_is_stored_with_the_alert_and_stops_no_other_alert(store: Connection) -> None:
    now = datetime.now(UTC)
    create_metric(store, {(int(now.timestamp()) - 60, None): 20.0})
    create_metric(store, {}, name="broken")
    store.execute("DROP TABLE metrics.broken")
    store.execute(
        "CREATE VIEW metrics.broken AS SELECT bucket, segment, value / (value - value) AS value FROM metrics.m"
    )
    create_metric(store, {}, name="gone")
    store.execute("DROP TABLE metrics.gone")
    alert = replace(ALERT, window_s=120)
    for name in ("broken", "gone", "m"):
        create_alert(store, replace(alert, name=f"on_{name}", metric=name), now - timedelta(seconds=30))
    store.execute("CALL puppylog.evaluate_alerts()")
    assert errors(store) == {
        "on_broken": "division by zero",
        "on_gone": 'relation "metrics.gone" does not exist',
        "on_m": None,
    }
    rows = store.execute("SELECT evaluated_at FROM puppylog.alerts").fetchall()
    assert all(now - timedelta(seconds=5) < row["evaluated_at"] <= datetime.now(UTC) for row in rows)
    assert [row["to_state"] for row in history(store)] == ["firing"]
    store.execute("CREATE OR REPLACE VIEW metrics.broken AS SELECT * FROM metrics.m")
    store.execute("UPDATE puppylog.alerts SET evaluated_at = evaluated_at - interval '5 seconds'")
    store.execute("CALL puppylog.evaluate_alerts()")
    assert errors(store)["on_broken"] is None


def test_a_time_out_is_stored_as_an_error_of_the_alert(store: Connection) -> None:
    create_metric(store, BURST)
    store.execute("ALTER TABLE metrics.m RENAME TO held")
    store.execute(
        "CREATE VIEW metrics.m AS "
        "SELECT bucket, segment, value + length(pg_sleep(600)::text) AS value FROM metrics.held"
    )
    alert_id = create_alert(store, ALERT, at(NOON))
    store.execute("SET statement_timeout = '100ms'")
    assert not evaluate(store, alert_id, at(NOON + 5))
    assert errors(store) == {"a": "canceling statement due to statement timeout"}


def test_a_failed_evaluation_changes_no_states(store: Connection) -> None:
    create_metric(store, BURST)
    alert_id = create_alert(store, ALERT, at(NOON))
    evaluate(store, alert_id, at(NOON + 5))
    before = read_outcome(store)
    store.execute("UPDATE metrics.m SET value = 1e308")
    assert not evaluate(store, alert_id, at(NOON + 17))
    assert errors(store) == {"a": "value out of range: overflow"}
    assert read_outcome(store) == before
    assert store.execute("SELECT evaluated_at FROM puppylog.alerts").fetchall() == [{"evaluated_at": at(NOON + 15)}]


def test_a_round_stores_one_heartbeat(store: Connection) -> None:
    def beat() -> dict[str, Any]:
        (found,) = store.execute("SELECT * FROM puppylog.heartbeat")
        return found

    store.execute("CALL puppylog.evaluate_alerts()")
    first = beat()
    assert (first["evaluator"], first["error"]) == ("scheduler", None)
    store.execute("CALL puppylog.evaluate_job(1, '{}')")
    assert beat() == first  # another heartbeat so soon is not stored
    store.execute("SELECT puppylog.beat('scheduler', 'cannot')")
    assert beat()["error"] == "cannot"
    store.execute("UPDATE puppylog.heartbeat SET beat_at = beat_at - interval '5 seconds', error = NULL")
    store.execute("CALL puppylog.evaluate_job(1, '{}')")
    assert beat()["evaluator"] == "timescaledb"
    assert beat()["beat_at"] > first["beat_at"]


def test_a_role_without_rights_on_the_tables_can_evaluate(store: Connection) -> None:
    create_metric(store, BURST)
    create_alert(store, ALERT, at(NOON))
    role = "pg_monitor"  # any that is there
    store.execute(f"GRANT USAGE ON SCHEMA puppylog TO {role}".encode())
    store.execute(f"GRANT EXECUTE ON ALL ROUTINES IN SCHEMA puppylog TO {role}".encode())
    with store.transaction():
        store.execute(f"SET LOCAL ROLE {role}".encode())
        (due,) = store.execute("SELECT due FROM puppylog.alerts_due() AS due").fetchall()
        assert evaluate(store, due["due"], at(NOON + 3600)) is False
        store.execute("SELECT puppylog.beat('me', NULL)")
    assert len(history(store)) == 2
