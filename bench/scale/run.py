"""Runs several collectors at once and measures the CPU seconds of each role of the store."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from bench.ingest import LINES_PER_S
from bench.postgres.ingest import check_counts
from bench.postgres.layout import Layout, read_layout
from bench.postgres.server import Server
from bench.processes import BenchBroken, Workspace
from bench.scale.clusters import Cluster

_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU seconds of the servers, and the elapsed time."""

    wall_s: float
    front_s: float
    nodes_s: tuple[float, ...]  # one of them is that of the front, if the front is a node
    front_is_node: bool

    @property
    def all_nodes_s(self) -> float:
        """CPU seconds of all nodes but the front, whose work as a node cannot be told from its other work."""
        return sum(self.nodes_s) - (self.front_s if self.front_is_node else 0.0)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of collectors into a fresh store."""

    nodes: int
    collectors: int
    lines: int
    spent: Spent
    collectors_s: float  # CPU seconds, without the start of the processes
    rows_per_node: tuple[int, ...]
    max_processes: tuple[int, ...]  # largest number at one time: of the front, then of each node

    @property
    def skew(self) -> float:
        """The rows of the fullest node, divided by the mean of all nodes."""
        return max(self.rows_per_node) * len(self.rows_per_node) / sum(self.rows_per_node)


@dataclass(frozen=True, slots=True)
class Aftermath:
    """The cost of metrics and of the conversion to columns for the same lines, and the size on disk in bytes."""

    nodes: int
    lines: int
    metrics: Spent
    columns: Spent | None
    rows_bytes: int
    columns_bytes: int | None


def measure_run(
    cluster: Cluster, work: Path, logs: Sequence[Path], lines: int, *, nodes: int, collectors: int, is_last: bool
) -> tuple[Run, Aftermath | None]:
    """Collect the logs with ``collectors`` processes. Measure the aftermath if this is the last run on these nodes."""
    with cluster.database(nodes) as database:
        workspace = Workspace(work, cluster.front.url_of(database))
        workspace.run("bootstrap", *(["--distributed"] if cluster.is_distributed else []))
        layout = read_layout(workspace.url)
        _prepare_days(cluster, nodes, layout, workspace, lines // len(logs))
        start_up_s = _measure_start_up(workspace)
        meter = _CpuMeter(cluster, nodes)
        with meter.running() as metered:
            collectors_s, most = _collect(workspace, meter, [logs[number::collectors] for number in range(collectors)])
        check_counts(workspace, lines)
        run = Run(
            nodes=nodes,
            collectors=collectors,
            lines=lines,
            spent=metered[0],
            collectors_s=collectors_s - start_up_s * collectors,
            rows_per_node=tuple(cluster.rows_per_node(database, nodes)),
            max_processes=most,
        )
        return run, _measure_aftermath(workspace, layout, meter, nodes, lines) if is_last else None


def _prepare_days(cluster: Cluster, nodes: int, layout: Layout, workspace: Workspace, lines_of_a_log: int) -> None:
    until = datetime.now(UTC)
    since = until - timedelta(seconds=lines_of_a_log / LINES_PER_S)
    with psycopg.connect(workspace.url, autocommit=True) as connection:
        layout.make_days(connection, sorted({since.date(), until.date()}))
    for server in {cluster.front, *cluster.nodes(nodes)}:
        server.checkpoint()


def _measure_start_up(workspace: Workspace) -> float:
    nothing = workspace.directory / "nothing.log"
    nothing.touch()
    start_up_s = workspace.run("collector", "-s", str(nothing)).cpu_s
    workspace.run("collector", "forget", str(nothing), "--yes")  # on Citus, a stream without lines spoils the balance
    return start_up_s


def _collect(
    workspace: Workspace, meter: "_CpuMeter", shares: Sequence[Sequence[Path]]
) -> tuple[float, tuple[int, ...]]:
    """Run one collector per share; return their CPU seconds, and the largest number of processes of each server."""
    running = [workspace.start("collector", *(word for log in share for word in ("-s", str(log)))) for share in shares]
    cpu_s, most = 0.0, meter.count_processes()
    try:
        while running:
            most = tuple(map(max, most, meter.count_processes()))
            time.sleep(_POLL_S)
            for collector in list(running):
                pid, status, usage = os.wait4(collector.pid, os.WNOHANG)
                if pid:
                    running.remove(collector)
                    collector.returncode = os.waitstatus_to_exitcode(status)
                    cpu_s += usage.ru_utime + usage.ru_stime
                if collector.returncode:
                    said = (workspace.directory / "output.txt").read_text(encoding="utf-8", errors="replace")
                    raise BenchBroken(f"a collector failed with exit code {collector.returncode}\n{said[-2000:]}")
    finally:
        for collector in running:
            collector.kill()
            collector.wait()
    return cpu_s, most


def _measure_aftermath(workspace: Workspace, layout: Layout, meter: "_CpuMeter", nodes: int, lines: int) -> Aftermath:
    with meter.running() as metrics:
        workspace.run("monitor", "metrics", "create", "--default", "original")
    with psycopg.connect(workspace.url, autocommit=True) as connection:
        rows_bytes = layout.size_bytes(connection)
        if not layout.has_columns:
            return Aftermath(nodes, lines, metrics[0], None, rows_bytes, None)
        with meter.running() as columns:
            layout.turn_columnar(connection)
        return Aftermath(nodes, lines, metrics[0], columns[0], rows_bytes, layout.size_bytes(connection))


class _CpuMeter:
    """Reads the CPU seconds of the servers' processes."""

    def __init__(self, cluster: Cluster, nodes: int) -> None:
        self._front = cluster.front
        self._nodes = cluster.nodes(nodes)
        self._servers: list[Server] = [self._front, *self._nodes]
        unseen = [server.address for server in self._servers if not server.is_here]
        if unseen:
            raise BenchBroken(f"the processes of {', '.join(unseen)} cannot be seen from here")

    def count_processes(self) -> tuple[int, ...]:
        return tuple(server.count_processes() for server in self._servers)

    @contextmanager
    def running(self) -> Iterator[list[Spent]]:
        """Yield a list to which one `Spent` is added at the end of the block."""
        spent: list[Spent] = []
        before, started = [server.cpu_s() for server in self._servers], time.perf_counter()
        yield spent
        wall_s = time.perf_counter() - started
        front_s, *nodes_s = (server.cpu_s() - s for server, s in zip(self._servers, before, strict=True))
        spent.append(Spent(wall_s, front_s, tuple(nodes_s), self._front in self._nodes))
