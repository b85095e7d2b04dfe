"""``monitor alerts test``: the store has 120 records, one a second from NOON on."""

import json
from datetime import timedelta

import pytest

from support.embedded import EmbeddedStore, wait_until
from support.inprocess import InProcess
from support.lines import NOON

LATER = NOON + timedelta(minutes=10)


@pytest.fixture(autouse=True)
def _alert(cli: InProcess, server: EmbeddedStore) -> None:
    cli("monitor", "metrics", "create", "-i", "hits", "--period", "10s")
    cli(
        "monitor", "alerts", "create", "-i", "busy", "-m", "hits", "--when", "> 5", "--window", "10s", "--period", "10s"
    )
    store = server.connect()
    wait_until(lambda: server.is_settled(store), what="the metric")


def test_a_trial_shows_when_the_alert_would_have_fired(cli: InProcess) -> None:
    run = cli.at(LATER)("monitor", "alerts", "test", "busy", "--since", "11m", "--tz", "UTC", "-o", "json")
    # The window that ends at NOON + 10 s is the first with records; it is judged a delay of 10 s later.
    assert json.loads(run.out) == [
        {
            "segment": None,
            "state": "firing",
            "since": "2026-03-01T12:00:20+00:00",
            "until": "2026-03-01T12:02:20+00:00",
            "duration_s": 120.0,
            "value": 10.0,
            "end_value": 0.0,
        }
    ]
    assert "avg of hits over 10s above 5: would have fired once, for 2 min 0 s, from 11:59 to 12:10" in run.err
    assert "before 12:00:00 the metric has no buckets and the store has no records" in run.err
    table = cli.at(LATER)("monitor", "alerts", "test", "busy", "--since", "11m", "--tz", "UTC").out.splitlines()
    assert table[0].split() == [
        "segment",
        "state",
        "since",
        "(UTC)",
        "until",
        "for",
        "value",
        "value",
        "at",
        "its",
        "end",
    ]
    assert " 2 min 0 s " in table[1]


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("options", "outcome"),
    [
        (["--threshold", "10"], "above 10: would not have fired"),
        (["--when", "< 5", "--no-data", "ok"], "below 5: would not have fired"),
        (["--for", "1m"], "for 1m: would have fired once, for 1 min 0 s"),
        (["--no-data", "no_data"], "would have fired once, for 2 min 0 s, and would have had no data 2 times, for "),
        (["--when", "< 1", "--from", "2026-03-01T12:05:00Z"], "it would still fire at the end of this time"),
    ],
)
def test_options_of_the_rule_are_tried_and_not_stored(cli: InProcess, options: list[str], outcome: str) -> None:
    since = [] if "--from" in options else ["--since", "10m"]
    assert outcome in cli.at(LATER)("monitor", "alerts", "test", "busy", *since, *options).err
    [stored] = json.loads(cli("monitor", "alerts", "meta", "busy", "-o", "json").out)
    assert stored["level"] == 5


def test_rows_that_are_left_out_are_counted(cli: InProcess) -> None:
    run = cli.at(LATER)("monitor", "alerts", "test", "busy", "--since", "10m", "-l", "0")
    assert "the newest 0 of 1 rows; -l shows more" in run.err


def test_a_bad_range_threshold_or_name_is_refused(cli: InProcess) -> None:
    assert cli("monitor", "alerts", "test", "nothing").code == 2
    assert cli("monitor", "alerts", "test", "busy", "--threshold", "1", "--when", "> 1").code == 2
    assert cli("monitor", "alerts", "test", "busy", "--threshold", "nan").code == 2
    assert cli("monitor", "alerts", "test", "busy", "--window", "7s").code == 2
