"""An alert that rings as soon as it is judged, and one that does not."""

import json

import pytest

from support.embedded import EmbeddedStore, wait_until
from support.inprocess import InProcess


@pytest.fixture(autouse=True)
def _judged(cli: InProcess, server: EmbeddedStore) -> None:
    cli("monitor", "metrics", "create", "-id", "hits", "-pr", "1s")
    rule = ("-m", "hits", "--window", "10s", "-pr", "1s", "--delay", "0")
    cli("monitor", "alerts", "create", "-id", "loud", "--when", ">= 0", *rule)
    cli("monitor", "alerts", "create", "-id", "still", "--when", "> 1e9", *rule)
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
    assert cli("monitor", "alerts", "-q").out.splitlines()[0].split() == [
        "name",
        "segment",
        "state",
        "since",
        "value",
        "rule",
    ]


def test_history_has_a_row_per_change(cli: InProcess) -> None:
    [signal] = json.loads(cli("monitor", "alerts", "get", "loud", "-o", "json").out)
    assert (signal["from_state"], signal["to_state"], signal["value"], signal["level"]) == ("ok", "firing", 0.0, 0.0)
    quiet = cli("monitor", "alerts", "get", "still", "-o", "jsonl")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "puppylog: alert still has not signalled anything\n")


def test_meta_has_the_definition_and_the_states(cli: InProcess) -> None:
    [meta] = json.loads(cli("monitor", "alerts", "meta", "loud", "-o", "json").out)
    assert (meta["metric"], meta["window_s"], meta["comparison"]) == ("hits", 10, ">=")
    assert [(state["segment"], state["state"]) for state in meta["states"]] == [(None, "firing")]


def test_a_check_says_no_when_an_alert_rings(cli: InProcess) -> None:
    said = cli("monitor", "alerts", "check", "-o", "csv")
    assert said.code == 1
    assert [line.split(",")[0] for line in said.out.splitlines()] == ["name", "loud"]


def test_a_check_of_an_alert_that_is_still_is_good(cli: InProcess) -> None:
    said = cli("monitor", "alerts", "check", "still")
    assert (said.code, said.out, said.err) == (0, "", "puppylog: all good\n")


@pytest.mark.parametrize("command", ["get", "meta", "check"])
def test_an_unknown_alert_is_wrong_usage(cli: InProcess, command: str) -> None:
    said = cli("monitor", "alerts", command, "nope")
    assert (said.code, said.out) == (2, "")
    assert "cannot find alert 'nope'" in said.err


def test_a_check_that_nobody_evaluates_says_no(cli: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("puppylog.cli.alerts.find_heartbeat", lambda _outlet: None)
    monkeypatch.setattr("puppylog.cli.alerts._HEARTBEAT_WAIT_S", 0.0)
    said = cli("monitor", "alerts", "check", "still")
    assert (said.code, said.err) == (1, "puppylog: nobody has evaluated the alerts yet\n")
