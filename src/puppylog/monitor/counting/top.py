"""The most frequent values of a field, or of several."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, TypeAlias

from puppylog.model.expression.term import Dialect
from puppylog.model.query.fields import Field, Kind
from puppylog.monitor.counting.field import order_sql, read_origins, value_sql, values_sql
from puppylog.monitor.counting.sample import plan_sample
from puppylog.monitor.search import Search
from puppylog.stores.base import RecordReader
from puppylog.stores.queries import load_queries

Value: TypeAlias = str | int | float | datetime

_QUERIES = load_queries("puppylog.stores", "counting.sql")

_ALL: Final = 2**31 - 1

SAMPLE_RECORDS: Final = 2_000_000
"""The size of a sample: DuckDB counts the values of eight columns of so many records in about 0.1 s."""

_WITH_ATTRIBUTES: Final = 8  # by how much a sample is smaller if attributes are counted
# All records take about so many times as long as the sample if few of them pass the filter: then they are counted.
_ALL_TO_SAMPLE: Final = 4


@dataclass(frozen=True, slots=True)
class TopValue:
    """A value, and the number of records that have it. The value None stands for records without one."""

    value: Value | None
    count: int


@dataclass(frozen=True, slots=True)
class Top:
    """The most frequent values, the most frequent first, of values with the same count the smaller first.

    Attributes:
        values: the values.
        records: the number of records that the search finds, whatever their values.
        distinct: the number of different values; no value counts as one.
        share: the part of the range of time whose records were counted, if that is not all of it.
    """

    values: Sequence[TopValue]
    records: int
    distinct: int
    share: float | None = None


def count_top(reader: RecordReader, field: Field, search: Search, *, dialect: Dialect, values: int) -> Top:
    """Return the ``values`` most frequent values of a field, of the records that the search finds."""
    names = read_origins(reader, field.kind)
    sql = _QUERIES["top"].format(
        values=values_sql(reader, field, search, dialect), order=order_sql(field, dialect, "value")
    )
    # Several streams may have one group, so all of them are counted before the most frequent are known.
    limit = values if names is None else _ALL
    rows = reader.query(sql, {**search.parameters(), "values": limit}).to_pylist()
    records, distinct = int(rows[0]["records"]), int(rows[0]["different"])
    found = [TopValue(row["value"], int(row["n"])) for row in rows if row["n"] is not None]
    return Top(found, records, distinct) if names is None else _name_values(found, names, records, values)


def _name_values(found: Iterable[TopValue], names: Mapping[int, str | None], records: int, values: int) -> Top:
    counts: Counter[str | None] = Counter()
    for one in found:
        counts[names.get(one.value) if isinstance(one.value, int) else None] += one.count
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0] is None, item[0] or ""))
    return Top([TopValue(name, count) for name, count in ordered[:values]], records, len(counts))


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
        Top(found, records, int(rows[0]["different"])) if names is None else _name_values(found, names, records, values)
    )
