"""Commands on two alerts: ``loud`` always fires, ``still`` never does."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from puppylog.cli import alerts as module
from puppylog.model.alert import State
from puppylog.monitor.alerts import AlertSnapshot, Heartbeat, read_alerts
from puppylog.monitor.clock import ClockStep
from puppylog.stores.base import RecordReader
from support.embedded import EmbeddedStore, wait_until
from support.inprocess import InProcess

LOUD = ("--contact", "ops", "--severity", "critical", "--summary", "It is loud.")


@pytest.fixture(autouse=True)
def _judged(cli: InProcess, server: EmbeddedStore) -> None:
    cli("monitor", "metrics", "create", "-i", "hits", "--period", "1s")
    rule = ("-m", "hits", "--window", "10s", "--period", "1s", "--delay", "0")
    cli("monitor", "alerts", "create", "-i", "loud", "--when", ">= 0", *rule, *LOUD)
    cli("monitor", "alerts", "create", "-i", "still", "--when", "> 1e9", *rule)
    store = server.connect()
    wait_until(
        lambda: store.query("SELECT count(*) AS n FROM puppylog.alert_states")["n"].to_pylist() == [2], what="judging"
    )


def test_alerts_are_listed_with_their_states(cli: InProcess) -> None:
    listed = json.loads(cli("monitor", "alerts", "list", "-o", "json").out)
    assert [(row["name"], row["segment"], row["state"], row["value"]) for row in listed] == [
        ("loud", None, "firing", 0.0),
        ("still", None, "ok", 0.0),
    ]
    assert listed[0]["rule"] == "avg of hits over 10s at least 0"
    told = [(row["severity"], row["contacts"], row["summary"]) for row in listed]
    assert told == [("critical", ["ops"], "It is loud."), ("warning", None, None)]
    assert cli("monitor", "alerts", "-q").out.splitlines()[0].split() == [
        "name",
        "segment",
        "state",
        "since",
        "value",
        "rule",
        "severity",
        "contacts",
        "summary",
        *("seen", "by", "silence", "silent", "until"),
    ]
    assert (listed[0]["acknowledged_by"], listed[0]["silence"], listed[0]["silenced_until"]) == (None, None, None)


def test_people_read_no_data_where_programs_get_the_stored_word(
    cli: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(reader: RecordReader, **_: Any) -> AlertSnapshot:
        snapshot = read_alerts(reader)
        return replace(snapshot, states=tuple(replace(state, state=State.NO_DATA) for state in snapshot.states))

    monkeypatch.setattr(module, "read_alerts", read)
    table = cli("monitor", "alerts", "list").out.splitlines()
    assert [" no data " in line for line in table] == [False, True, True]
    assert {row["state"] for row in json.loads(cli("monitor", "alerts", "list", "-o", "json").out)} == {"no_data"}


def test_the_history_has_a_row_per_transition(cli: InProcess) -> None:
    [transition] = json.loads(cli("monitor", "alerts", "get", "loud", "-o", "json").out)
    assert (transition["from_state"], transition["to_state"], transition["value"], transition["level"]) == (
        "ok",
        "firing",
        0.0,
        0.0,
    )
    none = cli("monitor", "alerts", "get", "loud", "-l", "0")
    assert none.err == "puppylog: the newest 0 of 1 transitions; -l shows more\n"
    before = cli("monitor", "alerts", "get", "loud", "--to", "2015-01-01")
    assert before.err == "puppylog: alert loud has not changed its state in this time\n"
    quiet = cli("monitor", "alerts", "get", "still", "-o", "jsonl")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "puppylog: alert still has never changed its state\n")


def test_meta_has_the_definition_and_the_states(cli: InProcess) -> None:
    [meta] = json.loads(cli("monitor", "alerts", "meta", "loud", "-o", "json").out)
    assert (meta["metric"], meta["window_s"], meta["comparison"]) == ("hits", 10, ">=")
    assert [(state["segment"], state["state"]) for state in meta["states"]] == [(None, "firing")]


def test_check_exits_with_1_if_an_alert_fires(cli: InProcess) -> None:
    result = cli("monitor", "alerts", "check", "-o", "csv")
    assert result.code == 1
    assert [line.split(",")[0] for line in result.out.splitlines()] == ["name", "loud"]


def test_check_exits_with_0_if_no_alert_fires(cli: InProcess) -> None:
    result = cli("monitor", "alerts", "check", "still")
    assert (result.code, result.out, result.err) == (0, "", "puppylog: no alert fires\n")


@pytest.mark.parametrize("command", ["get", "meta", "check"])
def test_an_unknown_alert_is_a_usage_error(cli: InProcess, command: str) -> None:
    result = cli("monitor", "alerts", command, "nope")
    assert (result.code, result.out) == (2, "")
    assert "cannot find alert 'nope'" in result.err


NOTHING = (
    "puppylog: nothing evaluates the alerts, and nothing ever has; "
    "run 'puppylog up', which keeps the engine that evaluates them; 'puppylog doctor' says more\n"
)
LONG_AGO = (
    "puppylog: nothing evaluates the alerts: engine last did so 1 h 0 min ago; "
    "run 'puppylog up', which keeps the engine that evaluates them; 'puppylog doctor' says more\n"
)


@pytest.mark.parametrize(
    ("heartbeat", "message"), [(None, NOTHING), (Heartbeat("engine", datetime.now(UTC), 3600.0, None), LONG_AGO)]
)
def test_check_and_list_exit_with_1_if_nothing_evaluates_the_alerts(
    cli: InProcess, monkeypatch: pytest.MonkeyPatch, heartbeat: Heartbeat | None, message: str
) -> None:
    monkeypatch.setattr("puppylog.cli.alerts.find_heartbeat", lambda _reader: heartbeat)
    monkeypatch.setattr("puppylog.cli.alerts._ENGINE_WAIT_S", 0.0)
    checked = cli("monitor", "alerts", "check", "still")
    assert (checked.code, checked.out, checked.err) == (1, "", message)
    listed = cli("monitor", "alerts", "list", "-o", "json")
    assert (listed.code, listed.err) == (1, message)
    assert [row["state"] for row in json.loads(listed.out)] == ["unknown", "unknown"]


def test_only_the_state_of_an_overdue_alert_is_unknown(cli: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_one_overdue(reader: RecordReader, **arguments: Any) -> AlertSnapshot:
        snapshot = read_alerts(reader, **arguments)
        states = [replace(s, evaluated_age_s=40.0 if s.alert.name == "still" else 0.0) for s in snapshot.states]
        return replace(snapshot, states=tuple(states))

    monkeypatch.setattr("puppylog.cli.alerts.read_alerts", read_one_overdue)
    monkeypatch.setattr("puppylog.cli.alerts._ENGINE_WAIT_S", 0.0)
    monkeypatch.setattr(
        "puppylog.cli.alerts.find_heartbeat", lambda _reader: Heartbeat("engine", datetime.now(UTC), 1.0, None)
    )
    listed = cli("monitor", "alerts", "list", "-o", "json")
    assert listed.code == 1
    assert [(row["name"], row["state"]) for row in json.loads(listed.out)] == [("loud", "firing"), ("still", "unknown")]
    assert listed.err == (
        "puppylog: alert still is not evaluated when it is due, last 40 s ago; 'puppylog doctor' says more\n"
    )


def test_a_check_of_no_alerts_says_that_there_are_none(cli: InProcess) -> None:
    result = cli("monitor", "alerts", "check", "--group", "shop")
    assert (result.code, result.out, result.err) == (0, "", "puppylog: there are no alerts to check\n")


def test_check_reports_a_clock_that_was_set_back_and_segments_that_are_not_judged(
    cli: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_some_segments(reader: RecordReader, **arguments: Any) -> AlertSnapshot:
        snapshot = read_alerts(reader, **arguments)
        return replace(snapshot, states=tuple(replace(state, unjudged_segments=7) for state in snapshot.states))

    monkeypatch.setattr("puppylog.cli.alerts.read_alerts", read_some_segments)
    monkeypatch.setattr("puppylog.cli.alerts.find_clock_step", lambda _reader: ClockStep(60.0, 7200.0, {"alerts": 2}))
    result = cli("monitor", "alerts", "check", "still")
    assert (result.code, result.out) == (0, "")
    assert result.err.splitlines() == [
        "puppylog: alert still: it judges 20,000 segments one by one, and 7 more are not judged",
        (
            "puppylog: the store's clock was set back by 2 h, noticed 1 min ago; "
            "moved from the future to then: 2 last evaluations of alerts"
        ),
        "puppylog: no alert fires",
    ]
