"""What a slow tail costs on the embedded store: bytes written to the disk per byte of log, CPU, and memory.

Lines come one by one, evenly. The store has the default metrics of the first Puppylog and one alert, which needs two
minutes of records. Bytes are those that the kernel counts for the processes as written to the disk: each page of a file
once whenever it is changed after it was written out. What the file system writes for itself, such as its journal, is
only in the bytes of the device. These tell something if no other process writes to the device.

``python -m bench.tailcost`` measures for ten minutes, as the figures of the documentation do.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.ingest import engine_pid
from bench.processes import BenchBroken, Workspace, read_cpu_s, read_device_bytes, read_memory, read_written_bytes
from bench.report import Figure, Target, format_table, single
from puppylog.cli.demo.traffic import Traffic
from puppylog.stores.connect import connect, stop
from puppylog.stores.duckdb.directory import StoreDirectory

LINES_PER_S = 10
SETTLE_S = 20.0  # the time from the first line until the collector and the engine have done the work of the start

_ALERT = ("-i", "busy", "-m", "total_traffic", "--when", "> 100000000")
_STORED = "SELECT count(*)::BIGINT AS records FROM puppylog.log_records"
_MAX_WAIT_S = 30.0
_AMPLIFICATION = Target(at_most=5)


@dataclass(frozen=True, slots=True)
class _Reading:
    """Counters of a process at one moment."""

    written_bytes: int
    cpu_s: float


def measure_tail(
    work: Path, seconds: float, *, lines_per_s: int = LINES_PER_S, settle_s: float = SETTLE_S
) -> list[Figure]:
    """Measure a collector of one file that grows slowly, and its engine.

    Args:
        work: a directory that does not exist yet.
        seconds: how long to measure.
        lines_per_s: how many lines are appended to the file in a second.
        settle_s: how many seconds lines are appended before the measurement begins.

    Raises:
        BenchBroken: a line was not stored, or was stored twice.
    """
    workspace = Workspace(work)
    log = workspace.directory / "access.log"
    log.touch()
    workspace.run("monitor", "metrics", "create", "--default", "original")
    workspace.run("monitor", "alerts", "create", *_ALERT)
    with workspace.running("collector", "-s", str(log), "--watch") as collector:
        pids = {"collector": collector.pid, "engine": engine_pid(workspace)}
        lines = _append_slowly(log, settle_s, lines_per_s)
        before, size, commits = _read(pids), log.stat().st_size, _count_commits(workspace)
        device = read_device_bytes(log)
        lines += _append_slowly(log, seconds, lines_per_s)
        _wait_for(workspace, lines)
        log_bytes = log.stat().st_size - size
        figures = list(_compare(before, _read(pids), log_bytes, seconds))
        figures.append(single("  the whole device", (read_device_bytes(log) - device) / log_bytes, ""))
        figures.append(single("  transactions per second", (_count_commits(workspace) - commits) / seconds, "/s"))
        figures += _iter_memory(pids)
    stop(workspace.url)
    return figures


def _append_slowly(log: Path, seconds: float, lines_per_s: int) -> int:
    """Append lines one by one, each with the time of its writing; return how many."""
    traffic, count = Traffic(), round(seconds * lines_per_s)
    started = time.monotonic()
    with log.open("ab", buffering=0) as file:
        for number in range(count):
            time.sleep(max(0.0, started + number / lines_per_s - time.monotonic()))
            now = datetime.now(UTC)
            file.write(traffic.make_block(1, now, now + timedelta(seconds=1)).data)
    return count


def _read(pids: Mapping[str, int]) -> dict[str, _Reading]:
    return {name: _Reading(read_written_bytes(pid), read_cpu_s(pid)) for name, pid in pids.items()}


def _count_commits(workspace: Workspace) -> int:
    return int(StoreDirectory(workspace.store).last_commit.read_text(encoding="ascii"))


def _wait_for(workspace: Workspace, lines: int) -> None:
    deadline = time.monotonic() + _MAX_WAIT_S
    with connect(workspace.url) as store:
        while (found := store.query(_STORED)["records"][0].as_py()) != lines:
            if found > lines or time.monotonic() > deadline:
                raise BenchBroken(f"{lines} lines were appended, and {found} records are stored")
            time.sleep(0.1)


def _compare(
    before: Mapping[str, _Reading], after: Mapping[str, _Reading], log_bytes: int, seconds: float
) -> Iterator[Figure]:
    written = {name: after[name].written_bytes - before[name].written_bytes for name in after}
    cpu_s = {name: after[name].cpu_s - before[name].cpu_s for name in after}
    amplification = sum(written.values()) / log_bytes
    yield single("slow tail, bytes written to the disk per byte of log", amplification, "", _AMPLIFICATION)
    for name, size in written.items():
        yield single(f"  {name}", size / log_bytes, "")
    yield single("slow tail, CPU of collector and engine", 100 * sum(cpu_s.values()) / seconds, "% of a core")
    for name, used_s in cpu_s.items():
        yield single(f"  {name}", 100 * used_s / seconds, "% of a core")


def _iter_memory(pids: Mapping[str, int]) -> Iterator[Figure]:
    for name, pid in pids.items():
        memory = read_memory(pid)
        yield single(f"slow tail, memory of the {name}", memory.resident_bytes / 2**20, "MiB")
        yield single("  of it anonymous", memory.anonymous_bytes / 2**20, "MiB")
        yield single("  shared pages counted by their share", memory.proportional_bytes / 2**20, "MiB")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.tailcost", description=measure_tail.__doc__)
    parser.add_argument("--seconds", type=float, default=600.0, metavar="S")
    parser.add_argument("--lines-per-s", type=int, default=LINES_PER_S, metavar="N")
    parser.add_argument("--directory", metavar="DIR", help="directory for the files; default: the temporary directory")
    options = parser.parse_args()
    about = {"machine": f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}", "seconds": f"{options.seconds:g}"}
    with tempfile.TemporaryDirectory(prefix="puppylog-bench-", dir=options.directory) as work:
        figures = measure_tail(Path(work, "tail"), options.seconds, lines_per_s=options.lines_per_s)
    print(format_table(about, figures))


if __name__ == "__main__":
    main()
