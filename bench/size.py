"""Bytes on disk per line of a log with long and varied addresses, compared with other forms of the same lines."""

import shutil
from pathlib import Path
from typing import Final

import pyarrow as pa
from pyarrow import parquet

from bench.floor import parse
from bench.ingest import measure_cost
from bench.processes import Workspace, run_json
from bench.report import Figure, Target, single
from bench.shop import write_shop_log
from puppylog.stores.connect import stop
from puppylog.stores.duckdb.spool import ROW_GROUP

_UNIT: Final = "bytes per line"
_PER_LINE: Final = Target(at_most=22)
_ZSTD_LEVEL: Final = 3
_READ_BYTES: Final = 64 << 20


def measure_size(work: Path, lines: int) -> list[Figure]:
    """Collect a shop's log; return the sizes of the store, of an empty store, and of the same lines in other forms."""
    work.mkdir()
    log = work / "shop.log"
    write_shop_log(log, lines)
    cost = measure_cost(work / "ingest", log, lines)
    oneliner = run_json("bench.oneliner", str(log), str(work / "oneliner.duckdb"))
    figures = [
        single(f"a shop's log of {lines:,} lines", log.stat().st_size / lines, _UNIT),
        single("  in the store", cost.disk_bytes / lines, _UNIT, _PER_LINE),
        single("  the one-liner's", oneliner["disk_bytes"] / lines, _UNIT),
        single("  as Parquet, with zstd", _measure_parquet(log, work / "records.parquet") / lines, _UNIT),
        single(f"  the file, with zstd -{_ZSTD_LEVEL}", _measure_zstd(log) / lines, _UNIT),
        single("  collector and engine", cost.cpu_s / (lines / 1e6), "s per million lines"),
        single("a store with one empty log", _measure_empty(work / "empty") / 2**20, "MiB"),
    ]
    shutil.rmtree(work)
    return figures


def _measure_parquet(log: Path, path: Path) -> int:
    """Return the size of the records as a Parquet file, in bytes."""
    rows = parse(log)
    writer = parquet.ParquetWriter(str(path), rows.schema, compression="zstd")
    writer.write_table(rows, row_group_size=ROW_GROUP)
    writer.close()
    return path.stat().st_size


def _measure_zstd(log: Path) -> int:
    """Return the size of the compressed file, in bytes."""
    codec = pa.Codec("zstd", compression_level=_ZSTD_LEVEL)
    with log.open("rb") as file:
        return sum(len(codec.compress(block)) for block in iter(lambda: file.read(_READ_BYTES), b""))


def _measure_empty(work: Path) -> int:
    workspace = Workspace(work)
    log = work / "empty.log"
    log.touch()
    workspace.run("collector", "-s", str(log))
    stop(workspace.url)
    return workspace.size_bytes()
