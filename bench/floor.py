"""The floor: the cost of inserting rows into DuckDB, and nothing else. It runs in a process of its own.

The lines are parsed beforehand into one Arrow table. The time is that of inserting it, 524,288 rows per transaction,
into a database with the engine's settings and schema.
"""

import json
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pyarrow as pa

from bench.processes import Stopwatch
from puppylog.formats.registry import find_format
from puppylog.model.record import Parsed
from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.duckdb.engine.database import Engine
from puppylog.stores.duckdb.engine.schema import migrate

FORMAT = "combined"
TRANSACTION_ROWS = 524_288
_READ_BYTES = 16 << 20
_INSERT = "INSERT INTO puppylog.log_records BY NAME SELECT * FROM floor_rows"


def main() -> None:
    """Run as ``python -m bench.floor LOG DATABASE``; print rows, seconds and CPU seconds as JSON."""
    log, database = map(Path, sys.argv[1:3])
    rows = parse(log)
    with Engine(database) as engine:
        engine.write(migrate)
        watch = Stopwatch()
        for begin in range(0, rows.num_rows, TRANSACTION_ROWS):
            part = rows.slice(begin, TRANSACTION_ROWS)
            engine.write(partial(insert, rows=part))
        taken = watch.read()
    sys.stdout.write(json.dumps({"rows": rows.num_rows, **taken}))


def insert(connection: Connection, rows: pa.Table) -> None:
    with connection.table("floor_rows", rows):
        connection.run(_INSERT)


def parse(log: Path) -> pa.Table:
    """Return all records of the log, as those of one stream and one file."""
    rows = pa.Table.from_batches([parsed.records for parsed in iter_parsed(log, _READ_BYTES)])
    number = pa.repeat(pa.scalar(1, pa.int32()), rows.num_rows)
    return rows.append_column("stream_id", number).append_column("file_id", number)


def iter_parsed(log: Path, read_bytes: int) -> Iterator[Parsed]:
    """Yield the parsed lines of the log, in pieces of about ``read_bytes`` bytes."""
    parser = find_format(FORMAT).open()
    offset = 0
    with log.open("rb") as file:
        while data := file.read(read_bytes):
            data += file.readline()
            yield parser.parse(data, offset, 0)
            offset += len(data)


if __name__ == "__main__":
    main()
