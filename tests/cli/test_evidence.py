"""``alerts get --evidence``: the sample records that were kept with the transitions to firing."""

import json
from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from puppylog.cli import alerts as module
from support.inprocess import InProcess
from support.memory import MemoryReader

GET = ("monitor", "alerts", "get", "busy", "--evidence")


@pytest.fixture(autouse=True)
def _store(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Three transitions: one without samples, one to ok, and one with two samples."""
    with MemoryReader() as memory:
        memory.insert("metrics", id=1, name="hits")
        memory.insert("alerts", id=2, name="busy", metric_id=1, comparison=">", no_data="zero")
        for number, (state, omitted) in enumerate([("firing", "it is late"), ("ok", None), ("firing", None)], 1):
            at = f"2026-03-01T12:0{number}:00Z"
            memory.insert(
                "alert_history", id=number, alert_id=2, evaluated_at=at, to_state=state, evidence_omitted=omitted
            )
        memory.insert("log_streams", id=7, source_uri="file:///var/log/shop.log")
        for place, record in enumerate([{"message": "no stock\x1b[1m", "severity": "error"}, {"status_code": 500}], 1):
            memory.insert(
                "alert_evidence",
                history_id=3,
                place=place,
                ts=f"2026-03-01T12:02:5{9 - place}Z",
                stream_id=7,
                line_offset=place,
                record=json.dumps(record),
            )
        monkeypatch.setattr(module, "connect", lambda _url: nullcontext(memory))
        yield


def test_evidence_is_written_as_lines_for_people(cli: InProcess) -> None:
    lines = cli(*GET).out.splitlines()
    assert len(lines) == 4
    assert "it is late" in lines[1]
    assert "error no stock" in lines[2]
    assert "/var/log/shop.log" in lines[2]
    assert "\x1b" not in "".join(lines)


def test_evidence_is_written_as_records_for_programs(cli: InProcess) -> None:
    rows = json.loads(cli(*GET, "-o", "json").out)
    assert [row["record"] for row in rows] == [
        None,
        {"message": "no stock\x1b[1m", "severity": "error"},
        {"status_code": 500},
    ]
    assert [row["omitted"] for row in rows] == ["it is late", None, None]


def test_evidence_of_the_newest_transitions_says_that_there_are_more(cli: InProcess) -> None:
    newest = cli(*GET, "-l", "1", "-o", "json")
    assert len(json.loads(newest.out)) == 2
    assert newest.err == "puppylog: the newest 1 of 3 transitions; -l shows more\n"
