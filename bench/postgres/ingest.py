"""From file to committed rows on a server, against psql's COPY of the same rows: speed, CPU, memory, bytes on disk."""

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
from bench.processes import BenchBroken, Place, Usage
from bench.report import Figure, Target, median_of
from puppylog.stores.connect import connect

_RATIO = Target(at_least=0.85)
_CPU = "s per million lines"
_BYTES = "bytes per line"


@dataclass(frozen=True, slots=True)
class Way:
    """One way to bring the rows in, and what it cost on either side."""

    usage: Usage
    server_cpu_s: float


@dataclass(frozen=True, slots=True)
class Columns:
    """What records are after they were turned into columns, and what that took."""

    size_bytes: int
    wall_s: float
    cpu_s: float  # of the server


@dataclass(frozen=True, slots=True)
class Disk:
    """Bytes of the records with their indexes."""

    rows_bytes: int
    turned: Columns | None


@dataclass(frozen=True, slots=True)
class Collected:
    """The whole way, by the command."""

    way: Way
    start_up: Usage  # the same command with nothing to collect
    disk: Disk


@dataclass(frozen=True, slots=True)
class Round:
    """The ways, one right after the other, each into a database of its own."""

    floor: Way
    collector: Collected
    small_floor: Way


class Stand:
    """A server with a flavour of Puppylog to measure."""

    def __init__(self, server: Server, layout: Layout) -> None:
        self.server = server
        self.layout = layout

    @contextmanager
    def place(self, directory: Path) -> Iterator[Place]:
        """A fresh database with Puppylog in it."""
        with self.server.database() as name:
            place = Place(directory, self.server.url_of(name))
            place.run("bootstrap")
            yield place

    @contextmanager
    def tended_place(self, directory: Path) -> Iterator[Place]:
        """The same, with somebody who runs the jobs where the server has nobody: a collector of another file."""
        with self.place(directory) as place:
            if self.layout.has_jobs:
                yield place
                return
            quiet = directory / "quiet.log"
            quiet.touch()
            with place.running("collector", "-s", str(quiet), "--watch"):
                yield place

    def make_room(self, place: Place, lines: int) -> None:
        """Have the days of the log there beforehand, for whoever copies, then let the server come to rest."""
        until = datetime.now(UTC)
        since = until - timedelta(seconds=lines / LINES_PER_S)
        with psycopg.connect(place.url, autocommit=True) as connection:
            self.layout.make_days(connection, sorted({since.date(), until.date()}))
        self.server.checkpoint()


def measure_rounds(stand: Stand, work: Path, log: Path, lines: int, rounds: int) -> Iterator[Round]:
    files = make_files(log, lines, work / "ready")
    for number in range(rounds):
        yield _measure_round(stand, work / f"round-{number}", files, is_turned=number % 2 == 1)


def _measure_round(stand: Stand, work: Path, files: Files, *, is_turned: bool) -> Round:
    """Measure the collector between the floors, which take turns: whoever is first may pay for what was before."""
    work.mkdir()
    before, after = (files.parts, (files.whole,)) if is_turned else ((files.whole,), files.parts)
    first = _measure_floor(stand, work / "before", before, files.lines)
    collected = _measure_collector(stand, work, files)
    last = _measure_floor(stand, work / "after", after, files.lines)
    floor, small_floor = (last, first) if is_turned else (first, last)
    return Round(floor, collected, small_floor)


def _measure_collector(stand: Stand, work: Path, files: Files) -> Collected:
    with stand.place(work / "collector") as place:
        nothing = work / "nothing.log"
        nothing.touch()
        start_up = place.run("collector", "-s", str(nothing))
        stand.make_room(place, files.lines)
        before = stand.server.cpu_s()
        way = Way(place.run("collector", "-s", str(files.log)), stand.server.cpu_s() - before)
        check_counts(place, files.lines)
        return Collected(way, start_up, _measure_disk(stand, place))


def _measure_floor(stand: Stand, work: Path, files: tuple[Path, ...], lines: int) -> Way:
    with stand.place(work) as place:
        stand.make_room(place, lines)
        before = stand.server.cpu_s()
        way = Way(copy_files(place.url, files), stand.server.cpu_s() - before)
        check_counts(place, lines)
    return way


def check_counts(place: Place, lines: int) -> None:
    with connect(place.url) as store:
        (counts,) = store.query(COUNTS).to_pylist()
    if counts != {"records": lines, "rejects": 0}:
        raise BenchBroken(f"of {lines} lines the store has {counts}")


def _measure_disk(stand: Stand, place: Place) -> Disk:
    with psycopg.connect(place.url, autocommit=True) as connection:
        rows_bytes = stand.layout.size_bytes(connection)
        if not stand.layout.has_columns:
            return Disk(rows_bytes, None)
        before, started = stand.server.cpu_s(), time.perf_counter()
        stand.layout.turn_columnar(connection)
        wall_s, cpu_s = time.perf_counter() - started, stand.server.cpu_s() - before
        return Disk(rows_bytes, Columns(stand.layout.size_bytes(connection), wall_s, cpu_s))


def figures_of(rounds: list[Round], lines: int, *, is_server_here: bool) -> list[Figure]:
    peaks = [round_.collector.way.usage.peak_bytes / 2**20 for round_ in rounds]
    return [
        *_speed_of(rounds, lines),
        *_cpu_of(rounds, lines / 1e6, is_server_here=is_server_here),
        median_of("peak memory of the collector", peaks, "MiB"),
        *_disk_of([round_.collector.disk for round_ in rounds], lines, is_server_here=is_server_here),
    ]


def _speed_of(rounds: list[Round], lines: int) -> list[Figure]:
    floors = [round_.floor.usage.wall_s for round_ in rounds]
    wholes = [round_.collector.way.usage.wall_s for round_ in rounds]
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
    collectors = [round_.collector.way for round_ in rounds]
    figures = [median_of("CPU of the collector", [way.usage.cpu_s / millions for way in collectors], _CPU)]
    if is_server_here:
        figures += [
            median_of("CPU of the server", [way.server_cpu_s / millions for way in collectors], _CPU),
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
