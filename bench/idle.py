"""The CPU use of a watching collector and its store while nothing happens, with the default metrics and alerts."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from bench.ingest import engine_pid, write_log
from bench.processes import BenchBroken, Workspace, read_cpu_s
from bench.report import Figure, Target, single
from puppylog.stores.connect import connect, stop

MANY = 1000

SETTLE_S = 5.0  # the time after which the work of the start is done

# A collector checks a file more often after it has read from the file. After this many times SETTLE_S it checks all
# files at the normal interval again.
_RESTS = 3
_MAX_WAIT_S = 120.0
_SHARE = Target(at_most=0.5)
_SHARE_OF_MANY = Target(at_most=0.5)
_COUNT = "SELECT count(*) AS records FROM puppylog.log_records"


def measure_idle(work: Path, seconds: float, settle_s: float = SETTLE_S) -> list[Figure]:
    """Measure a collector that watches one file, and its engine, for ``seconds`` after ``settle_s`` seconds."""
    workspace = Workspace(work)
    figures = _measure(workspace, "engine", lambda: partial(read_cpu_s, engine_pid(workspace)), seconds, settle_s)
    stop(workspace.url)
    return figures


def measure_many(work: Path, seconds: float, files: int = MANY, settle_s: float = SETTLE_S) -> list[Figure]:
    """Measure a collector that watches ``files`` files of one line each, and its engine."""
    workspace = Workspace(work)
    logs = workspace.directory / "logs"
    logs.mkdir()
    write_log(workspace.directory / "access.log", files)
    with (workspace.directory / "access.log").open("rb") as lines:
        for number, line in enumerate(lines):
            (logs / f"{number}.log").write_bytes(line)
    with workspace.running("collector", "-s", str(logs / "*.log"), "--watch") as collector:
        _wait_for(workspace, files)
        clocks = {"collector": partial(read_cpu_s, collector.pid), "engine": partial(read_cpu_s, engine_pid(workspace))}
        shares = _measure_shares(clocks, seconds, _RESTS * settle_s)
    stop(workspace.url)
    return [
        single(f"idle CPU of a collector of {files:,} files", shares["collector"], "% of a core", _SHARE_OF_MANY),
        single("  its engine", shares["engine"], "% of a core"),
    ]


def _wait_for(workspace: Workspace, records: int) -> None:
    deadline = time.monotonic() + _MAX_WAIT_S
    with connect(workspace.url) as store:
        while store.query(_COUNT).to_pylist() != [{"records": records}]:
            if time.monotonic() > deadline:
                raise BenchBroken(f"{records} lines of as many files were not stored within {_MAX_WAIT_S:.0f} s")
            time.sleep(0.1)


def measure_idle_server(
    workspace: Workspace, server_cpu_s: Callable[[], float] | None, seconds: float, settle_s: float = SETTLE_S
) -> list[Figure]:
    """Measure on a server. ``server_cpu_s`` is None if the server's processes are on another machine."""
    return _measure(workspace, "server", None if server_cpu_s is None else lambda: server_cpu_s, seconds, settle_s)


def _measure(
    workspace: Workspace,
    store: str,
    find_clock: Callable[[], Callable[[], float]] | None,
    seconds: float,
    settle_s: float,
) -> list[Figure]:
    log = workspace.directory / "access.log"
    log.touch()
    workspace.run("monitor", "metrics", "create", "--default", "original")
    with workspace.running("collector", "-s", str(log), "--watch") as collector:
        clocks: dict[str, Callable[[], float]] = {"  collector": partial(read_cpu_s, collector.pid)}
        if find_clock is not None:
            clocks[f"  {store}"] = find_clock()
        shares = _measure_shares(clocks, seconds, settle_s)
    total = [single(f"idle CPU of collector and {store}", sum(shares.values()), "% of a core", _SHARE)]
    return [
        *(total if len(shares) > 1 else []),
        *(single(name, share, "% of a core") for name, share in shares.items()),
    ]


def _measure_shares(clocks: Mapping[str, Callable[[], float]], seconds: float, settle_s: float) -> dict[str, float]:
    """Return for each clock of CPU seconds the use of a core, in percent, during ``seconds``."""
    time.sleep(settle_s)
    before = {name: read_s() for name, read_s in clocks.items()}
    started = time.perf_counter()
    time.sleep(seconds)
    elapsed = time.perf_counter() - started
    return {name: 100 * (read_s() - before[name]) / elapsed for name, read_s in clocks.items()}
