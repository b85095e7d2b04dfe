"""``alerts observe`` in a pipe and on a terminal, with a store in memory whose rows the test changes."""

import io
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import NoReturn

import pytest

from puppylog.cli import observe as module
from puppylog.errors import StoreUnavailable
from support.inprocess import InProcess
from support.memory import MemoryReader


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryReader]:
    """One alert that has been judged, and the store that ``observe`` connects to."""
    with MemoryReader() as memory:
        memory.insert("metrics", id=1, name="hits", statistic="count", property="*", period_s=10)
        rule = {"statistic": "avg", "comparison": ">", "level": 10.0, "window_s": 120, "period_s": 10}
        memory.insert("alerts", id=10, name="busy", metric_id=1, no_data="zero", **rule)
        memory.connection.execute("UPDATE puppylog.alerts SET evaluated_at = now()")
        memory.insert("segment_states", alert_id=10, state="ok", since="2026-03-01T12:00:00Z", value=3.0)
        memory.insert("heartbeat", evaluator="a test")
        memory.connection.execute("UPDATE puppylog.heartbeat SET beat_at = now()")
        monkeypatch.setattr(module, "connect", lambda _url: nullcontext(memory))
        yield memory


class _Clock:
    """A replacement for time.sleep: each call does the next step, and the call after the last step interrupts."""

    def __init__(self, *acts: Callable[[], object]) -> None:
        self._acts = iter(acts)
        self._now = 0.0

    def sleep(self, seconds: float) -> None:
        self._now += seconds
        next(self._acts, _interrupt)()

    def monotonic(self) -> float:
        return self._now


def _interrupt() -> NoReturn:
    raise KeyboardInterrupt


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def replace(*acts: Callable[[], object]) -> None:
        monkeypatch.setattr(module, "time", _Clock(*acts))

    return replace


def change_state(reader: MemoryReader, number: int, from_state: str, to_state: str, value: float) -> Callable[[], None]:
    def insert() -> None:
        states = {"from_state": from_state, "to_state": to_state, "value": value, "comparison": ">", "level": 10.0}
        at = f"2026-03-01T12:0{number}:00Z"
        reader.insert("alert_history", id=number, alert_id=10, evaluated_at=at, **states)
        reader.connection.execute("UPDATE puppylog.segment_states SET state = ?", [to_state])

    return insert


def observe(cli: InProcess, *arguments: str) -> list[str]:
    ran = cli("monitor", "alerts", "observe", *arguments)
    assert ran.code == 130, ran
    return ran.out.splitlines()


def test_a_pipe_gets_the_states_first_and_then_a_line_per_transition(
    cli: InProcess, reader: MemoryReader, pass_time: Callable[..., None]
) -> None:
    ring, recover = change_state(reader, 1, "ok", "firing", 12.5), change_state(reader, 2, "firing", "ok", 0.0)
    pass_time(lambda: None, ring, lambda: None, recover)
    assert observe(cli) == [
        "2026-03-01T12:00:00+00:00 busy: All good, value 3 (above 10)",
        "2026-03-01T12:01:00+00:00 busy: Ringing a bell, value 12.5 (above 10)",
        "2026-03-01T12:02:00+00:00 busy: Recovered, value 0 (above 10)",
    ]


def test_all_transitions_between_two_reads_are_written(
    cli: InProcess, reader: MemoryReader, pass_time: Callable[..., None]
) -> None:
    ring, recover = change_state(reader, 1, "ok", "firing", 12.5), change_state(reader, 2, "firing", "ok", 0.0)
    pass_time(lambda: (ring(), recover()))
    assert [line.split()[2] for line in observe(cli)] == ["All", "Ringing", "Recovered,"]


def test_json_lines_are_written_on_request(
    cli: InProcess, reader: MemoryReader, pass_time: Callable[..., None]
) -> None:
    pass_time(change_state(reader, 1, "ok", "firing", 12.5))
    first, second = (json.loads(line) for line in observe(cli, "-o", "jsonl", "--tz", "Europe/Berlin"))
    assert (first["alert"], first["from_state"], first["to_state"]) == ("busy", None, "ok")
    assert second == {
        "at": "2026-03-01T13:01:00+01:00",
        "alert": "busy",
        "segment": None,
        "from_state": "ok",
        "to_state": "firing",
        "value": 12.5,
        "comparison": ">",
        "level": 10.0,
        "error": None,
    }


