"""The sequence of the demo: calm traffic, a rush with a rotation and a killed collector, calm again, a comparison."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from puppylog.cli.demo.screen import Screen
from puppylog.cli.demo.server import Server
from puppylog.cli.demo.stage import Stage
from puppylog.cli.demo.traffic import Traffic
from puppylog.model.alert import State
from puppylog.model.chart import resample, sparkline
from puppylog.monitor.alerts import Transition, list_transitions_after
from puppylog.monitor.metrics import get_metric, read_observations
from puppylog.monitor.range import Range
from puppylog.stores.base import Store
from puppylog.stores.connect import connect

# The default alert judges two minutes, so it still fires at the end of the demo. This alert has the same rule over ten
# seconds only, so it recovers during the demo.
RUSH: Final = "rush"
RUSH_DEFINITION: Final = ("-i", RUSH, "-m", "total_traffic", "--when", "> 10", "--window", "10s", "--period", "1s")
DEFAULT_ALERT: Final = "totaltraffic"
RATE: Final = "total_traffic"
BY_SECTION: Final = "total_traffic_per_route"

HISTORY_LINES: Final = 20_000
CALM_PER_S: Final = 4.0
RUSH_PER_S: Final = 320.0
GARBAGE_SHARE: Final = 0.01

_CALM_S: Final = 5.0
_RUSH_S: Final = 8.0  # at least; the rush continues until both alerts fire
# Each wait is over in a few seconds. After this time the demo continues, and the comparison shows what is missing.
_MAX_WAIT_S: Final = 20.0
_LOOK_S: Final = 0.5
_LOOKS_PER_LINE: Final = 6  # without a terminal
_SHOWN_S: Final = 32  # seconds in the sparkline, and characters: the status line fits in 80 columns

_STORED: Final = """
    SELECT (SELECT count(*) FROM puppylog.log_records) + (SELECT count(*) FROM puppylog.rejected_lines) AS lines
"""

_TOTALS: Final = """
    WITH lines AS (
        SELECT file_id, line_offset FROM log_records UNION ALL SELECT file_id, line_offset FROM rejected_lines
    )
    SELECT (SELECT count(*) FROM log_records) AS records,
           (SELECT count(*) FROM rejected_lines) AS rejects,
           (SELECT count(*) FROM (SELECT 1 FROM lines GROUP BY file_id, line_offset HAVING count(*) > 1)) AS twice,
           (SELECT count(DISTINCT file_id) FROM lines) AS files
"""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the comparison at the end."""

    what: str
    wanted: str
    found: str

    @property
    def agrees(self) -> bool:
        return self.wanted == self.found


