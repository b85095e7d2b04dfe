"""The evaluator in the engine: which segments have a state, and when a state is deleted."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from puppylog.model.alert import Alert, Comparison, NoData, define_alert
from puppylog.model.metric import Metric
from puppylog.stores.duckdb.engine import evaluate as evaluate_module
from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.duckdb.engine.database import Engine
from puppylog.stores.duckdb.engine.definitions import DEFINITIONS
from puppylog.stores.duckdb.engine.evaluate import evaluate, note_error
from support.schema_template import copy_schema

HOUR_S = 3600
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
METRIC = Metric("lines", "count", "*", HOUR_S, segment="stream_id")
RECORD = (
    "INSERT INTO puppylog.log_records (ts, stream_id, file_id, line_offset) VALUES ($ts::TIMESTAMPTZ, $stream, 1, 0)"
)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A store with a metric of the lines of each stream, by the hour."""
    with Engine(copy_schema(tmp_path / "database")) as engine:
        engine.write(lambda connection: DEFINITIONS.create_metric(connection, METRIC))
        yield engine


def store_line(engine: Engine, stream: int, hours: float) -> None:
    at = NOON + timedelta(hours=hours)
    engine.write(lambda connection: connection.run(RECORD, {"ts": at.isoformat(), "stream": stream}))


def make_alert(engine: Engine, comparison: Comparison, no_data: NoData, name: str = "silent") -> None:
    """Make an alert that was judged last at NOON."""
    alert: Alert = define_alert(
        name,
        METRIC,
        comparison=comparison,
        threshold=1,
        window_s=HOUR_S,
        statistic="sum",
        period_s=HOUR_S,
        delay_s=0,
        each_segment=True,
        no_data=no_data,
    )

    def work(connection: Connection) -> None:
        DEFINITIONS.create_alert(connection, alert)
        connection.run("UPDATE puppylog.alerts SET evaluated_at = $at::TIMESTAMPTZ", {"at": NOON.isoformat()})

    engine.write(work)


def judge(engine: Engine, hours: float) -> dict[str, str]:
    """Evaluate up to then and return the states by segment."""
    now_us = int((NOON + timedelta(hours=hours)).timestamp() * 1_000_000)
    while engine.write(lambda connection: evaluate(connection, ["silent"], now_us)):
        pass
    rows = ask(engine, "SELECT segment, state FROM puppylog.alert_states")
    return {row["segment"]: row["state"] for row in rows}


def ask(engine: Engine, sql: str) -> list[dict[str, Any]]:
    with engine.read() as connection:
        return connection.rows(sql)


def transitions(engine: Engine) -> list[tuple[str, str, str]]:
    rows = ask(engine, "SELECT segment, from_state, to_state FROM puppylog.alert_history ORDER BY id")
    return [(row["segment"], row["from_state"], row["to_state"]) for row in rows]


def test_a_firing_segment_without_observations_is_deleted_with_a_last_transition(engine: Engine) -> None:
    store_line(engine, 1, 0.5)
    store_line(engine, 2, 0.5)
    store_line(engine, 2, 25.5)
    make_alert(engine, Comparison.BELOW, NoData.ZERO)
    assert judge(engine, 25) == {"1": "firing", "2": "firing"}
    assert judge(engine, 26) == {"2": "ok"}
    assert sorted(transitions(engine)) == [
        ("1", "firing", "no_data"),
        ("1", "ok", "firing"),
        ("2", "firing", "ok"),
        ("2", "ok", "firing"),
    ]
    store_line(engine, 1, 26.5)
    assert judge(engine, 27) == {"1": "ok", "2": "firing"}


def test_a_firing_segment_is_not_deleted_if_the_alert_keeps_it(engine: Engine) -> None:
    store_line(engine, 1, 0.5)
    make_alert(engine, Comparison.AT_LEAST, NoData.KEEP)
    assert judge(engine, 100) == {"1": "firing"}
    assert transitions(engine) == [("1", "ok", "firing")]


def test_an_alert_judges_a_limited_number_of_segments_and_counts_the_rest(engine: Engine) -> None:
    for stream in (3, 1, 2):
        store_line(engine, stream, 0.5)
    store_line(engine, 4, -0.5)
    make_alert(engine, Comparison.AT_LEAST, NoData.ZERO)
    now_us = int((NOON + timedelta(hours=1)).timestamp() * 1_000_000)
    engine.write(lambda connection: evaluate(connection, ["silent"], now_us, max_segments=2))
    assert ask(engine, "SELECT segment FROM puppylog.alert_states ORDER BY segment") == [
        {"segment": "1"},
        {"segment": "2"},
    ]
    assert ask(engine, "SELECT unjudged_segments FROM puppylog.alerts") == [{"unjudged_segments": 1}]
    assert judge(engine, 2) == {"1": "ok", "2": "ok"}


