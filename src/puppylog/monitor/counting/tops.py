"""The most frequent values of several fields at once, of all records or of a sample."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from puppylog.model.expression.term import Dialect
from puppylog.model.query.fields import Field, Kind
from puppylog.monitor.counting.field import column_of, read_origins, value_sql
from puppylog.monitor.counting.sample import plan_sample
from puppylog.monitor.counting.tallied import find_tallies
from puppylog.monitor.counting.top import Top, TopValue, count_top, name_values
from puppylog.monitor.search import Search
from puppylog.stores.base import RecordReader
from puppylog.stores.queries import load_queries
from puppylog.stores.tallies import COLUMNS

_QUERIES = load_queries("puppylog.stores", "counting.sql")

_ALL: Final = 2**31 - 1

SAMPLE_RECORDS: Final = 2_000_000
"""The number of records in a sample: DuckDB counts the values of eight columns of them in about 0.1 s."""

_WITH_ATTRIBUTES: Final = 8  # by how much a sample is smaller if attributes are counted
# Counting all records takes about this many times as long if few of them pass the filter: then all are counted.
_ALL_TO_SAMPLE: Final = 4


def count_tops(
    reader: RecordReader,
    fields: Sequence[Field],
    search: Search,
    *,
    dialect: Dialect,
    values: int,
    budget_s: float | None = None,
    sample_records: int = SAMPLE_RECORDS,
    clock: Callable[[], float] = time.monotonic,
) -> list[Top]:
    """Return the ``values`` most frequent values of each field, in the order of the fields.

    Args:
        reader: the store.
        fields: the fields.
        search: chooses the records.
        dialect: the SQL dialect of the store.
        values: the greatest number of values of each field.
        budget_s: if counting all records of the embedded store would take longer than so many seconds, those of a
            sample are counted; None counts all.
        sample_records: the number of records that a sample looks through.
        clock: returns the time in seconds.
    """
    if not fields:
        return []
    if all(_has_tallies(reader, field, search, dialect) for field in fields):
        return [count_top(reader, field, search, dialect=dialect, values=values) for field in fields]
    if budget_s is None:
        return _count_all(reader, fields, search, dialect=dialect, values=values)
    has_attributes = any(field.kind is Kind.ATTRIBUTE for field in fields)
    records = sample_records // _WITH_ATTRIBUTES if has_attributes else sample_records
    sample = plan_sample(reader, search, dialect=dialect, records=records)
    if sample is None:
        return _count_all(reader, fields, search, dialect=dialect, values=values)
    started = clock()
    found = _count_all(reader, fields, sample.search, dialect=dialect, values=values)
    if (clock() - started) * (1 + _ALL_TO_SAMPLE) <= budget_s:
        return _count_all(reader, fields, search, dialect=dialect, values=values)
    return [replace(top, share=sample.share) for top in found]


def _has_tallies(reader: RecordReader, field: Field, search: Search, dialect: Dialect) -> bool:
    column = column_of(field)
    return column in COLUMNS and find_tallies(reader, search, column or "", dialect=dialect) is not None


def _count_all(
    reader: RecordReader, fields: Sequence[Field], search: Search, *, dialect: Dialect, values: int
) -> list[Top]:
    if dialect != "duckdb" or len(fields) == 1:
        return [count_top(reader, field, search, dialect=dialect, values=values) for field in fields]
    origins = [read_origins(reader, field.kind) for field in fields]
    names = [f"v{index}" for index in range(len(fields))]
    others = _masks(len(fields))
    sql = _QUERIES["tops"].format(
        names=", ".join(names),
        columns=", ".join(f"{value_sql(field, dialect)} AS {name}" for field, name in zip(fields, names, strict=True)),
        sets=", ".join(f"({name})" for name in names),
        chosen=search.render("chosen_records"),
        # Several streams may have one group, so all of them are counted before the most frequent are known.
        named=", ".join(str(mask) for mask, known in zip(others, origins, strict=True) if known is not None) or "NULL",
        all=_ALL,
    )
    rows: dict[int, list[dict[str, Any]]] = {}
    for row in reader.query(sql, {**search.parameters(), "values": values}).to_pylist():
        rows.setdefault(row["others"], []).append(row)
    return [
        _read_top(rows.get(mask, []), name, known, values)
        for mask, name, known in zip(others, names, origins, strict=True)
    ]


def _masks(columns: int) -> list[int]:
    """Return for each column the mask of GROUPING in the rows that count this column only."""
    return [(1 << columns) - 1 - (1 << (columns - 1 - index)) for index in range(columns)]


def _read_top(
    rows: Sequence[Mapping[str, Any]], column: str, names: Mapping[int, str | None] | None, values: int
) -> Top:
    if not rows:
        return Top([], 0, 0)
    found = [TopValue(row[column], int(row["n"])) for row in rows]
    records = int(rows[0]["records"])
    return (
        Top(found, records, int(rows[0]["different"])) if names is None else name_values(found, names, records, values)
    )
