"""Some collectors at once, and what each role of the store has spent meanwhile."""

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
from bench.processes import BenchBroken, Place
from bench.scale.clusters import Cluster

_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU seconds of the servers, and how long it took."""

    wall_s: float
    front_s: float
    nodes_s: tuple[float, ...]  # those of the front again, where it holds records itself
    front_is_node: bool

    @property
    def all_nodes_s(self) -> float:
        """Of the nodes, without what the front spends: that can not be told apart where it is one of them."""
        return sum(self.nodes_s) - (self.front_s if self.front_is_node else 0.0)


@dataclass(frozen=True, slots=True)
class Run:
    """Lines from files into a fresh store."""

    nodes: int
    collectors: int
    lines: int
    spent: Spent
    collectors_s: float  # CPU, beyond what starting takes
    rows_per_node: tuple[int, ...]
    most_processes: tuple[int, ...]  # at once: at the front, then at each node

    @property
    def skew(self) -> float:
        """The fullest node's rows as a multiple of the mean."""
        return max(self.rows_per_node) * len(self.rows_per_node) / sum(self.rows_per_node)


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What else happens to the same lines: metrics and columns, and the bytes on disk."""

    nodes: int
    lines: int
    metrics: Spent
    columns: Spent | None
    rows_bytes: int
    columns_bytes: int | None


def measure_run(
    cluster: Cluster, work: Path, logs: Sequence[Path], lines: int, *, nodes: int, collectors: int, is_last: bool
) -> tuple[Run, Aftermath | None]:
    """Have ``collectors`` share the logs; look at what comes after it only if this is the last run on these nodes."""
    with cluster.database(nodes) as database:
        place = Place(work, cluster.front.url_of(database))
        place.run("bootstrap", *(["--distributed"] if cluster.is_distributed else []))
        layout = read_layout(place.url)
        _make_room(cluster, nodes, layout, place, lines // len(logs))
        start_up_s = _measure_start_up(place)
        clock = _Clock(cluster, nodes)
        with clock.running() as clocked:
            collectors_s, most = _collect(place, clock, [logs[number::collectors] for number in range(collectors)])
        check_counts(place, lines)
        run = Run(
            nodes=nodes,
            collectors=collectors,
            lines=lines,
            spent=clocked[0],
            collectors_s=collectors_s - start_up_s * collectors,
            rows_per_node=tuple(cluster.rows_per_node(database, nodes)),
            most_processes=most,
        )
        return run, _measure_aftermath(place, layout, clock, nodes, lines) if is_last else None


def _make_room(cluster: Cluster, nodes: int, layout: Layout, place: Place, lines_of_a_log: int) -> None:
    until = datetime.now(UTC)
    since = until - timedelta(seconds=lines_of_a_log / LINES_PER_S)
    with psycopg.connect(place.url, autocommit=True) as connection:
        layout.make_days(connection, sorted({since.date(), until.date()}))
    for server in {cluster.front, *cluster.nodes(nodes)}:
        server.checkpoint()


def _measure_start_up(place: Place) -> float:
    nothing = place.directory / "nothing.log"
    nothing.touch()
    return place.run("collector", "-s", str(nothing)).cpu_s


def _collect(place: Place, clock: "_Clock", shares: Sequence[Sequence[Path]]) -> tuple[float, tuple[int, ...]]:
    """Run one collector per share; return the CPU seconds of all, and the most server processes at once."""
    running = [place.start("collector", *(word for log in share for word in ("-s", str(log)))) for share in shares]
    cpu_s, most = 0.0, clock.count_processes()
    try:
        while running:
            most = tuple(map(max, most, clock.count_processes()))
            time.sleep(_POLL_S)
            for collector in list(running):
                pid, status, usage = os.wait4(collector.pid, os.WNOHANG)
                if pid:
                    running.remove(collector)
                    collector.returncode = os.waitstatus_to_exitcode(status)
                    cpu_s += usage.ru_utime + usage.ru_stime
                if collector.returncode:
                    said = (place.directory / "output.txt").read_text(encoding="utf-8", errors="replace")
                    raise BenchBroken(f"a collector failed with exit code {collector.returncode}\n{said[-2000:]}")
    finally:
        for collector in running:
            collector.kill()
            collector.wait()
    return cpu_s, most


def _measure_aftermath(place: Place, layout: Layout, clock: "_Clock", nodes: int, lines: int) -> Aftermath:
    with clock.running() as metrics:
        place.run("monitor", "metrics", "create", "--default")
    with psycopg.connect(place.url, autocommit=True) as connection:
        rows_bytes = layout.size_bytes(connection)
        if not layout.has_columns:
            return Aftermath(nodes, lines, metrics[0], None, rows_bytes, None)
        with clock.running() as columns:
            layout.turn_columnar(connection)
        return Aftermath(nodes, lines, metrics[0], columns[0], rows_bytes, layout.size_bytes(connection))


class _Clock:
    """Reads what the servers' processes have used."""

    def __init__(self, cluster: Cluster, nodes: int) -> None:
        self._front = cluster.front
        self._nodes = cluster.nodes(nodes)
        self._servers: list[Server] = [self._front, *self._nodes]
        unseen = [server.place for server in self._servers if not server.is_here]
        if unseen:
            raise BenchBroken(f"the processes of {', '.join(unseen)} cannot be seen from here")

    def count_processes(self) -> tuple[int, ...]:
        return tuple(server.count_processes() for server in self._servers)

    @contextmanager
    def running(self) -> Iterator[list[Spent]]:
        """Give a list that holds, afterwards, what was spent within."""
        spent: list[Spent] = []
        before, started = [server.cpu_s() for server in self._servers], time.perf_counter()
        yield spent
        wall_s = time.perf_counter() - started
        front_s, *nodes_s = (server.cpu_s() - s for server, s in zip(self._servers, before, strict=True))
        spent.append(Spent(wall_s, front_s, tuple(nodes_s), self._front in self._nodes))
