"""The most frequent values of a field."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from puppylog.model.expression.term import Dialect
from puppylog.model.query.fields import Field
from puppylog.monitor.counting.field import order_sql, read_origins, values_sql
from puppylog.monitor.search import Search
from puppylog.stores.base import RecordReader
from puppylog.stores.queries import load_queries

Value: TypeAlias = str | int | float | datetime

_QUERIES = load_queries("puppylog.stores", "counting.sql")

_ALL: Final = 2**31 - 1


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
        records: the number of records that the search finds, with any or no value.
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
    return Top(found, records, distinct) if names is None else name_values(found, names, records, values)


def name_values(found: Iterable[TopValue], names: Mapping[int, str | None], records: int, values: int) -> Top:
    """Return the counts of names, each of which may have several ids.

    Args:
        found: the counts of all ids.
        names: the names by id.
        records: the number of records.
        values: the greatest number of names.
    """
    counts: Counter[str | None] = Counter()
    for one in found:
        counts[names.get(one.value) if isinstance(one.value, int) else None] += one.count
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0] is None, item[0] or ""))
    return Top([TopValue(name, count) for name, count in ordered[:values]], records, len(counts))