@pytest.mark.parametrize("hours", [1, 3])
def test_each_of_several_alerts_judges_no_more_segments_than_the_limit(engine: Engine, hours: int) -> None:
    for stream in (5, 3, 1, 4, 2):
        store_line(engine, stream, 0.5)
    names = ("first", "second")
    for name in names:
        make_alert(engine, Comparison.AT_LEAST, NoData.ZERO, name)
    for last in (hours, hours + 1):  # the limit holds for new segments, and when the alert has all that it may have
        now_us = int((NOON + timedelta(hours=last)).timestamp() * 1_000_000)
        store_line(engine, 0, last - 0.5)
        while engine.write(partial(evaluate, names=names, now_us=now_us, max_segments=2)):
            pass
        assert ask(
            engine,
            "SELECT name, list(segment ORDER BY segment) AS judged FROM puppylog.alert_states "
            "JOIN puppylog.alerts ON alerts.id = alert_id GROUP BY name ORDER BY name",
        ) == [{"name": name, "judged": ["0", "1"] if hours == 1 else ["1", "2"]} for name in names]


def test_missed_evaluations_over_many_segments_are_done_one_in_a_call(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for stream, hours in ((1, 0.5), (2, 0.5), (1, 2.5)):
        store_line(engine, stream, hours)
    make_alert(engine, Comparison.AT_LEAST, NoData.ZERO)
    assert judge(engine, 1) == {"1": "firing", "2": "firing"}
    monkeypatch.setattr(evaluate_module, "_MANY_SEGMENTS", 1)
    now_us = int((NOON + timedelta(hours=4)).timestamp() * 1_000_000)
    more = [engine.write(partial(evaluate, names=["silent"], now_us=now_us)) for _ in range(3)]
    assert more == [True, True, False]
    assert transitions(engine) == [
        ("1", "ok", "firing"),
        ("2", "ok", "firing"),
        ("1", "firing", "ok"),
        ("2", "firing", "ok"),
        ("1", "ok", "firing"),
        ("1", "firing", "ok"),
    ]


def test_an_evaluation_writes_only_what_is_different(engine: Engine, tmp_path: Path) -> None:
    log = tmp_path / "database.wal"
    many = (
        "INSERT INTO puppylog.log_records (ts, stream_id, file_id, line_offset) "
        "SELECT $ts::TIMESTAMPTZ + to_hours(hour), stream, 1, 0 FROM range(4) h (hour), range(5000) s (stream) "
        "WHERE hour < 3 OR stream < 5"
    )
    engine.write(lambda connection: connection.run(many, {"ts": (NOON + timedelta(minutes=1)).isoformat()}))
    make_alert(engine, Comparison.BELOW, NoData.ZERO)
    grown = []
    for hours in (1, 2, 3, 4):
        before = log.stat().st_size
        states = judge(engine, hours)
        grown.append(log.stat().st_size - before)
    assert len(states) == 5000
    assert list(states.values()).count("ok") == 5
    rows = ask(engine, "SELECT DISTINCT evaluated_at, seen_at FROM puppylog.alert_states ORDER BY seen_at")
    last = NOON + timedelta(hours=4)
    assert rows == [
        {"evaluated_at": last, "seen_at": last - timedelta(hours=1)},
        {"evaluated_at": last, "seen_at": last},
    ]
    new, same, still_same, other = grown
    assert same < new / 20
    assert still_same < new / 20
    assert other > new / 2


def test_an_evaluation_that_fails_leaves_the_states_as_of_the_last_one_that_did_not(engine: Engine) -> None:
    store_line(engine, 1, 0.5)
    make_alert(engine, Comparison.AT_LEAST, NoData.ZERO)
    judge(engine, 1)
    failed_us = int((NOON + timedelta(hours=2)).timestamp() * 1_000_000)
    engine.write(lambda connection: note_error(connection, "silent", "a test", failed_us))
    instants = "SELECT segment, evaluated_at, seen_at FROM puppylog.alert_states"
    judged = NOON + timedelta(hours=1)
    assert ask(engine, instants) == [{"segment": "1", "evaluated_at": judged, "seen_at": judged}]
    judge(engine, 3)
    assert ask(engine, instants) == [{"segment": "1", "evaluated_at": NOON + timedelta(hours=3), "seen_at": judged}]
