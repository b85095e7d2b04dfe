"""A part of the records that a search may find, which is counted if all of them are too many to count at once.

The part is a number of slices of the search's range of time, of equal length and at equal distances. The embedded store
reads only the blocks of rows in the slices.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from puppylog.model.expression.term import Dialect
from puppylog.monitor.condition_sql import ConditionSql
from puppylog.monitor.search import Search
from puppylog.stores.base import RecordReader
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores", "counting.sql")

_SLICES: Final = 16
_LEAST: Final = timedelta(seconds=1)  # the length of a slice


@dataclass(frozen=True, slots=True)
class Sample:
    """A search for a part of the records.

    Attributes:
        search: finds the records of the sample.
        share: of the whole range of time, above 0 and below 1.
    """

    search: Search
    share: float


def plan_sample(reader: RecordReader, search: Search, *, dialect: Dialect, records: int) -> Sample | None:
    """Return a sample in which the search looks through about ``records`` records; None if it need not be one.

    Other stores than the embedded one count all records: they would need as long to find out how many there are.
    """
    if dialect != "duckdb":
        return None
    in_range = Search(within=search.within)
    extent = reader.query(_QUERIES["extent"].format(chosen=in_range.render("chosen_records")), in_range.parameters())
    [row] = extent.to_pylist()
    if row["records"] <= 2 * records:
        return None
    first_at, last_at = row["first_at"], row["last_at"]
    share = records / row["records"]
    distance = (last_at - first_at) / _SLICES
    if distance * share < _LEAST:
        return None
    slices = " OR ".join(
        f"(ts >= {_instant(start)} AND ts < {_instant(start + distance * share)})"
        for start in _iter_starts(first_at, distance)
    )
    condition = search.condition if isinstance(search.condition, ConditionSql) else ConditionSql(search.condition)
    return Sample(replace(search, condition=condition.limit(slices)), share)


def _iter_starts(first_at: datetime, distance: timedelta) -> Iterator[datetime]:
    for index in range(_SLICES):
        yield first_at + index * distance


def _instant(instant: datetime) -> str:
    return f"TIMESTAMPTZ '{instant.astimezone(UTC).isoformat()}'"
