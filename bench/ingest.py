"""From file to committed rows, against the floor: speed, CPU, memory and bytes on disk."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.processes import BenchBroken, Place, Usage, read_cpu_s, read_peak_bytes, run_json
from bench.report import Figure, Target, median_of
from puppylog.cli.demo.traffic import Traffic
from puppylog.stores.connect import connect, stop
from puppylog.stores.duckdb.client import DuckdbStore

LINES_PER_S = 400.0
"""How fast the log's own clock runs: 3 million lines are two hours."""

_RATIO = Target(at_least=0.35)
_BYTES_PER_LINE = Target(at_most=16)
COUNTS = """
    SELECT (SELECT count(*) FROM puppylog.log_records) AS records,
           (SELECT count(*) FROM puppylog.rejected_lines) AS rejects
"""


@dataclass(frozen=True, slots=True)
class Pair:
    """The floor and the whole way, one right after the other."""

    floor_s: float
    floor_cpu_s: float
    collector: Usage
    engine_cpu_s: float
    engine_peak_bytes: int
    disk_bytes: int


def write_log(path: Path, lines: int) -> None:
    """Write ``lines`` lines of combined log that end about now."""
    since = datetime.now(UTC) - timedelta(seconds=lines / LINES_PER_S)
    with path.open("wb") as file:
        for block in Traffic().iter_blocks(lines, since=since, rate_per_s=LINES_PER_S):
            file.write(block.data)


def measure_pairs(work: Path, log: Path, lines: int, pairs: int) -> Iterator[Pair]:
    for number in range(pairs):
        yield _measure_pair(work / f"pair-{number}", log, lines)


def _measure_pair(work: Path, log: Path, lines: int) -> Pair:
    place = Place(work)
    floor = run_json("bench.floor", str(log), str(work / "floor.duckdb"))
    if floor["rows"] != lines:
        raise BenchBroken(f"the floor has {floor['rows']:.0f} rows of {lines} lines")
    with connect(place.url) as store:
        pid = engine_pid(place)
        cpu_before = read_cpu_s(pid)
        collector = place.run("collector", "-s", str(log))
        engine_cpu_s, engine_peak_bytes = read_cpu_s(pid) - cpu_before, read_peak_bytes(pid)
        (counts,) = store.query(COUNTS).to_pylist()
    if counts != {"records": lines, "rejects": 0}:
        raise BenchBroken(f"of {lines} lines the store has {counts}")
    stop(place.url)
    disk_bytes = place.size_bytes()
    shutil.rmtree(work)
    return Pair(floor["wall_s"], floor["cpu_s"], collector, engine_cpu_s, engine_peak_bytes, disk_bytes)


def engine_pid(place: Place) -> int:
    with DuckdbStore(place.store) as store:
        return store.engine_pid


def figures_of(pairs: list[Pair], lines: int) -> list[Figure]:
    millions = lines / 1e6
    return [
        median_of("floor: insertion alone", [lines / pair.floor_s for pair in pairs], "lines/s"),
        median_of("file to committed rows", [lines / pair.collector.wall_s for pair in pairs], "lines/s"),
        median_of("  ratio to the floor", [pair.floor_s / pair.collector.wall_s for pair in pairs], "", _RATIO),
        median_of("CPU of the floor", [pair.floor_cpu_s / millions for pair in pairs], "s per million lines"),
        median_of(
            "CPU of collector and engine",
            [(pair.collector.cpu_s + pair.engine_cpu_s) / millions for pair in pairs],
            "s per million lines",
        ),
        median_of("  collector", [pair.collector.cpu_s / millions for pair in pairs], "s per million lines"),
        median_of("  engine", [pair.engine_cpu_s / millions for pair in pairs], "s per million lines"),
        median_of("peak memory of the collector", [pair.collector.peak_bytes / 2**20 for pair in pairs], "MiB"),
        median_of("peak memory of the engine", [pair.engine_peak_bytes / 2**20 for pair in pairs], "MiB"),
        median_of("on disk", [pair.disk_bytes / lines for pair in pairs], "bytes per line", _BYTES_PER_LINE),
    ]
