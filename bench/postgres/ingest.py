"""Ingest on a server, compared with psql's COPY of the same rows: speed, CPU, memory, bytes on disk."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from bench.ingest import COUNTS, LINES_PER_S
from bench.postgres.floor import TRANSACTION_ROWS, Files, copy_files, make_files
from bench.postgres.layout import Layout
from bench.postgres.server import Server
from bench.processes import BenchBroken, Usage, Workspace
from bench.report import Figure, Target, median_of
from puppylog.stores.connect import connect

_RATIO = Target(at_least=0.85)
_CPU = "s per million lines"
_BYTES = "bytes per line"


@dataclass(frozen=True, slots=True)
class Load:
    """The cost of loading the rows once, for the client and for the server."""

    usage: Usage
    server_cpu_s: float


@dataclass(frozen=True, slots=True)
class Columns:
    """The size of the records in columns, and the cost of the conversion."""

    size_bytes: int
    wall_s: float
    cpu_s: float  # of the server


@dataclass(frozen=True, slots=True)
class Disk:
    """The size of the records with their indexes."""

    rows_bytes: int
    turned: Columns | None


@dataclass(frozen=True, slots=True)
class Collected:
    """A load by the collector."""

    load: Load
    start_up: Usage  # the same command with nothing to collect
    disk: Disk


@dataclass(frozen=True, slots=True)
class Round:
    """Three loads, one right after the other, each into a database of its own."""

    floor: Load
    collector: Collected
    small_floor: Load


class ServerStore:
    """Stores of one flavour on a server."""

    def __init__(self, server: Server, layout: Layout) -> None:
        self.server = server
        self.layout = layout

    @contextmanager
    def workspace(self, directory: Path) -> Iterator[Workspace]:
        """Create a database, install Puppylog, yield its workspace, and drop the database."""
        with self.server.database() as name:
            workspace = Workspace(directory, self.server.url_of(name))
            workspace.run("bootstrap")
            yield workspace

    @contextmanager
    def workspace_with_jobs(self, directory: Path) -> Iterator[Workspace]:
        """Like `workspace`. If the server does not run the jobs, a collector of another file runs them."""
        with self.workspace(directory) as workspace:
            if self.layout.has_jobs:
                yield workspace
                return
            quiet = directory / "quiet.log"
            quiet.touch()
            with workspace.running("collector", "-s", str(quiet), "--watch"):
                yield workspace

    def prepare_days(self, workspace: Workspace, lines: int) -> None:
        """Create the partitions of the log's days, which psql cannot create, and make a checkpoint."""
        until = datetime.now(UTC)
        since = until - timedelta(seconds=lines / LINES_PER_S)
        with psycopg.connect(workspace.url, autocommit=True) as connection:
            self.layout.make_days(connection, sorted({since.date(), until.date()}))
        self.server.checkpoint()


def measure_rounds(server_store: ServerStore, work: Path, log: Path, lines: int, rounds: int) -> Iterator[Round]:
    files = make_files(log, lines, work / "ready")
    for number in range(rounds):
        yield _measure_round(server_store, work / f"round-{number}", files, is_turned=number % 2 == 1)


def _measure_round(server_store: ServerStore, work: Path, files: Files, *, is_turned: bool) -> Round:
    """Measure a floor, the collector, the other floor. ``is_turned`` swaps the floors, as the first may be slower."""
    work.mkdir()
    before, after = (files.parts, (files.whole,)) if is_turned else ((files.whole,), files.parts)
    first = _measure_floor(server_store, work / "before", before, files.lines)
    collected = _measure_collector(server_store, work, files)
    last = _measure_floor(server_store, work / "after", after, files.lines)
    floor, small_floor = (last, first) if is_turned else (first, last)
    return Round(floor, collected, small_floor)


def _measure_collector(server_store: ServerStore, work: Path, files: Files) -> Collected:
    with server_store.workspace(work / "collector") as workspace:
        nothing = work / "nothing.log"
        nothing.touch()
        start_up = workspace.run("collector", "-s", str(nothing))
        server_store.prepare_days(workspace, files.lines)
        before = server_store.server.cpu_s()
        load = Load(workspace.run("collector", "-s", str(files.log)), server_store.server.cpu_s() - before)
        check_counts(workspace, files.lines)
        return Collected(load, start_up, _measure_disk(server_store, workspace))


def _measure_floor(server_store: ServerStore, work: Path, files: tuple[Path, ...], lines: int) -> Load:
    with server_store.workspace(work) as workspace:
        server_store.prepare_days(workspace, lines)
        before = server_store.server.cpu_s()
        load = Load(copy_files(workspace.url, files), server_store.server.cpu_s() - before)
        check_counts(workspace, lines)
    return load


