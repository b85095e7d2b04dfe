"""A RecordReader over a database in memory with the tables of a store, for tests of `monitor`."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self

import duckdb
import pyarrow as pa

from puppylog.stores.base import Parameters, StoreInfo
from puppylog.stores.cancellation import Cancellation
from puppylog.stores.duckdb.engine.schema import SCHEMA_VERSION
from puppylog.stores.queries import parameters_of
from support.schema_template import find_template

_TEXT = re.compile(r"--[^\n]*|'[^']*'")


class MemoryReader:
    """Answers queries as a store does. Tests add rows with `insert`."""

    info = StoreInfo("memory:", "duckdb", duckdb.__version__, SCHEMA_VERSION)

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        self._columns: dict[str, list[Any]] = {}  # by the name of a table, what `insert` must know of its columns
        self.connection.execute("SET TimeZone = 'UTC'")
        self.connection.execute(f"ATTACH '{find_template()}' AS template (READ_ONLY)")
        self.connection.execute("COPY FROM DATABASE template TO memory")
        self.connection.execute("DETACH template")

    def query(
        self, sql: str, parameters: Parameters | None = None, *, cancellation: Cancellation | None = None
    ) -> pa.Table:
        del cancellation
        wanted = parameters_of(_TEXT.sub("", sql))
        assert wanted == set(parameters or {}), "a query must get exactly the parameters that it names"
        values = dict(parameters) if parameters else None
        table: pa.Table = self.connection.sql(sql, params=values).to_arrow_table()
        return table

    @contextmanager
    def stream_query(
        self,
        sql: str,
        parameters: Parameters | None = None,
        *,
        timeout_s: float | None = None,
        cancellation: Cancellation | None = None,
    ) -> Iterator[Iterator[pa.RecordBatch]]:
        del timeout_s, cancellation
        yield iter(self.query(sql, parameters).to_batches())

    def insert(self, table: str, **row: Any) -> None:
        """Insert a row into a table of the store. Other columns have their default, null, or an empty value."""
        columns = self._columns.get(table)
        if columns is None:
            columns = self._columns[table] = self.connection.execute(
                "SELECT column_name, data_type, is_nullable, column_default FROM information_schema.columns "
                "WHERE table_name = ? ORDER BY ordinal_position",
                [table],
            ).fetchall()
        assert not set(row) - {name for name, *_ in columns}
        blank = {"VARCHAR": "", "TIMESTAMP WITH TIME ZONE": "2000-01-01T00:00:00Z"}
        values = {
            name: row.get(name, None if nullable == "YES" else blank.get(kind, False if kind == "BOOLEAN" else 0))
            for name, kind, nullable, default in columns
            if name in row or default is None
        }
        places = ", ".join("?" * len(values))
        self.connection.execute(
            f"INSERT INTO puppylog.{table} ({', '.join(values)}) VALUES ({places})", list(values.values())
        )

    def make_metric(self, name: str, rows: Sequence[tuple[str, str | None, float]], **row: Any) -> None:
        """Define a metric with the observations ``rows``, each of bucket, segment and value."""
        self.insert("metrics", **{"name": name, "statistic": "count", "property": "*", "period_s": 10, **row})
        self.connection.execute(f"CREATE TABLE metrics.{name} (bucket TIMESTAMPTZ, segment VARCHAR, value DOUBLE)")
        for observation in rows:
            self.connection.execute(f"INSERT INTO metrics.{name} VALUES (?, ?, ?)", observation)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()
