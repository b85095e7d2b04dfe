"""Ingest, from file to committed rows, compared with the floor and the one-liner: speed, CPU, memory, bytes on disk."""

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.processes import BenchBroken, Usage, Workspace, read_cpu_s, read_peak_bytes, run_json
from bench.report import Figure, Target, median_of, single
from puppylog.cli.demo.traffic import Traffic
from puppylog.stores.connect import connect, stop
from puppylog.stores.duckdb.client.store import DuckdbStore

LINES_PER_S = 400.0
"""Lines per second of the log's own time stamps: 3 million lines cover two hours."""

_RATIO = Target(at_least=0.7)
_TIMES_ONELINER = Target(at_least=1.2)
_PARSED_PER_CORE_S = Target(at_least=2_000_000)
_COLLECTOR_MIB = Target(at_most=300)
_BYTES_PER_LINE = Target(at_most=16)
COUNTS = """
    SELECT (SELECT count(*) FROM puppylog.log_records) AS records,
           (SELECT count(*) FROM puppylog.rejected_lines) AS rejects
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one ingest: from the file to committed rows."""

    collector: Usage
    engine_cpu_s: float
    engine_peak_bytes: int
    disk_bytes: int

    @property
    def cpu_s(self) -> float:
        return self.collector.cpu_s + self.engine_cpu_s


@dataclass(frozen=True, slots=True)
class Round:
    """One measurement of the ingest and of all that it is compared with, one right after the other."""

    floor: dict[str, float]  # what `bench.floor` prints
    feeder: dict[str, float]  # what `bench.feeder` prints
    ingest: Cost
    oneliner: dict[str, float]  # what `bench.oneliner` prints


def write_log(path: Path, lines: int) -> None:
    """Write a combined log of ``lines`` lines whose last line is of now."""
    since = datetime.now(UTC) - timedelta(seconds=lines / LINES_PER_S)
    with path.open("wb") as file:
        for block in Traffic().iter_blocks(lines, since=since, rate_per_s=LINES_PER_S):
            file.write(block.data)


def measure_rounds(work: Path, log: Path, lines: int, rounds: int) -> Iterator[Round]:
    for number in range(rounds):
        yield _measure_round(work / f"round-{number}", log, lines)


def measure_parsing(log: Path) -> list[Figure]:
    result = run_json("bench.parsing", str(log))
    return [
        single(
            "parsing alone, lines per CPU second", result["lines"] / result["ours_s"], "lines/s", _PARSED_PER_CORE_S
        ),
        single("  pyarrow's CSV reader, splitting only", result["rows"] / result["splitting_s"], "lines/s"),
    ]


def measure_cost(work: Path, log: Path, lines: int) -> Cost:
    """Collect ``log`` into a fresh store whose engine runs already; return the cost.

    Raises:
        BenchBroken: the store lacks a line, or has one twice.
    """
    workspace = Workspace(work)
    with connect(workspace.url) as store:
        pid = engine_pid(workspace)
        cpu_before = read_cpu_s(pid)
        collector = workspace.run("collector", "-s", str(log))
        engine_cpu_s, engine_peak_bytes = read_cpu_s(pid) - cpu_before, read_peak_bytes(pid)
        (counts,) = store.query(COUNTS).to_pylist()
    if counts != {"records": lines, "rejects": 0}:
        raise BenchBroken(f"the store has {counts} of {lines} lines")
    stop(workspace.url)
    cost = Cost(collector, engine_cpu_s, engine_peak_bytes, workspace.size_bytes())
    shutil.rmtree(work)
    return cost


def _measure_round(work: Path, log: Path, lines: int) -> Round:
    work.mkdir()
    floor = _run_part("floor", log, work / "floor.duckdb", lines)
    feeder = _run_part("feeder", log, work / "fed", lines)
    stop(f"duckdb://{work / 'fed'}")
    ingest = measure_cost(work / "ingest", log, lines)
    oneliner = _run_part("oneliner", log, work / "oneliner.duckdb", lines)
    shutil.rmtree(work)
    return Round(floor, feeder, ingest, oneliner)


def _run_part(name: str, log: Path, store: Path, lines: int) -> dict[str, float]:
    result = run_json(f"bench.{name}", str(log), str(store))
    if result["rows"] != lines:
        raise BenchBroken(f"the {name} has {result['rows']:.0f} rows of {lines} lines")
    return result


def engine_pid(workspace: Workspace) -> int:
    with DuckdbStore(workspace.store) as store:
        return store.engine_pid


def figures_of(rounds: list[Round], lines: int) -> list[Figure]:
    return [*_speeds(rounds, lines), *_costs(rounds, lines / 1e6, lines)]


def _speeds(rounds: list[Round], lines: int) -> list[Figure]:
    ingests = [round_.ingest.collector.wall_s for round_ in rounds]
    floors = [round_.floor["wall_s"] for round_ in rounds]
    feeders = [round_.feeder["wall_s"] for round_ in rounds]
    oneliners = [round_.oneliner["wall_s"] for round_ in rounds]
    return [
        median_of("floor: insertion alone", [lines / taken_s for taken_s in floors], "lines/s"),
        median_of("ready rows to committed rows", [lines / taken_s for taken_s in feeders], "lines/s"),
        median_of("  of the floor", _ratios(floors, feeders), ""),
        median_of("file to committed rows", [lines / taken_s for taken_s in ingests], "lines/s"),
        median_of("  ratio to the floor", _ratios(floors, ingests), "", _RATIO),
        median_of("  times the one-liner", _ratios(oneliners, ingests), "", _TIMES_ONELINER),
        median_of("DuckDB one-liner", [lines / taken_s for taken_s in oneliners], "lines/s"),
    ]


def _costs(rounds: list[Round], millions: float, lines: int) -> list[Figure]:
    unit = "s per million lines"
    ingests = [round_.ingest for round_ in rounds]
    fed = [(round_.feeder["cpu_s"], round_.feeder["engine_cpu_s"]) for round_ in rounds]
    return [
        median_of("CPU of the floor", [round_.floor["cpu_s"] / millions for round_ in rounds], unit),
        median_of("CPU of the one-liner", [round_.oneliner["cpu_s"] / millions for round_ in rounds], unit),
        median_of("CPU of handing over ready rows: client", [client_s / millions for client_s, _ in fed], unit),
        median_of("  engine", [engine_s / millions for _, engine_s in fed], unit),
        median_of("CPU of collector and engine", [ingest.cpu_s / millions for ingest in ingests], unit),
        median_of("  collector", [ingest.collector.cpu_s / millions for ingest in ingests], unit),
        median_of("  engine", [ingest.engine_cpu_s / millions for ingest in ingests], unit),
        median_of(
            "peak memory of the collector",
            _mib(ingest.collector.peak_bytes for ingest in ingests),
            "MiB",
            _COLLECTOR_MIB,
        ),
        median_of("peak memory of the engine", _mib(ingest.engine_peak_bytes for ingest in ingests), "MiB"),
        median_of("on disk", [ingest.disk_bytes / lines for ingest in ingests], "bytes per line", _BYTES_PER_LINE),
        median_of("  the one-liner's", [round_.oneliner["disk_bytes"] / lines for round_ in rounds], "bytes per line"),
    ]


def _ratios(ones: list[float], others: list[float]) -> list[float]:
    return [one / other for one, other in zip(ones, others, strict=True)]


def _mib(sizes: Iterable[int]) -> list[float]:
    return [size / 2**20 for size in sizes]