def check_counts(workspace: Workspace, lines: int) -> None:
    with connect(workspace.url) as store:
        (counts,) = store.query(COUNTS).to_pylist()
    if counts != {"records": lines, "rejects": 0}:
        raise BenchBroken(f"the store has {counts} of {lines} lines")


def _measure_disk(server_store: ServerStore, workspace: Workspace) -> Disk:
    with psycopg.connect(workspace.url, autocommit=True) as connection:
        rows_bytes = server_store.layout.size_bytes(connection)
        if not server_store.layout.has_columns:
            return Disk(rows_bytes, None)
        before, started = server_store.server.cpu_s(), time.perf_counter()
        server_store.layout.turn_columnar(connection)
        wall_s, cpu_s = time.perf_counter() - started, server_store.server.cpu_s() - before
        return Disk(rows_bytes, Columns(server_store.layout.size_bytes(connection), wall_s, cpu_s))


def figures_of(rounds: list[Round], lines: int, *, is_server_here: bool) -> list[Figure]:
    peaks = [round_.collector.load.usage.peak_bytes / 2**20 for round_ in rounds]
    return [
        *_speed_of(rounds, lines),
        *_cpu_of(rounds, lines / 1e6, is_server_here=is_server_here),
        median_of("peak memory of the collector", peaks, "MiB"),
        *_disk_of([round_.collector.disk for round_ in rounds], lines, is_server_here=is_server_here),
    ]


def _speed_of(rounds: list[Round], lines: int) -> list[Figure]:
    floors = [round_.floor.usage.wall_s for round_ in rounds]
    wholes = [round_.collector.load.usage.wall_s for round_ in rounds]
    start_ups = [round_.collector.start_up.wall_s for round_ in rounds]
    small_floors = [round_.small_floor.usage.wall_s for round_ in rounds]
    begun = [whole - start_up for whole, start_up in zip(wholes, start_ups, strict=True)]
    return [
        median_of("floor: COPY by psql, one transaction", [lines / wall_s for wall_s in floors], "lines/s"),
        median_of(
            f"  in transactions of {TRANSACTION_ROWS:,} rows", [lines / wall_s for wall_s in small_floors], "lines/s"
        ),
        median_of("file to committed rows", [lines / wall_s for wall_s in wholes], "lines/s"),
        median_of("  ratio to the floor", _ratios(floors, wholes), "", _RATIO),
        median_of("  ratio to the floor in transactions", _ratios(small_floors, wholes), ""),
        median_of("without start-up", [lines / wall_s for wall_s in begun], "lines/s"),
        median_of("  without start-up, ratio to the floor", _ratios(floors, begun), ""),
        median_of("  start-up and end of the command", [start_up * 1000 for start_up in start_ups], "ms"),
    ]


def _ratios(floors: list[float], wholes: list[float]) -> list[float]:
    return [floor / whole for floor, whole in zip(floors, wholes, strict=True)]


def _cpu_of(rounds: list[Round], millions: float, *, is_server_here: bool) -> list[Figure]:
    collectors = [round_.collector.load for round_ in rounds]
    figures = [median_of("CPU of the collector", [load.usage.cpu_s / millions for load in collectors], _CPU)]
    if is_server_here:
        figures += [
            median_of("CPU of the server", [load.server_cpu_s / millions for load in collectors], _CPU),
            median_of("  at the floor", [round_.floor.server_cpu_s / millions for round_ in rounds], _CPU),
            median_of("  in transactions", [round_.small_floor.server_cpu_s / millions for round_ in rounds], _CPU),
        ]
    figures.append(median_of("CPU of psql at the floor", [r.floor.usage.cpu_s / millions for r in rounds], _CPU))
    return figures


def _disk_of(disks: list[Disk], lines: int, *, is_server_here: bool) -> list[Figure]:
    figures = [median_of("on disk, as rows with indexes", [disk.rows_bytes / lines for disk in disks], _BYTES)]
    turned = [disk.turned for disk in disks if disk.turned is not None]
    if turned:
        figures += [
            median_of("on disk, in columns", [columns.size_bytes / lines for columns in turned], _BYTES),
            median_of("  turning rows into columns", [columns.wall_s * 1e6 / lines for columns in turned], _CPU),
        ]
    if turned and is_server_here:
        figures.append(median_of("  CPU of that", [columns.cpu_s * 1e6 / lines for columns in turned], _CPU))
    return figures
