"""The time from appending a line until a query returns it, and the time of a query during a backfill."""

import random
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path

from bench.processes import BenchBroken, Workspace
from bench.report import Figure, Target, percentile, single
from puppylog.monitor import metrics
from puppylog.monitor.metric_reader import MetricReader
from puppylog.stores.base import Store
from puppylog.stores.connect import connect

OpenWorkspace = Callable[[Path], AbstractContextManager[Workspace]]
"""Opens a workspace with a fresh store in this directory."""

METRIC = "total_traffic_per_route"
_COUNT = "SELECT count(*) AS lines FROM puppylog.log_records"
_VISIBLE = Target(at_most=1000)
_ANSWERED = Target(at_most=500)
_MAX_WAIT_S = 30.0
_PAUSE_S = 0.1


def open_embedded(work: Path) -> AbstractContextManager[Workspace]:
    return nullcontext(Workspace(work))


def measure_visibility(work: Path, samples: int, open_workspace: OpenWorkspace = open_embedded) -> list[Figure]:
    """Append lines to a watched file at random times, and query until each is returned."""
    with open_workspace(work) as workspace:
        workspace.run("monitor", "metrics", "create", "--default", "original")
        delays = _measure_delays(workspace, samples)
    return [
        single("from append to visible, p50", percentile(delays, 50), "ms"),
        single("from append to visible, p99", percentile(delays, 99), "ms", _VISIBLE),
    ]


def _measure_delays(workspace: Workspace, samples: int) -> list[float]:
    """Return the latency of each line, in milliseconds."""
    log = workspace.directory / "access.log"
    log.touch()
    delays: list[float] = []
    with connect(workspace.url) as store, workspace.running("collector", "-s", str(log), "--watch"):
        _append(log)
        _wait_for(store, 1)
        for number in range(samples):
            time.sleep(random.uniform(0.0, 0.2))
            appended = time.perf_counter()
            _append(log)
            _wait_for(store, number + 2)
            delays.append((time.perf_counter() - appended) * 1000)
    return delays


def _append(log: Path) -> None:
    now = datetime.now(UTC)
    line = f'198.18.0.1 - - [{now:%d/%b/%Y:%H:%M:%S +0000}] "GET /bench HTTP/1.1" 200 1 "-" "bench"\n'
    with log.open("ab") as file:
        file.write(line.encode())


def _wait_for(store: Store, lines: int) -> None:
    deadline = time.monotonic() + _MAX_WAIT_S
    while store.query(_COUNT).to_pylist() != [{"lines": lines}]:
        if time.monotonic() > deadline:
            raise BenchBroken(f"line {lines} was not returned within {_MAX_WAIT_S:.0f} s")
        time.sleep(0.002)


def measure_answers(work: Path, log: Path, open_workspace: OpenWorkspace = open_embedded) -> list[Figure]:
    """Query a metric repeatedly during a backfill: on one connection, and with a new command each time."""
    command = ("monitor", "metrics", "get", METRIC, "--limit", "10", "-o", "jsonl")
    work.mkdir(exist_ok=True)
    with _backfilling(work / "kept", log, open_workspace) as (workspace, is_over), connect(workspace.url) as store:
        kept = _repeat(lambda: get_metric(store), is_over)
    start_ups: list[float] = []
    commands: list[float] = []
    with _backfilling(work / "commands", log, open_workspace) as (workspace, is_over):
        while not is_over() or not commands:
            # --help has the same imports and does nothing else; it runs right before, under the same load.
            start_ups.append(workspace.run(*command, "--help").wall_s * 1000)
            commands.append(workspace.run(*command).wall_s * 1000)
    start_up = statistics.median(start_ups)
    beyond = [max(0.0, taken - start_up) for taken in commands]
    return [
        single(f"metrics get during a backfill, {len(kept)} on a connection, p50", percentile(kept, 50), "ms"),
        single("  p99", percentile(kept, 99), "ms", _ANSWERED),
        single(f"{len(beyond)} whole commands beyond their start-up, p50", percentile(beyond, 50), "ms"),
        single("  p99", percentile(beyond, 99), "ms", _ANSWERED),
        single("  start-up, meanwhile", start_up, "ms"),
    ]


def get_metric(store: Store) -> None:
    """Query what ``puppylog monitor metrics get`` shows."""
    reader = MetricReader(store)
    metrics.read_observations(reader, metrics.get_metric(reader, METRIC).metric, buckets=10)


@contextmanager
def _backfilling(
    work: Path, log: Path, open_workspace: OpenWorkspace
) -> Iterator[tuple[Workspace, Callable[[], bool]]]:
    """Collect ``log`` into a store with the default metrics; yield the workspace, and a function: is it done?"""
    with open_workspace(work) as workspace:
        workspace.run("monitor", "metrics", "create", "--default", "original")
        collector: subprocess.Popen[bytes] = workspace.start("collector", "-s", str(log))
        try:
            yield workspace, lambda: collector.poll() is not None
        finally:
            if collector.wait() != 0:
                raise BenchBroken(f"the backfill failed with exit code {collector.returncode}")


def _repeat(act: Callable[[], object], is_over: Callable[[], bool]) -> list[float]:
    """Call ``act`` until ``is_over``; return the time of each call in milliseconds.

    There is a pause between two calls. Otherwise most calls would be made at the start, when the store has little to
    read, and they would decide the percentiles.
    """
    taken: list[float] = []
    while not is_over() or not taken:
        started = time.perf_counter()
        act()
        taken.append((time.perf_counter() - started) * 1000)
        time.sleep(_PAUSE_S)
    return taken
