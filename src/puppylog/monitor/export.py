"""All rows of a store, day by day, with the names of their sources, for files that are read without the store."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

import pyarrow as pa

from puppylog.stores.archive_columns import ARCHIVED, INSTANTS, NAMES
from puppylog.stores.base import RecordReader
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores", "monitor.sql")
_EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Day:
    """A day in UTC that has rows of a table."""

    table: str  # log_records or rejected_lines
    date: date
    rows: int  # how many there were when the days were listed


def list_days(reader: RecordReader, table: str) -> list[Day]:
    """Return the days that have rows of a table, the oldest first."""
    rows = reader.query(_QUERIES["days"].format(table=table, instant=INSTANTS[table])).to_pylist()
    return [Day(table, _EPOCH + timedelta(days=row["day"]), row["row_count"]) for row in rows]


@contextmanager
def open_day(reader: RecordReader, day: Day) -> Iterator[Iterator[pa.RecordBatch]]:
    """Yield the rows of a day in batches, in no order. They have the columns of `ARCHIVED`.

    A source that a collector opens meanwhile may have rows without its names.
    """
    schema, since = ARCHIVED[day.table], datetime(day.date.year, day.date.month, day.date.day, tzinfo=UTC)
    sql = _QUERIES["rows_of_day"].format(
        table=day.table,
        instant=INSTANTS[day.table],
        columns=", ".join(name for name in schema.names if name not in NAMES),
        since=since.isoformat(),
        until=(since + timedelta(days=1)).isoformat(),
    )
    names = _Names(reader)
    with reader.stream_query(sql) as batches:
        yield (names.add(batch, schema) for batch in batches)


class _Names:
    """The names of streams and files by their ids."""

    def __init__(self, reader: RecordReader) -> None:
        self._streams = reader.query(_QUERIES["names_of_streams"])
        self._files = reader.query(_QUERIES["paths_of_files"])
        self._store_id = reader.query(_QUERIES["store_id"])["store_id"][0].as_py()

    def add(self, batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
        """Return the rows with the columns of a schema of `ARCHIVED`."""
        columns = {name: batch.column(name) for name in batch.schema.names}
        columns["source_uri"] = _find(self._streams, "source_uri", columns["stream_id"])
        columns["group_name"] = _find(self._streams, "group_name", columns["stream_id"])
        columns["file_path"] = _find(self._files, "path", columns["file_id"])
        columns["store_id"] = pa.repeat(pa.scalar(self._store_id, pa.string()), batch.num_rows)
        return pa.RecordBatch.from_arrays(
            [columns[name].cast(schema.field(name).type) for name in schema.names], schema=schema
        )


def _find(table: pa.Table, name: str, ids: pa.Array) -> pa.Array:
    """Return the value of a column for each id."""
    from pyarrow import compute as pc  # noqa: PLC0415 - it takes a while to load, and few commands export

    known = table["id"].combine_chunks().cast(ids.type)
    return table[name].combine_chunks().take(pc.index_in(ids, value_set=known))
