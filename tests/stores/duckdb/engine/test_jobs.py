"""The engine's jobs: a metric or an alert with an error, or a changed clock, stops no other job."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from puppylog.model.alert import Alert, Comparison, NoData
from puppylog.model.metric import Metric
from puppylog.stores.duckdb.engine import deferred_writes, evaluate, jobs
from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.duckdb.engine.database import Engine
from puppylog.stores.duckdb.engine.definitions import DEFINITIONS
from puppylog.stores.duckdb.engine.jobs import Jobs
from support.embedded import wait_until
from support.schema_template import copy_schema

pytestmark = pytest.mark.sampled

HOUR_S = 3600
YEAR_S = 365 * 24 * HOUR_S
NOON_S = int(datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp())
ALERT = Alert(
    name="busy",
    metric="total",
    statistic="sum",
    comparison=Comparison.AT_LEAST,
    threshold=1,
    window_s=60,
    period_s=5,
    for_s=0,
    keep_firing_for_s=0,
    delay_s=2,
    each_segment=False,
    no_data=NoData.ZERO,
)


class Clock:
    """Stands still until it is set."""

    def __init__(self, now_s: float) -> None:
        self.now_s = now_s

    def __call__(self) -> int:
        return int(self.now_s * 1_000_000)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(copy_schema(tmp_path / "database")) as engine:
        engine.write(
            lambda connection: DEFINITIONS.create_metric(connection, Metric("total", "count", "*", 1, refresh_s=1))
        )
        yield engine


def ask(engine: Engine, sql: str) -> list[dict[str, Any]]:
    with engine.read() as connection:
        return connection.rows(sql)


def add_alert(engine: Engine, alert: Alert, evaluated_s: float) -> None:
    engine.write(lambda connection: DEFINITIONS.create_alert(connection, alert))
    sql = f"UPDATE puppylog.alerts SET evaluated_at = to_timestamp({evaluated_s}) WHERE name = '{alert.name}'"
    engine.write(lambda connection: connection.run(sql))


def store_line(engine: Engine, second: float) -> None:
    sql = (
        "INSERT INTO puppylog.log_records (ts, stream_id, file_id, line_offset) "
        f"VALUES (to_timestamp({second}), 1, 1, 0)"
    )
    engine.write(lambda connection: connection.run(sql))


def evaluated_s(engine: Engine, name: str = "busy") -> float:
    (row,) = ask(engine, f"SELECT epoch(evaluated_at) AS at FROM puppylog.alerts WHERE name = '{name}'")
    return float(row["at"])


def history(engine: Engine) -> list[tuple[float, str]]:
    rows = ask(engine, "SELECT epoch(evaluated_at) AS at, to_state FROM puppylog.alert_history ORDER BY id")
    return [(row["at"], row["to_state"]) for row in rows]


def steps(engine: Engine) -> dict[str, float]:
    return {row["part"]: row["back_s"] for row in ask(engine, "SELECT part, back_s FROM puppylog.clock_steps")}


def test_a_metric_that_cannot_be_refreshed_stops_nothing_else(engine: Engine) -> None:
    engine.write(
        lambda connection: DEFINITIONS.create_metric(connection, Metric("broken", "count", "*", 1, refresh_s=1))
    )
    (row,) = ask(engine, "SELECT id FROM puppylog.metrics WHERE name = 'broken'")
    engine.write(lambda connection: connection.run(f"DROP TABLE puppylog.rollup_{row['id']}"))
    add_alert(engine, ALERT, NOON_S - 5)
    with Jobs(engine, Clock(NOON_S)) as jobs:
        jobs.note_append()
        wait_until(lambda: bool(ask(engine, "SELECT beat_at FROM puppylog.heartbeat")), what="a heartbeat")
        errors = ask(engine, "SELECT name, error FROM puppylog.metrics ORDER BY name")
        assert [row["name"] for row in errors if row["error"] is None] == ["total"]
        assert f"rollup_{row['id']}" in errors[0]["error"]
        wait_until(lambda: evaluated_s(engine) == NOON_S, what="the evaluation")
        sql = f"CREATE TABLE puppylog.rollup_{row['id']} (bucket TIMESTAMPTZ, segment VARCHAR, value DOUBLE)"
        engine.write(lambda connection: connection.run(sql))
        healed = "SELECT name FROM puppylog.metrics WHERE error IS NOT NULL"
        wait_until(lambda: not ask(engine, healed), what="the next refresh")


@pytest.mark.parametrize("back_s", [HOUR_S, YEAR_S])
def test_alerts_metrics_and_the_heartbeat_continue_when_the_clock_is_set_back(engine: Engine, back_s: int) -> None:
    clock = Clock(NOON_S)
    add_alert(engine, replace(ALERT, for_s=10), NOON_S - 5)
    store_line(engine, NOON_S - 10)
    with Jobs(engine, clock) as jobs:
        jobs.note_append()
        wait_until(lambda: evaluated_s(engine) == NOON_S, what="the evaluation")
        wait_until(lambda: bool(ask(engine, "SELECT beat_at FROM puppylog.heartbeat")), what="a heartbeat")
        assert history(engine) == [(NOON_S, "pending")]
        back = NOON_S - back_s
        store_line(engine, back)
        clock.now_s = back + 1
        wait_until(lambda: evaluated_s(engine) == back + 1, what="re-basing")
        clock.now_s = back + 15
        wait_until(lambda: evaluated_s(engine) == back + 15, what="going on")
        (metric,) = ask(engine, "SELECT epoch(watermark) AS at FROM puppylog.metrics")
        assert metric["at"] <= back + 15
        assert ask(engine, "SELECT sum(value) AS n, count(*) AS buckets FROM metrics.total") == [{"n": 2, "buckets": 2}]
    # The time as pending counts from the moment when the clock was set back, without the step of the clock.
    assert history(engine) == [(NOON_S, "pending"), (back + 15, "firing")]
    assert set(steps(engine)) == {"alerts", "metrics", "heartbeat"}
    assert steps(engine)["alerts"] == back_s - 1


def test_an_engine_that_starts_moves_future_instants_to_now(engine: Engine) -> None:
    add_alert(engine, ALERT, NOON_S + HOUR_S)
    at_s = NOON_S + HOUR_S
    report = (
        "INSERT INTO puppylog.stream_reports (stream_id, reported_at, stored_at, backlog_bytes, lines_per_s, records, "
        f"rejects, format, ended) VALUES (1, to_timestamp({at_s}), to_timestamp({at_s - 7}), 0, 0, 0, 0, '', false)"
    )
    engine.write(lambda connection: connection.run(report))
    with Jobs(engine, Clock(NOON_S)):
        wait_until(lambda: evaluated_s(engine) == NOON_S, what="re-basing")
    (row,) = ask(
        engine, "SELECT epoch(reported_at) AS at, epoch(reported_at - stored_at) AS ago_s FROM puppylog.stream_reports"
    )
    assert row == {"at": NOON_S, "ago_s": 7}
    assert steps(engine) == {"alerts": HOUR_S, "reports": HOUR_S}


def test_a_clock_step_of_less_than_two_seconds_is_not_recorded(engine: Engine) -> None:
    add_alert(engine, ALERT, NOON_S + 1)
    with Jobs(engine, Clock(NOON_S)):
        wait_until(lambda: evaluated_s(engine) == NOON_S, what="re-basing")
    assert steps(engine) == {}


def test_after_a_year_the_last_week_is_caught_up_and_the_skipped_range_is_recorded(engine: Engine) -> None:
    clock = Clock(NOON_S)
    add_alert(engine, replace(ALERT, name="a_year", period_s=60), NOON_S)
    add_alert(engine, replace(ALERT, name="on_time"), NOON_S + YEAR_S - 5)
    store_line(engine, NOON_S + 60)
    store_line(engine, NOON_S + YEAR_S - 24 * HOUR_S)
    clock.now_s = NOON_S + YEAR_S
    with Jobs(engine, clock):
        wait_until(lambda: evaluated_s(engine, "on_time") == NOON_S + YEAR_S, what="the alert that is on time")
        assert evaluated_s(engine, "a_year") < NOON_S + YEAR_S
        wait_until(lambda: evaluated_s(engine, "a_year") == NOON_S + YEAR_S, what="catching up", within_s=60)
    assert [state for _, state in history(engine)] == ["firing", "ok"]
    (row,) = ask(
        engine,
        "SELECT epoch(skipped_since) AS since, epoch(skipped_until) AS until FROM puppylog.alerts "
        "WHERE name = 'a_year'",
    )
    assert row == {"since": NOON_S, "until": NOON_S + YEAR_S - 7 * 24 * HOUR_S}


def test_a_long_round_stores_heartbeats(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    beat, evaluate_some = evaluate.beat, evaluate.evaluate

    def note_beat(connection: Connection, error: str | None, now_us: int) -> None:
        told.append("beat")
        beat(connection, error, now_us)

    def note_evaluation(connection: Connection, names: Sequence[str], now_us: int, **others: Any) -> bool:
        told.extend(names)
        return evaluate_some(connection, names, now_us, **others)

    monkeypatch.setattr(jobs, "BEAT_S", 0.0)
    monkeypatch.setattr(deferred_writes, "WAIT_S", 0.0)
    monkeypatch.setattr(jobs, "MAX_ALERTS", 1)
    monkeypatch.setattr(evaluate, "beat", note_beat)
    monkeypatch.setattr(evaluate, "evaluate", note_evaluation)
    for name in ("a", "b"):
        add_alert(engine, replace(ALERT, name=name), NOON_S - 5)
    with Jobs(engine, Clock(NOON_S)):
        wait_until(lambda: "b" in told, what="the evaluation of the last alert")
    assert "beat" in told[told.index("a") : told.index("b")]


def test_the_jobs_end_after_their_current_transaction(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluated: list[str] = []
    has_begun, may_end = threading.Event(), threading.Event()

    def note_evaluation(_: Connection, names: Sequence[str], now_us: int, **others: Any) -> bool:
        del now_us, others
        evaluated.extend(names)
        has_begun.set()
        return not may_end.wait(60)

    monkeypatch.setattr(jobs, "MAX_ALERTS", 1)
    monkeypatch.setattr(evaluate, "evaluate", note_evaluation)
    for name in ("a", "b"):
        add_alert(engine, replace(ALERT, name=name), NOON_S - 5)
    running = Jobs(engine, Clock(NOON_S))
    assert has_begun.wait(60)
    closing = threading.Thread(target=running.close)
    closing.start()
    wait_until(running.is_ending, what="the request to end")
    may_end.set()
    closing.join()
    assert evaluated == ["a"]


def test_the_newest_buckets_are_filled_without_another_append(engine: Engine) -> None:
    store_line(engine, NOON_S)
    clock = Clock(NOON_S + 1)  # the line's bucket may still grow, and is read live
    with Jobs(engine, clock):
        wait_until(lambda: ask(engine, "SELECT refreshed_at FROM puppylog.metrics")[0]["refreshed_at"] is not None)
        assert ask(engine, "SELECT * FROM puppylog.rollup_1") == []
        clock.now_s += 60
        wait_until(lambda: len(ask(engine, "SELECT * FROM puppylog.rollup_1")) == 1, what="the bucket's filling")


def test_an_alert_that_cannot_be_evaluated_stops_no_other_alert_of_its_batch(engine: Engine) -> None:
    metric = Metric("broken", "count", "*", 1, segment="host", refresh_s=1)
    engine.write(lambda connection: DEFINITIONS.create_metric(connection, metric))
    for name, judged in (("a", "broken"), ("b", "total"), ("c", "broken")):
        alert = replace(ALERT, name=name, metric=judged, each_segment=judged == "broken")
        add_alert(engine, alert, NOON_S - 5)
    (row,) = ask(engine, "SELECT id FROM puppylog.metrics WHERE name = 'broken'")
    gone = f"DROP VIEW metrics.broken; DROP TABLE puppylog.rollup_{row['id']}"
    engine.write(lambda connection: connection.run(gone))
    with Jobs(engine, Clock(NOON_S)):
        wait_until(lambda: all(evaluated_s(engine, name) == NOON_S for name in "abc"), what="the evaluations")
    errors = ask(engine, "SELECT name, error IS NOT NULL AS has_failed FROM puppylog.alerts ORDER BY name")
    assert [row["has_failed"] for row in errors] == [True, False, True]
