"""Evidence in the engine: its search is limited in time, reads little, and never stops an evaluation."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from puppylog.errors import PuppylogError, QueryError
from puppylog.model.alert import Alert, Comparison, NoData, define_alert
from puppylog.model.metric import Metric
from puppylog.stores.duckdb.engine import evidence, outbox
from puppylog.stores.duckdb.engine.clock import rebase
from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.duckdb.engine.database import Engine
from puppylog.stores.duckdb.engine.definitions import DEFINITIONS
from puppylog.stores.duckdb.engine.evaluate import evaluate
from support.schema_template import copy_schema

pytestmark = pytest.mark.sampled

DAY_S = 86_400
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOON_US = int(NOON.timestamp()) * 1_000_000
METRIC = Metric("lines", "count", "*", 60, segment="request_route", filter="status_code >= 500")
ALERT: Alert = define_alert(
    "many",
    METRIC,
    comparison=Comparison.ABOVE,
    threshold=1,
    window_s=DAY_S,
    statistic="sum",
    period_s=60,
    delay_s=0,
    each_segment=True,
    no_data=NoData.ZERO,
    contacts=["ops"],
)
RECORDS = """
INSERT INTO puppylog.log_records BY NAME
SELECT TIMESTAMPTZ '2026-03-01T12:00:00Z' - to_seconds(i * 86400.0 / {records}) AS ts, 1 AS stream_id, 1 AS file_id,
       100 * i AS line_offset, '/' || CASE WHEN i < 12 THEN 'new' ELSE 'old' END AS request_route,
       CASE WHEN i < 12 OR i > {records} - 5 THEN 500 ELSE 200 END AS status_code, 'line ' || i AS message
