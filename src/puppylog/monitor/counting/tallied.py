"""Counts records by tallies where the store has them, and by the records themselves elsewhere.

A tally counts all records of a day by the values of a field, in most cases hour by hour. So only a search without a
condition, at most with a range of time and a group, can use tallies. The answer is the same as without them. The store
may delete a tally while a query that has chosen it runs, but keeps its counts for some minutes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from puppylog.model.expression.term import Dialect
from puppylog.monitor.range import Range
from puppylog.monitor.search import Search
from puppylog.monitor.timeline import EPOCH
from puppylog.stores.base import RecordReader
from puppylog.stores.queries import load_queries
from puppylog.stores.tallies import COLUMNS, DAY_S, HOUR_S, NUMBERS

_QUERIES = load_queries("puppylog.stores", "tallies.sql")
_MONITOR = load_queries("puppylog.stores", "monitor.sql")

TALLIES_SQL: Final = _QUERIES["tallies"]
"""The query of the tallies for a range."""

_US: Final = 1_000_000
_HOUR_US: Final = HOUR_S * _US
_FIRST_US, _LAST_US = -(2**61), 2**61  # before and after all instants of records


@dataclass(frozen=True, slots=True)
class Tallied:
    """The tallies of a field that a search can use.

    Attributes:
        ids: of the tallies.
        in_range: SQL that chooses the hours of the search.
        in_group: SQL that chooses the streams of the search.
        rest: finds the records that no tally counts.
        length: of the time in which tallies count the records.
    """

    ids: str
    in_range: str
    in_group: str
    rest: Search
    length: timedelta

    def render(self, query: str, **parts: str) -> str:
        """Return the SQL of the query ``query`` of ``tallies.sql`` over these tallies."""
        return _QUERIES[query].format(ids=self.ids, in_range=self.in_range, in_group=self.in_group, **parts)


def find_tallies(
    reader: RecordReader, search: Search, field: str, *, dialect: Dialect, step_s: int | None = None
) -> Tallied | None:
    """Return the tallies by which the records of a search can be counted; None if there are none.

    Args:
        reader: the store.
        search: chooses the records.
        field: the name of the tallies' field.
        dialect: the SQL dialect of the store.
        step_s: the length of the steps since the epoch in which records are counted; None: they are counted as a whole.
    """
    if dialect != "duckdb" or search.condition != "true" or (step_s is not None and step_s % HOUR_S):
        return None
    since_us, until_us = _whole_hours(search.within)
    longest_s = DAY_S if step_s is None or step_s % DAY_S == 0 else HOUR_S
    ids: list[str] = []
    counted: list[tuple[int, int]] = []
    for id_, start_us, tally_step_s in _iter_tallies(reader, search.within, field):
        day = (start_us, start_us + DAY_S * _US)
        part = (max(day[0], since_us), min(day[1], until_us))
        is_usable = tally_step_s <= longest_s and (part == day or tally_step_s == HOUR_S)
        if is_usable and part[0] < part[1]:
            ids.append(str(id_))
            counted.append(part)
    if not ids:
        return None
    in_range = f"starts_at >= make_timestamptz({since_us}) AND starts_at < make_timestamptz({until_us})"
    in_group = _MONITOR["in_any_group" if search.group_id is None else "in_one_group"]
    rest = replace(search, condition=" OR ".join(_iter_gaps(counted)))
    length = timedelta(microseconds=sum(end_us - start_us for start_us, end_us in counted))
    return Tallied(", ".join(ids), in_range, in_group, rest, length)


def _iter_tallies(reader: RecordReader, within: Range, field: str) -> Iterator[tuple[int, int, int]]:
    """Yield the id of each tally of a field for the days of a range, its start in microseconds, and its step in s.

    The query is that of all fields, so that a `RememberingReader` asks it once for all questions about a range.
    """
    tallies = reader.query(TALLIES_SQL, within.parameters())
    # Not with Arrow's functions, which take longer to load than this.
    columns = (tallies[name].to_pylist() for name in ("field", "id", "start_us", "step_s"))
    return ((id_, start_us, step_s) for name, id_, start_us, step_s in zip(*columns, strict=True) if name == field)


def _whole_hours(within: Range) -> tuple[int, int]:
    """Return the start of the first whole hour of a range and the end of the last one, in microseconds."""
    since_us = _FIRST_US if within.since is None else _epoch_us(within.since)
    until_us = _LAST_US if within.until is None else _epoch_us(within.until)
    return -(-since_us // _HOUR_US) * _HOUR_US, until_us // _HOUR_US * _HOUR_US


def _epoch_us(instant: datetime) -> int:
    return (instant - EPOCH) // timedelta(microseconds=1)


def _iter_gaps(ranges: Iterable[tuple[int, int]]) -> Iterator[str]:
    """Yield the conditions of the times outside of ranges that are in order."""
    last_us: int | None = None
    for start_us, end_us in ranges:
        if last_us is None:
            yield f"ts < make_timestamptz({start_us})"
        elif last_us < start_us:
            yield f"(ts >= make_timestamptz({last_us}) AND ts < make_timestamptz({start_us}))"
        last_us = end_us
    yield f"ts >= make_timestamptz({last_us})"


def counts_sql(
    reader: RecordReader, search: Search, column: str | None, *, dialect: Dialect, step: tuple[int, str] | None = None
) -> str:
    """Return a query with the number ``n`` of records for each value of a column and each step of time.

    Args:
        reader: the store.
        search: chooses the records.
        column: of ``log_records``; the query has a column of this name. None: the query has no such column.
        dialect: the SQL dialect of the store.
        step: the seconds in a step, and the SQL of a step's number for a record with the time ``ts``. The query has a
            column ``step``. None: it has none.
    """
    keys = [*([] if step is None else [f"{step[1]} AS step"]), *([] if column is None else [column])]
    tallied = None
    if column is None or column in COLUMNS:
        step_s = None if step is None else step[0]
        tallied = find_tallies(reader, search, column or "stream_id", dialect=dialect, step_s=step_s)
    places = ", ".join(str(place) for place in range(1, len(keys) + 1))
    if tallied is None:
        return _QUERIES["counted_records"].format(
            keys=", ".join(keys), places=places, chosen=search.render("chosen_records")
        )
    value = "number" if column in NUMBERS else "value"
    typed = "" if column in {None, "stream_id"} else f", CAST({value} AS {COLUMNS[column or '']}) AS {column}"
    return tallied.render(
        "tallied_records",
        keys=", ".join(keys),
        names=", ".join([*([] if step is None else ["step"]), *([] if column is None else [column])]),
        places=places,
        typed=typed,
        chosen=tallied.rest.render("chosen_records"),
    )