def test_an_alert_that_is_new_or_cannot_be_judged_is_written(
    cli: InProcess, reader: MemoryReader, pass_time: Callable[..., None]
) -> None:
    rule = {"statistic": "avg", "comparison": ">", "level": 1.0, "window_s": 120, "period_s": 10, "no_data": "ok"}
    pass_time(
        lambda: reader.insert("alerts", id=11, name="new", metric_id=1, **rule),
        lambda: reader.connection.execute("UPDATE puppylog.alerts SET error = 'cannot \x1b' WHERE name = 'new'"),
        lambda: None,
    )
    assert observe(cli)[1:] == [
        "2000-01-01T00:00:00+00:00 new: Not judged yet, value - (above 1)",
        r"2000-01-01T00:00:00+00:00 new: Cannot be judged, value - (above 1), cannot \x1b",
    ]


def test_an_unavailable_store_is_reported_once_and_read_again(
    cli: InProcess, reader: MemoryReader, pass_time: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    query = reader.query

    def refuse(*_: object) -> NoReturn:
        raise StoreUnavailable("reach", "the store")

    pass_time(
        *[lambda: None] * 3,
        lambda: monkeypatch.setattr(reader, "query", refuse),
        *[lambda: None] * 3,
        lambda: monkeypatch.setattr(reader, "query", query),
        change_state(reader, 1, "ok", "firing", 12.5),
    )
    ran = cli("monitor", "alerts", "observe")
    assert len(ran.out.splitlines()) == 2
    assert ran.err.splitlines()[:2] == ["puppylog: cannot reach the store", "puppylog: the alerts are evaluated again"]


def test_a_missing_evaluator_is_reported_after_a_while(
    cli: InProcess, reader: MemoryReader, pass_time: Callable[..., None]
) -> None:
    reader.connection.execute("UPDATE puppylog.heartbeat SET beat_at = now() - INTERVAL '90 seconds'")
    pass_time(*[lambda: None] * 2)
    assert cli("monitor", "alerts", "observe").err.strip() == ""
    pass_time(*[lambda: None] * 6)
    reported = cli("monitor", "alerts", "observe").err
    assert len(re.findall(r"nothing evaluates the alerts: a test last did so 1 min \d+ s ago", reported)) == 1


def test_without_alerts_there_is_a_hint(cli: InProcess, reader: MemoryReader, pass_time: Callable[..., None]) -> None:
    reader.connection.execute("DELETE FROM puppylog.alerts")
    pass_time()
    ran = cli("monitor", "alerts", "observe")
    assert (ran.out, ran.err.splitlines()[0]) == (
        "",
        "puppylog: no alerts yet; a good start is: puppylog monitor metrics create --default",
    )


def test_a_terminal_gets_a_table_that_is_redrawn(
    cli: InProcess, reader: MemoryReader, pass_time: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setattr("shutil.get_terminal_size", lambda *_: os.terminal_size((100, 24)))
    pass_time(change_state(reader, 1, "ok", "firing", 12.5))
    cli("monitor", "alerts", "observe", "--color", "always")
    first, second = terminal.getvalue().split("\x1b[J")[:2]
    assert "\x1b[32mbusy   All good" in first
    assert second.startswith("\r\x1b[4A")
    assert "\x1b[31mbusy   Ringing a bell" in second


def test_a_terminal_that_is_too_low_shows_the_most_urgent_alerts_and_counts_the_others(
    cli: InProcess, reader: MemoryReader, pass_time: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = {"statistic": "avg", "comparison": ">", "level": 1.0, "window_s": 120, "period_s": 10, "no_data": "ok"}
    for number in range(30):
        reader.insert("alerts", id=20 + number, name=f"a{number:02}", metric_id=1, **rule)
        reader.insert("segment_states", alert_id=20 + number, state="firing" if number == 29 else "ok", value=3.0)
    reader.connection.execute("UPDATE puppylog.alerts SET evaluated_at = now()")
    reader.connection.execute("UPDATE puppylog.heartbeat SET beat_at = now() - INTERVAL '90 seconds'")
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setattr("shutil.get_terminal_size", lambda *_: os.terminal_size((80, 12)))
    pass_time(*[lambda: None] * 4)
    cli("monitor", "alerts", "observe", "--color", "never")
    last = [line.removesuffix("\x1b[K") for line in terminal.getvalue().split("\x1b[J")[-2].strip().split("\n")]
    assert len(last) == 11
    assert re.match(r"nothing evaluates the alerts: a test last did so 1 min \d+ s ago; run ", last[1])
    assert last[5].startswith("a29    Ringing a bell")
    assert last[-1] == "and 26 more lines, which do not fit the terminal"


@pytest.mark.parametrize("rate", ["0", "often"])
def test_a_wrong_refresh_rate_is_refused(cli: InProcess, rate: str) -> None:
    assert cli("monitor", "alerts", "observe", "--refresh-rate", rate).code == 2
