"""The cost of a line in a small file and in a large one, which should be equal."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from bench.ingest import Cost, measure_cost, write_log
from bench.processes import BenchBroken
from bench.report import Figure, Target, single

SIZES: Final = (1, 3, 10, 30)
"""Sizes of the files, as multiples of a number of lines."""

_COPY_BYTES = 16 << 20
_COLLECTOR_MIB = Target(at_most=300)
_GROWTH = Target(at_most=1.15)


def measure_flat(work: Path, unit_lines: int, say: Callable[[str], None], sizes: Sequence[int] = SIZES) -> list[Figure]:
    """Collect files of ``sizes`` times ``unit_lines`` lines. The same lines are repeated.

    Raises:
        BenchBroken: there is not enough disk space for the largest file.
    """
    work.mkdir()
    unit, log = work / "unit.log", work / "access.log"
    write_log(unit, unit_lines)
    # Space for the file, and as much again for spool and store.
    needed, free = 2 * max(sizes) * unit.stat().st_size, shutil.disk_usage(work).free
    if free < needed:
        raise BenchBroken(
            f"a file of {max(sizes) * unit_lines:,} lines needs {needed >> 30} GiB, {free >> 30} GiB are free"
        )
    costs: dict[int, Cost] = {}
    for size in sizes:
        _repeat(unit, size, log)
        lines = size * unit_lines
        costs[size] = measure_cost(work / "ingest", log, lines)
        log.unlink()
        say(f"{lines:,} lines: {lines / costs[size].collector.wall_s:,.0f} lines/s")
    shutil.rmtree(work)
    return [figure for size in sizes for figure in _figures_of(costs[size], size * unit_lines)] + [
        single(
            f"cost of a line, {max(sizes)} times as many to {min(sizes)}",
            (costs[max(sizes)].cpu_s / max(sizes)) / (costs[min(sizes)].cpu_s / min(sizes)),
            "",
            _GROWTH,
        )
    ]


def _figures_of(cost: Cost, lines: int) -> list[Figure]:
    return [
        single(f"{lines:,} lines in one file", lines / cost.collector.wall_s, "lines/s"),
        single("  CPU of collector and engine", cost.cpu_s / (lines / 1e6), "s per million lines"),
        single("  peak memory of the collector", cost.collector.peak_bytes / 2**20, "MiB", _COLLECTOR_MIB),
        single("  peak memory of the engine", cost.engine_peak_bytes / 2**20, "MiB"),
    ]


def _repeat(unit: Path, times: int, log: Path) -> None:
    with log.open("wb") as target:
        for _ in range(times):
            with unit.open("rb") as source:
                shutil.copyfileobj(source, target, _COPY_BYTES)
