"""The floor: what inserting costs when nothing else is to be done. Run in a process of its own.

The lines are parsed beforehand into one Arrow table; timed is only its insertion into the same table of a database
opened with the engine's own settings and schema, 524,288 rows a transaction.
"""

import json
import resource
import sys
import time
from functools import partial
from pathlib import Path

import pyarrow as pa

from puppylog.formats.access.access_log import AccessLog
from puppylog.formats.access.response import Variant
from puppylog.stores.duckdb.engine import Connection, Engine
from puppylog.stores.duckdb.schema import migrate

TRANSACTION_ROWS = 524_288
_READ_BYTES = 16 << 20
_INSERT = "INSERT INTO puppylog.log_records BY NAME SELECT * FROM floor_rows"


def main() -> None:
    """Run as ``python -m bench.floor LOG DATABASE``; print rows, seconds and CPU seconds as JSON."""
    log, database = map(Path, sys.argv[1:3])
    rows = parse(log)
    with Engine(database) as engine:
        engine.write(migrate)
        cpu_before, started = _cpu_s(), time.perf_counter()
        for begin in range(0, rows.num_rows, TRANSACTION_ROWS):
            part = rows.slice(begin, TRANSACTION_ROWS)
            engine.write(partial(insert, rows=part))
        wall_s, cpu_s = time.perf_counter() - started, _cpu_s() - cpu_before
    sys.stdout.write(json.dumps({"rows": rows.num_rows, "wall_s": wall_s, "cpu_s": cpu_s}))


def insert(connection: Connection, rows: pa.Table) -> None:
    with connection.table("floor_rows", rows):
        connection.run(_INSERT)


def parse(log: Path) -> pa.Table:
    """Return all records of the log, of one stream and one file."""
    format_ = AccessLog(Variant.COMBINED)
    batches = []
    offset = 0
    with log.open("rb") as file:
        while data := file.read(_READ_BYTES):
            data += file.readline()
            batches.append(format_.parse(data, offset, 0).records)
            offset += len(data)
    rows = pa.Table.from_batches(batches)
    number = pa.repeat(pa.scalar(1, pa.int32()), rows.num_rows)
    return rows.append_column("stream_id", number).append_column("file_id", number)


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