FROM range(1, {records} + 1) AS lines (i)
ORDER BY ts
"""


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """A database whose searches for evidence may take long, so that a busy machine finds as much as another.

    There a query takes longer than that of a large slice of time may take. Slices would get smaller and smaller, and a
    search of a day would not end within any limit.
    """
    monkeypatch.setattr(evidence, "_SHORT_S", 60.0)
    monkeypatch.setattr(evidence, "MAX_S", 60.0)
    monkeypatch.setattr(evidence.Allowance, "_MAX_S", 60.0)
    with Engine(copy_schema(tmp_path / "database")) as engine:
        engine.write(lambda connection: DEFINITIONS.create_metric(connection, METRIC))
        yield engine


def fire(
    engine: Engine, records: int = 1000, alert: Alert = ALERT, allowance: evidence.Allowance | None = None
) -> None:
    """Store records of the day before NOON, and evaluate the alert at NOON."""

    def store(connection: Connection) -> None:
        connection.run(RECORDS.format(records=records))
        DEFINITIONS.create_alert(connection, alert)
        connection.run("UPDATE puppylog.alerts SET evaluated_at = make_timestamptz($at)", {"at": NOON_US - 60_000_000})

    engine.write(store)
    engine.write(lambda connection: evaluate(connection, [alert.name], NOON_US, allowance=allowance))


def ask(engine: Engine, sql: str) -> list[dict[str, Any]]:
    with engine.read() as connection:
        return connection.rows(sql)


def omitted(engine: Engine) -> dict[str, str | None]:
    rows = ask(engine, "SELECT segment, evidence_omitted FROM puppylog.alert_history WHERE to_state = 'firing'")
    return {row["segment"]: row["evidence_omitted"] for row in rows}


def messages(engine: Engine, segment: str) -> list[str]:
    rows = ask(
        engine,
        "SELECT record ->> 'message' AS message FROM puppylog.alert_evidence AS evidence "
        f"JOIN puppylog.alert_history AS history ON history.id = history_id WHERE segment = '{segment}' ORDER BY place",
    )
    return [row["message"] for row in rows]


def test_a_window_is_searched_from_its_end_to_its_beginning(engine: Engine) -> None:
    fire(engine)
    assert messages(engine, "/new") == [f"line {number}" for number in range(1, 11)]
    assert messages(engine, "/old") == [f"line {number}" for number in range(996, 1001)]
    assert omitted(engine) == {"/new": None, "/old": None}


@pytest.mark.parametrize("each_segment", [True, False])
def test_a_search_that_finds_enough_reads_only_the_end_of_the_window(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, each_segment: bool
) -> None:
    searched: list[tuple[int, int]] = []
    read_slice = evidence._read_slice

    def note(reading: Connection, sql: str, missing: Any, since_us: int, until_us: int) -> Any:
        searched.append((since_us, until_us))
        return read_slice(reading, sql, missing, since_us, until_us)

    monkeypatch.setattr(evidence, "_read_slice", note)
    fire(engine, records=8640, alert=replace(ALERT, each_segment=each_segment, threshold=5))  # a record each 10 s
    assert searched[0] == (NOON_US - 60_000_000, NOON_US)
    assert searched[-1][0] > NOON_US - 1800 * 1_000_000
    assert len(ask(engine, "SELECT * FROM puppylog.alert_evidence")) == 10


def test_a_search_is_interrupted_when_its_time_is_over(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_slowly(reading: Connection, sql: str, missing: Any, since_us: int, until_us: int) -> Any:
        del sql, missing, since_us, until_us
        return reading.rows(
            "SELECT count(*) AS n FROM range(10000000) AS a, range(10000000) AS b WHERE (a.range ^ b.range) = 1"
        )

    monkeypatch.setattr(evidence, "MAX_S", 0.1)
    monkeypatch.setattr(evidence, "_read_slice", read_slowly)
    started = time.monotonic()
    fire(engine)
    assert time.monotonic() - started < 30
    reason = "records before 2026-03-01T12:00:00Z were not searched, to save time"
    assert omitted(engine) == {"/new": reason, "/old": reason}
    kinds = ask(engine, "SELECT segment, kind FROM puppylog.notifications ORDER BY segment")
    assert kinds == [{"segment": "/new", "kind": "firing"}, {"segment": "/old", "kind": "firing"}]


@pytest.mark.parametrize("error", [QueryError("run", "this SQL", "it is broken"), PuppylogError("search", "")])
def test_a_search_that_fails_does_not_stop_the_evaluation(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, error: PuppylogError
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(evidence, "_read_slice", fail)
    fire(engine)
    assert set(omitted(engine).values()) == {f"the search failed: {error.cause or error.message}"}
    assert len(ask(engine, "SELECT * FROM puppylog.notifications")) == 2
    assert ask(engine, "SELECT error FROM puppylog.alerts") == [{"error": None}]


def test_an_evaluation_that_fails_adds_nothing(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise QueryError("run", "this SQL", "it is broken")

    monkeypatch.setattr(outbox, "list_new_rows", fail)
    with pytest.raises(QueryError):
        fire(engine)
    for table in ("alert_history", "alert_evidence", "notifications", "alert_states"):
        assert ask(engine, f"SELECT * FROM puppylog.{table}") == []


def test_what_is_old_is_deleted_but_not_a_problem_that_a_resolved_row_must_follow(engine: Engine) -> None:
    fire(engine, alert=replace(ALERT, keep_firing_for_s=DAY_S))
    evidence_rows = "SELECT count(*) FROM puppylog.alert_evidence"
    count = f"SELECT ({evidence_rows}) AS evidence, count(*) AS told FROM puppylog.notifications"
    now_us = int(time.time() * 1_000_000)
    engine.write(lambda connection: outbox.clear(connection, now_us + 89 * DAY_S * 1_000_000))
    assert ask(engine, count) == [{"evidence": 15, "told": 2}]
    engine.write(lambda connection: outbox.clear(connection, now_us + 91 * DAY_S * 1_000_000))
    assert ask(engine, count) == [{"evidence": 0, "told": 2}]
    engine.write(lambda connection: DEFINITIONS.delete_alert(connection, "many"))
    assert ask(engine, count) == [{"evidence": 0, "told": 4}]
    engine.write(lambda connection: outbox.clear(connection, now_us + 91 * DAY_S * 1_000_000))
    assert ask(engine, count) == [{"evidence": 0, "told": 0}]


def test_a_notification_waits_as_long_as_before_after_the_clock_was_set_back(engine: Engine) -> None:
    fire(engine)
    hour_ago_us = int(time.time() * 1_000_000) - 3600 * 1_000_000
    engine.write(lambda connection: rebase(connection, hour_ago_us))
    [row] = ask(
        engine,
        "SELECT DISTINCT epoch_us(created_at) AS created_us, epoch(due_at - created_at) AS wait_s "
        "FROM puppylog.notifications",
    )
    assert (row["created_us"], row["wait_s"]) == (hour_ago_us, 30)
    [step] = ask(engine, "SELECT back_s FROM puppylog.clock_steps WHERE part = 'notifications'")
    assert timedelta(hours=0.9) < timedelta(seconds=step["back_s"]) <= timedelta(hours=1.1)


def test_searches_take_a_small_share_of_the_time(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(evidence, "time", SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr(evidence.Allowance, "_MAX_S", 5.0)
    allowance = evidence.Allowance()
    assert allowance.left_s() == 5
    allowance.spend(6)
    now += 10
    assert allowance.left_s() == pytest.approx(-0.5)
    now += 11
    assert allowance.left_s() == pytest.approx(0.05)
    now += 1000
    assert allowance.left_s() == 5
    allowance.spend(9)
    fire(engine, allowance=allowance)
    reason = "no record was searched: many transitions came before, in a short time"
    assert omitted(engine) == {"/new": reason, "/old": reason}


def test_alerts_that_fire_at_once_share_the_transitions_that_get_samples(engine: Engine) -> None:
    insert = (
        "INSERT INTO puppylog.log_records BY NAME "
        "SELECT TIMESTAMPTZ '2026-03-01T11:59:30Z' AS ts, 1 AS stream_id, 1 AS file_id, i AS line_offset, "
        "'/' || i % 60 AS request_route, 500 AS status_code FROM range(120) AS lines (i)"
    )

    def prepare(connection: Connection) -> None:
        connection.run(insert)
        for name in ("first", "second"):
            DEFINITIONS.create_alert(connection, replace(ALERT, name=name, threshold=1.5))
        connection.run("UPDATE puppylog.alerts SET evaluated_at = make_timestamptz($at)", {"at": NOON_US - 60_000_000})

    engine.write(prepare)
    engine.write(lambda connection: evaluate(connection, ["first", "second"], NOON_US))
    found = ask(
        engine,
        "SELECT name, count(DISTINCT history_id) AS with_samples, count(DISTINCT history.evidence_omitted) AS reasons "
        "FROM puppylog.alert_history AS history JOIN puppylog.alerts AS alerts ON alerts.id = alert_id "
        "LEFT JOIN puppylog.alert_evidence AS evidence ON evidence.history_id = history.id GROUP BY name ORDER BY name",
    )
    assert found == [{"name": name, "with_samples": 50, "reasons": 1} for name in ("first", "second")]


def search_slowly(
    monkeypatch: pytest.MonkeyPatch, took: Callable[[int], float], window_s: int
) -> tuple[str | None, int]:
    """Search a window of which a slice takes ``took(its length in s)`` seconds; return the reason and the slices."""
    now = 0.0
    slices: list[int] = []

    def read_slice(_reading: object, _sql: object, _missing: object, since_us: int, until_us: int) -> list[object]:
        nonlocal now
        slices.append((until_us - since_us) // 1_000_000)
        now += took(slices[-1])
        return []

    monkeypatch.setattr(evidence, "time", SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr(evidence, "_read_slice", read_slice)
    search = evidence._Search(1, False, NOON_US - window_s * 1_000_000, NOON_US)
    reason = evidence._search_window(None, search, "", {None: []}, evidence.MAX_S)  # type: ignore[arg-type]  # not read
    return reason, len(slices)


@pytest.mark.parametrize("query_s", [0.015, 0.04, 0.05, 0.09])
def test_slices_grow_if_each_query_takes_long_whatever_its_length(
    monkeypatch: pytest.MonkeyPatch, query_s: float
) -> None:
    reason, _ = search_slowly(monkeypatch, lambda _: query_s, 40 * 60)
    assert reason is None


def test_slices_that_shrank_on_a_busy_machine_grow_again(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = iter([0.2, 0.1])
    reason, _ = search_slowly(monkeypatch, lambda _: next(busy, 0.03), 10 * 60)
    assert reason is None


def test_slices_stay_short_if_their_length_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    reason, slices = search_slowly(monkeypatch, lambda length_s: length_s / 60 * 0.1, 40 * 60)
    assert reason is not None
    assert reason.startswith("records before 2026-03-01T11:5")
    assert slices > 5
