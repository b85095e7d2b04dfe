"""Alerts whose states stay as they are until records come."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from puppylog.model.alert import Alert, Comparison, NoData
from puppylog.model.metric import Metric
from puppylog.stores.duckdb.engine import evaluate
from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.duckdb.engine.database import Engine
from puppylog.stores.duckdb.engine.definitions import DEFINITIONS
from puppylog.stores.duckdb.engine.jobs import Jobs
from puppylog.stores.duckdb.engine.settled import SETTLED_S, find_settled, note_settled
from support.embedded import wait_until
from support.schema_template import copy_schema

pytestmark = pytest.mark.sampled

NOON_S = 1_772_366_400
BUSY = Alert(
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
SILENT = replace(BUSY, name="silent", comparison=Comparison.BELOW)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(copy_schema(tmp_path / "database")) as engine:
        metric = Metric("total", "count", "*", 1, refresh_s=1)
        engine.write(lambda connection: DEFINITIONS.create_metric(connection, metric))
        yield engine


def add_alert(engine: Engine, alert: Alert) -> None:
    engine.write(lambda connection: DEFINITIONS.create_alert(connection, alert))
    sql = f"UPDATE puppylog.alerts SET evaluated_at = to_timestamp({NOON_S - 5})"
    engine.write(lambda connection: connection.run(sql))


def store_line(engine: Engine, second: float) -> None:
    columns = "(ts, stream_id, file_id, line_offset)"
    sql = f"INSERT INTO puppylog.log_records {columns} VALUES (to_timestamp({second}), 1, 1, 0)"
    engine.write(lambda connection: connection.run(sql))


def settled_names(engine: Engine) -> set[str]:
    """Evaluate all alerts at noon, and return the names of those that are settled then."""
    with engine.read() as connection:
        alerts = DEFINITIONS.list_alerts(connection)
    names = [stored.alert.name for stored in alerts]
    engine.write(lambda connection: evaluate.evaluate(connection, names, NOON_S * 1_000_000))
    with engine.read() as connection:
        ids = find_settled(connection, alerts)
    return {stored.alert.name for stored in alerts if stored.id in ids}


def test_an_alert_that_is_ok_without_records_is_settled_and_one_that_fires_is_not(engine: Engine) -> None:
    add_alert(engine, BUSY)
    add_alert(engine, SILENT)
    assert settled_names(engine) == {"busy"}


@pytest.mark.parametrize(("age_s", "is_settled"), [(3600, True), (30, False), (1, False), (-3600, False)])
def test_an_alert_with_a_record_in_its_last_window_or_later_is_not_settled(
    engine: Engine, age_s: int, *, is_settled: bool
) -> None:
    add_alert(engine, replace(BUSY, threshold=100))
    store_line(engine, NOON_S - age_s)
    assert settled_names(engine) == ({"busy"} if is_settled else set())


def test_a_settled_alert_is_evaluated_later_and_at_once_after_new_records(engine: Engine) -> None:
    add_alert(engine, BUSY)
    now_s = float(NOON_S)

    def evaluated_s() -> float:
        with engine.read() as connection:
            return float(connection.value("SELECT epoch(evaluated_at) AS at FROM puppylog.alerts"))

    with Jobs(engine, lambda: int(now_s * 1_000_000)) as jobs:
        wait_until(lambda: evaluated_s() == NOON_S, what="the first evaluation")
        now_s += 5
        wait_until(lambda: evaluated_s() == NOON_S + 5, what="the evaluation that finds it settled")
        now_s = NOON_S + SETTLED_S + 5
        wait_until(lambda: evaluated_s() == NOON_S + 15, what="the evaluations of a settled alert")
        now_s = NOON_S + SETTLED_S + 7.5  # no evaluation is due
        store_line(engine, now_s)
        now_s = NOON_S + 20
        jobs.note_append()
        wait_until(lambda: evaluated_s() == NOON_S + 20, what="the evaluation after new records")
        with engine.read() as connection:
            states = connection.rows("SELECT state FROM puppylog.segment_states")
        assert [row["state"] for row in states] == ["firing"]


def count_judged(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list of the times of all evaluations from now on that judge alerts, in seconds since the epoch."""
    judged: list[int] = []
    plain = evaluate.evaluate

    def count(connection: Connection, names: Sequence[str], now_us: int, **options: Any) -> bool:
        judged.append(now_us // 1_000_000)
        return plain(connection, names, now_us, **options)

    monkeypatch.setattr(evaluate, "evaluate", count)
    return judged


def test_a_settled_alert_is_judged_again_after_a_while_only(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    judged = count_judged(monkeypatch)
    add_alert(engine, BUSY)
    now_s = NOON_S

    def is_noted() -> bool:
        with engine.read() as connection:
            rows = connection.rows(
                "SELECT epoch(evaluated_at) AS evaluated, epoch(judged_at) AS judged FROM puppylog.alerts"
            )
        return rows == [{"evaluated": now_s, "judged": now_s}]

    with Jobs(engine, lambda: now_s * 1_000_000):
        for later_s in (0, 5, 60, 120, 1000, 1060):
            now_s = NOON_S + later_s
            wait_until(is_noted, what="the evaluations")
    assert judged == [NOON_S, NOON_S + 5, NOON_S + 1000]


def test_lines_that_no_thread_has_told_of_yet_are_found_when_the_evaluations_are_noted(engine: Engine) -> None:
    add_alert(engine, replace(BUSY, threshold=100))
    assert settled_names(engine) == {"busy"}
    with engine.read() as connection:
        alerts = DEFINITIONS.list_alerts(connection)
    store_line(engine, NOON_S - 1)
    assert engine.write(lambda connection: note_settled(connection, alerts, (NOON_S + 10) * 1_000_000)) == {}


def test_the_evaluations_of_a_settled_alert_wait(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    add_alert(engine, BUSY)
    now_s, beats = float(NOON_S), []
    monkeypatch.setattr("puppylog.stores.duckdb.engine.jobs.BEAT_S", 0.0)
    monkeypatch.setattr(evaluate, "beat", lambda *_: beats.append(now_s))

    def evaluated_s() -> float:
        with engine.read() as connection:
            return float(connection.value("SELECT epoch(evaluated_at) AS at FROM puppylog.alerts"))

    with Jobs(engine, lambda: int(now_s * 1_000_000)):
        wait_until(lambda: evaluated_s() == NOON_S, what="the first evaluation")
        now_s = NOON_S + 5
        wait_until(lambda: evaluated_s() == NOON_S + 5, what="the evaluation that finds it settled")
        now_s = NOON_S + SETTLED_S - 1
        wait_until(lambda: beats.count(now_s) > 2, what="several rounds")
        assert evaluated_s() == NOON_S + 5
