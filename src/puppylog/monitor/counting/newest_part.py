"""Counts the newest part of the records of a search, as large as the time allows."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, TypeVar

from puppylog.model.expression.term import Dialect
from puppylog.monitor.budget import Budget
from puppylog.monitor.counting.tallied import find_tallies
from puppylog.monitor.range import Range
from puppylog.monitor.search import Search, count_records
from puppylog.stores.base import RecordReader
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores", "monitor.sql")

T = TypeVar("T")

# Every store counts more records in a second, whatever the search asks. So a range that has fewer is counted at once.
_RECORDS_A_SECOND: Final = 200_000
_FIRST_PART: Final = 1 / 512  # of the range
_NEARLY_ALL: Final = 0.9
_WORTH: Final = 1.5  # a larger part must be larger by this factor, because it counts the smaller one again


def count_newest_part(
    reader: RecordReader, search: Search, budget: Budget, count: Callable[[Search], T], *, is_tallied: bool = False
) -> tuple[T, datetime | None]:
    """Return what ``count`` returns for the records of a search, and from where on these are counted; None: all are.

    The newest part is counted alone if the whole would probably take longer than the budget.

    Args:
        reader: the store.
        search: chooses the records.
        budget: the time for all parts.
        count: counts the records of a search. A smaller part is counted first, and again with the larger one.
        is_tallied: whether the store has tallies for the whole, which is then counted as quickly as a part.
    """
    if is_tallied or _is_small(reader, search.within, budget):
        return count(search), None
    ends = find_ends(reader, search.within)
    if ends is None:  # the records were deleted meanwhile
        return count(search), None
    oldest, newest = ends
    whole = newest - oldest
    width = whole * _FIRST_PART
    while width < whole:
        started = budget.clock()
        since = newest - width
        counted = count(replace(search, within=Range(since, search.within.until)))
        growth = budget.grow(started)
        if growth < _WORTH and width * growth < whole:
            return counted, since
        width *= growth
    return count(search), None


def _is_small(reader: RecordReader, within: Range, budget: Budget) -> bool:
    """Return whether a range has so few records that counting all of them surely fits into the budget.

    Parts of such a range take as long as the whole: most of the time is that of a query.
    """
    max_records = int(min(budget.seconds, 1) * _RECORDS_A_SECOND)
    return count_records(reader, Search(within=within), max_records + 1) <= max_records


def is_tallied(
    reader: RecordReader, search: Search, column: str | None, *, dialect: Dialect, steps: int | None = None
) -> bool:
    """Return whether tallies count nearly all records of a search, so that counting all of them takes no time.

    Args:
        reader: the store.
        search: chooses the records.
        column: by whose values records are counted, or the name of a field of tallies; None: by something else.
        dialect: the SQL dialect of the store.
        steps: the greatest number of steps in which records are counted; None: they are counted as a whole.
    """
    tallied = None if column is None else find_tallies(reader, search, column, dialect=dialect)
    ends = None if tallied is None else find_ends(reader, search.within)
    if tallied is None or ends is None:
        return False
    whole = ends[1] - ends[0]
    return tallied.length >= _NEARLY_ALL * whole and (steps is None or whole >= steps * timedelta(hours=1))


def find_ends(reader: RecordReader, within: Range) -> tuple[datetime, datetime] | None:
    """Return the times of the oldest and the newest record in a range, with any text; None without a record."""
    [oldest] = reader.query(_QUERIES["oldest_time"], within.parameters())["oldest"].to_pylist()
    [newest] = reader.query(_QUERIES["newest_time"], within.parameters())["newest"].to_pylist()
    return None if oldest is None or newest is None else (oldest, newest)
