"""An engine of a test that drops records when the test says so."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from puppylog.model.metric import Metric
from puppylog.model.record import RECORDS, REJECTS
from puppylog.model.retention import Retention
from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.duckdb.engine.database import Engine
from puppylog.stores.duckdb.engine.definitions import DEFINITIONS
from puppylog.stores.duckdb.engine.ingest import append_records
from puppylog.stores.duckdb.engine.ranges import US_PER_S
from puppylog.stores.duckdb.engine.refresh import refresh
from puppylog.stores.duckdb.engine.retainer import Retainer
from support.schema_template import copy_schema

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
DAY_S = 86_400
SOURCES = pa.schema([("stream_id", pa.int32()), ("file_id", pa.int32())])


class RetainingStore:
    """An engine whose clock stands still, and whose retainer runs only when a test calls it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.now = NOW
        self.lines = 0
        self.retainer = Retainer(engine, lambda: round(self.now.timestamp() * US_PER_S), runs_thread=False)

    def add(self, ages_s: Sequence[float], stream_id: int = 1, **columns: Any) -> None:
        """Store a record for each age, in seconds before NOW."""
        rows = [
            {"ts": NOW - timedelta(seconds=age_s), "line_offset": self.lines + no, "stream_id": stream_id, "file_id": 7}
            for no, age_s in enumerate(ages_s)
        ]
        self.lines += len(rows)
        table = pa.Table.from_pylist([{**row, **columns} for row in rows], pa.schema([*SOURCES, *RECORDS]))
        self.engine.write(lambda connection: append_records(connection, table))

    def reject(self, age_s: float) -> None:
        line = {"stream_id": 1, "file_id": 7, "line_offset": self.lines, "reason": "odd", "line": b"x"}
        self.lines += 1
        rows = pa.Table.from_pylist([line], pa.schema([*SOURCES, *REJECTS]))

        def work(connection: Connection) -> None:
            with connection.table("rejects", rows):
                at = f"TIMESTAMPTZ '{(NOW - timedelta(seconds=age_s)).isoformat()}'"
                connection.run(
                    f"INSERT INTO puppylog.rejected_lines BY NAME SELECT *, {at} AS rejected_at FROM rejects"
                )

        self.engine.write(work)

    def rows(self, sql: str) -> list[dict[str, Any]]:
        with self.engine.read() as connection:
            return connection.rows(sql)

    def count(self, table: str = "log_records") -> int:
        return int(self.rows(f"SELECT count(*) AS n FROM puppylog.{table}")[0]["n"])

    def metric(self, name: str, statistic: str = "count", prop: str = "*", period_s: int = 60, **rest: Any) -> None:
        metric = Metric(name, statistic, prop, period_s, **rest)
        self.engine.write(partial(DEFINITIONS.create_metric, metric=metric))

    def refresh(self, *names: str) -> None:
        now_us = round(self.now.timestamp() * US_PER_S)
        self.engine.write(lambda connection: refresh(connection, names, now_us))

    def total(self, name: str) -> float:
        return float(self.rows(f"SELECT coalesce(sum(value), 0) AS n FROM metrics.{name}")[0]["n"])

    def values(self, name: str) -> list[float | None]:
        return [row["value"] for row in self.rows(f"SELECT value FROM metrics.{name} ORDER BY bucket, segment")]

    def keep(self, retention: Retention) -> None:
        self.retainer.set_retention(retention)
        self.retainer.run_due()


def read_archive(root: Path, pattern: str = "*/day=*/*.parquet") -> pa.Table:
    """Return all rows of the archive's files, as a program that knows only the directory."""
    tables = [parquet.read_table(str(path)) for path in sorted(root.glob(pattern))]
    return pa.concat_tables([table.select([name for name in table.column_names if name != "day"]) for table in tables])


@contextmanager
def open_store(folder: Path) -> Iterator[RetainingStore]:
    """Yield a new store in ``folder``."""
    (folder / "outgoing").mkdir()
    with Engine(copy_schema(folder / "database"), None, folder / "outgoing") as engine:
        yield RetainingStore(engine)
