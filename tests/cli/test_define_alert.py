import json

import pytest

from puppylog.cli.define_alert import parse_when
from puppylog.errors import UsageError
from puppylog.model.alert import Comparison
from support.inprocess import InProcess

CREATE = ("monitor", "alerts", "create")


@pytest.fixture(autouse=True)
def _metric(cli: InProcess) -> None:
    cli("monitor", "metrics", "create", "-i", "hits", "--period", "10s")


@pytest.mark.parametrize(
    ("text", "comparison", "threshold"),
    [
        ("> 10", Comparison.ABOVE, 10.0),
        (" >=0.5 ", Comparison.AT_LEAST, 0.5),
        ("<-1", Comparison.BELOW, -1.0),
        ("<= 1e6", Comparison.AT_MOST, 1e6),
        ("gt 3", Comparison.ABOVE, 3.0),
        ("LE 3", Comparison.AT_MOST, 3.0),
    ],
)
def test_a_comparison_and_a_threshold_are_read(text: str, comparison: Comparison, threshold: float) -> None:
    assert parse_when(text) == (comparison, threshold)


@pytest.mark.parametrize("text", ["", "10", ">", "> ten", "= 10", "> nan", "> inf", "> 10 11", "gt10", "\x1b> 10"])
def test_a_wrong_comparison_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="cannot read --when"):
        parse_when(text)


def test_an_alert_is_defined_by_its_flags(cli: InProcess) -> None:
    made = cli(
        *(*CREATE, "-i", "busy", "-m", "hits", "-s", "max", "--when", ">= 10", "--window", "1m", "--period", "30s"),
        *("--for", "1m", "--keep-firing-for", "2m", "--delay", "5s", "--no-data", "keep"),
    )
    assert (made.code, made.out, made.err) == (0, "", "puppylog: created alert busy\n")
    [meta] = json.loads(cli("monitor", "alerts", "meta", "busy", "-o", "json").out)
    wanted = {
        "metric": "hits",
        "statistic": "max",
        "comparison": ">=",
        "level": 10.0,
        "window_s": 60,
        "period_s": 30,
        "for_s": 60,
        "keep_firing_for_s": 120,
        "delay_s": 5,
        "each_segment": False,
        "no_data": "keep",
    }
    assert meta.items() >= wanted.items()


def test_creating_the_same_alert_twice_is_no_error_but_another_of_its_name_is(cli: InProcess) -> None:
    cli(*CREATE, "-i", "twice", "-m", "hits", "--when", "> 10")
    assert cli(*CREATE, "-i", "twice", "-m", "hits", "--when", "> 10").err == "puppylog: alert twice already exists\n"
    other = cli(*CREATE, "-i", "twice", "-m", "hits", "--when", "> 11")
    assert (other.code, other.err.count("\n")) == (2, 1)


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (["-i", "Loud"], "cannot name alert 'Loud'"),
        (["-m", "nope"], "cannot find metric 'nope'"),
        (["--window", "25s"], "not a multiple of the period"),
        (["--window", "0"], "cannot use window '0'"),
        (["--for", "-1"], "cannot read --for"),
        (["--each-segment"], "has no segments"),
        (["-s", "p99"], "'p99'"),
        (["--no-data", "panic"], "'panic'"),
    ],
)
def test_a_wrong_definition_of_an_alert_is_refused(cli: InProcess, arguments: list[str], cause: str) -> None:
    complete = ["-i", "loud", "-m", "hits", "--when", "> 10", *arguments]
    made = cli(*CREATE, *complete)
    assert made.code == 2
    assert cause in made.err
    assert made.err.count("\n") == 1


def test_after_an_alert_is_deleted_its_metric_can_be_deleted(cli: InProcess) -> None:
    cli("monitor", "metrics", "create", "-i", "brief", "--period", "10s")
    cli(*CREATE, "-i", "short", "-m", "brief", "--when", "> 10")
    kept = cli("monitor", "metrics", "delete", "brief")
    assert (kept.code, "short" in kept.err) == (2, True)
    assert cli("monitor", "alerts", "delete", "short").err == "puppylog: deleted alert short\n"
    assert cli("monitor", "alerts", "delete", "short").code == 2
    assert cli("monitor", "metrics", "delete", "brief").code == 0


def test_an_alert_is_updated_in_the_parts_that_are_given(cli: InProcess) -> None:
    cli(*CREATE, "-i", "raised", "-m", "hits", "--when", "> 10", "--window", "1m", "--for", "20s")
    made = cli("monitor", "alerts", "update", "raised", "--when", "ge 25", "--for", "0")
    assert made.err == "puppylog: updated alert raised\n"
    [meta] = json.loads(cli("monitor", "alerts", "meta", "raised", "-o", "json").out)
    assert (meta["comparison"], meta["level"], meta["window_s"], meta["for_s"]) == (">=", 25, 60, 0)
    again = cli("monitor", "alerts", "update", "raised", "--when", ">= 25")
    assert "is unchanged" in again.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nope", "--for", "1m"), "cannot find alert 'nope'"),
        (("firm",), "cannot update alert 'firm': nothing to change was given"),
        (("firm", "--window", "15s"), "its window of 15s is not a multiple of the period of metric 'hits', 10s"),
    ],
)
def test_a_wrong_update_is_refused(cli: InProcess, arguments: tuple[str, ...], message: str) -> None:
    cli(*CREATE, "-i", "firm", "-m", "hits", "--when", "> 10")
    failed = cli("monitor", "alerts", "update", *arguments)
    assert failed.code == 2
    assert message in failed.err


def test_the_flags_of_an_alert_say_who_is_told_and_how(cli: InProcess) -> None:
    telling = (
        "--contact",
        "ops",
        "--contact",
        "on-call",
        "--group-wait",
        "1m",
        "--repeat",
        "4h",
        "--severity",
        "error",
    )
    cli(*CREATE, "-i", "told", "-m", "hits", "--when", "> 10", *telling, "--summary", "too many hits")
    meta = ("monitor", "alerts", "meta", "told", "-o", "json")
    [made] = json.loads(cli(*meta).out)
    wanted = {"contacts": ["ops", "on-call"], "group_wait_s": 60, "repeat_s": 14400, "severity": "error"}
    assert made.items() >= {**wanted, "summary": "too many hits"}.items()

    assert cli("monitor", "alerts", "update", "told", "--severity", "critical").code == 0
    [changed] = json.loads(cli(*meta).out)
    assert changed.items() >= {**wanted, "severity": "critical"}.items()
    assert changed["created_at"] == made["created_at"]

    assert cli("monitor", "alerts", "update", "told", "--no-contacts", "--contact", "ops").code == 2
    assert cli("monitor", "alerts", "update", "told", "--no-contacts").code == 0
    assert json.loads(cli(*meta).out)[0]["contacts"] == []
    wrong = cli(*CREATE, "-i", "wrong", "-m", "hits", "--when", "> 10", "--contact", "on call")
    assert (wrong.code, "'on call' is not a valid contact name" in wrong.err) == (2, True)