class Story:
    """Runs the sequence of the demo once."""

    def __init__(self, stage: Stage, screen: Screen) -> None:
        self._stage = stage
        self._screen = screen
        self._traffic = Traffic(garbage_share=GARBAGE_SHARE)
        self._server = Server(stage.path / "access.log", self._traffic)
        self._started_at = time.monotonic()
        self._looks = 0

    def tell(self, *, keep: bool) -> list[Check]:
        """Run the sequence, and return the comparison. With ``keep``, the collector is left running."""
        collector = self._set_up()
        with self._server, connect(self._stage.url) as store:
            self._play(store, collector)
        with connect(self._stage.url) as store:
            self._wait_until(store, "end", lambda: _count_lines(store) >= self._server.lines)
            fired = {alert: _states_of(list_transitions_after(store, 0), alert) for alert in (RUSH, DEFAULT_ALERT)}
        self._screen.show("")
        if not keep:
            self._stage.end_all()
        # On a terminal the command draws one chart. In a pipe it writes rows, of which three are shown as an example.
        limit = () if self._screen.is_live else ("--limit", "3")
        self._stage.run("monitor", "metrics", "get", BY_SECTION, "--since", "1m", *limit)
        self._stage.run("monitor", "alerts", "get", RUSH)
        (totals,) = self._stage.read("sql", _TOTALS)
        return self._compare(totals, fired)

    def go_on(self) -> None:
        """Write a little traffic until interrupted."""
        with Server(self._server.log, self._traffic) as server:
            server.rate_per_s = CALM_PER_S
            while True:
                self._stage.wait(_LOOK_S)

    def _set_up(self) -> subprocess.Popen[str]:
        self._server.write_history(HISTORY_LINES)
        self._tell_time(f"a shop has written {HISTORY_LINES:,} lines of access log, some of them garbage")
        self._stage.run("monitor", "metrics", "create", "--default", "original")
        self._stage.run("monitor", "alerts", "create", *RUSH_DEFINITION)
        collector = self._start("collector", "-s", "access.log", "--watch")
        self._start("monitor", "alerts", "observe", "--refresh-rate", "1s")
        return collector

    def _start(self, *arguments: str) -> subprocess.Popen[str]:
        name = "observe" if "observe" in arguments else arguments[0]
        return self._stage.start(*arguments, on_line=lambda line: self._screen.say(f"    {name} | {line}", fg="cyan"))

    def _play(self, store: Store, collector: subprocess.Popen[str]) -> None:
        self._set_rate("a calm evening", CALM_PER_S)
        self._wait(store, "calm", _CALM_S)
        self._set_rate("a rush", RUSH_PER_S)
        rush_ends_at = time.monotonic() + _RUSH_S
        self._wait(store, "rush", _RUSH_S / 3)
        self._tell_time(f"the log is rotated: it is {self._server.rotate().name} now, and a new one is begun")
        self._wait(store, "rush", _RUSH_S / 3)
        self._tell_time("the collector is killed (SIGKILL), and started again")
        self._stage.kill(collector)
        self._start("collector", "-s", "access.log", "--watch")
        self._wait_until(
            store,
            "rush",
            lambda: (
                time.monotonic() > rush_ends_at
                and all(
                    "firing" in _states_of(list_transitions_after(store, 0), alert) for alert in (RUSH, DEFAULT_ALERT)
                )
            ),
        )
        self._set_rate("calm again", CALM_PER_S)
        self._wait_until(store, "calm", lambda: _states_of(list_transitions_after(store, 0), RUSH)[-1:] == ["ok"])

    def _set_rate(self, what: str, rate_per_s: float) -> None:
        self._server.rate_per_s = rate_per_s
        self._tell_time(f"{what}: {rate_per_s:.0f} lines a second")

    def _wait(self, store: Store, phase: str, seconds: float) -> None:
        end = time.monotonic() + seconds
        self._wait_until(store, phase, lambda: time.monotonic() > end)

    def _wait_until(self, store: Store, phase: str, is_over: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _MAX_WAIT_S
        while not is_over() and time.monotonic() < deadline:
            self._look(store, phase)
            self._stage.wait(_LOOK_S)

    def _look(self, store: Store, phase: str) -> None:
        """Show the metric's last seconds, as they are in the store now."""
        now = datetime.now(UTC)
        since = now.replace(microsecond=0) - timedelta(seconds=_SHOWN_S)
        metric = get_metric(store, RATE).metric
        rows = read_observations(store, metric, within=Range(since), buckets=_SHOWN_S).to_pylist()
        points = [(int((row["bucket"] - since).total_seconds()), row["value"]) for row in rows]
        chart = sparkline(resample(points, _SHOWN_S, _SHOWN_S, missing=0.0))
        last = dict(points).get(_SHOWN_S - 1, 0.0)
        status = f"{self._clock()}  {phase:<4} {RATE} {chart} {last:,.0f}/s, {_count_lines(store):,} stored"
        self._looks += 1
        if self._screen.is_live:
            self._screen.show(status)
        elif self._looks % _LOOKS_PER_LINE == 0:
            self._screen.say(status)

    def _compare(self, totals: dict[str, int], states: dict[str, list[str]]) -> list[Check]:
        server = self._server
        return [
            Check("lines of the log", f"{server.lines:,}", f"{totals['records'] + totals['rejects']:,}"),
            Check("  records", f"{server.lines - server.rejects:,}", f"{totals['records']:,}"),
            Check("  rejected lines", f"{server.rejects:,}", f"{totals['rejects']:,}"),
            Check("lines stored twice", "0", f"{totals['twice']:,}"),
            Check("files, one of them rotated away", "2", f"{totals['files']:,}"),
            Check(f"alert {RUSH}", "fired, recovered", _in_words(states[RUSH])),
            Check(f"alert {DEFAULT_ALERT}", "fired", _in_words(states[DEFAULT_ALERT])),
        ]

    def _tell_time(self, text: str) -> None:
        self._screen.say(f"{self._clock()}  {text}", bold=True)

    def _clock(self) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self._started_at), 60)
        return f"{minutes}:{seconds:02}"


def _count_lines(store: Store) -> int:
    (row,) = store.query(_STORED).to_pylist()
    return int(row["lines"])


def _states_of(transitions: list[Transition], alert: str) -> list[str]:
    return [transition.to_state.value for transition in transitions if transition.alert == alert]


def _in_words(states: list[str]) -> str:
    words = {State.FIRING: "fired", State.OK: "recovered"}
    return ", ".join(words[State(state)] for state in states if state in words) or "silent"
