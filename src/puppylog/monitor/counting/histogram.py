"""The number of records over time, in steps of equal length."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from puppylog.errors import UsageError
from puppylog.model.expression.term import Dialect
from puppylog.model.query.fields import Field
from puppylog.monitor.counting.field import column_of, order_sql, read_origins, value_sql
from puppylog.monitor.counting.tallied import counts_sql
from puppylog.monitor.range import Range
from puppylog.monitor.search import Search
from puppylog.stores.base import RecordReader, Value
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores", "counting.sql")

MAX_STEPS: Final = 100_000
"""The greatest number of steps of a histogram, empty ones included."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ALL: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Series:
    """The records of one value: their number in each step. The name None stands for records without a value."""

    name: str | None
    counts: Sequence[int]

    @property
    def total(self) -> int:
        """The number of records in all steps."""
        return sum(self.counts)


@dataclass(frozen=True, slots=True)
class Histogram:
    """Records over time.

    Attributes:
        start: the start of the first step. Steps are aligned to the epoch in UTC.
        step_s: the length of a step in seconds.
        series: a series for each of the most frequent values, the most frequent first; a single one without a field.
        other: the records of all other values; None if there are no other values.
        other_values: the number of these values.
        later: the number of records after the last step.
    """

    start: datetime
    step_s: int
    series: Sequence[Series]
    other: Series | None = None
    other_values: int = 0
    later: int = 0

    @property
    def all_series(self) -> Sequence[Series]:
        """The series, and the one of all other values as the last one if there are any."""
        return [*self.series, *([] if self.other is None else [self.other])]

    @property
    def steps(self) -> int:
        """The number of steps, empty ones included."""
        return len(self.series[0].counts)

    @property
    def end(self) -> datetime:
        """The end of the last step."""
        return self.start_of(self.steps)

    def start_of(self, step: int) -> datetime:
        """Return the start of a step, given its index; at most the last instant of Python."""
        return _instant((self.start - _EPOCH) // timedelta(seconds=1) + step * self.step_s)

    @property
    def totals(self) -> Sequence[int]:
        """The number of records in each step."""
        return [sum(counts) for counts in zip(*(one.counts for one in self.all_series), strict=True)]

    @property
    def records(self) -> int:
        """The number of records in all steps."""
        return sum(one.total for one in self.all_series)


def count_histogram(
    reader: RecordReader,
    search: Search,
    *,
    dialect: Dialect,
    steps: int,
    by: Field | None = None,
    step_s: int | None = None,
    series: int = 6,
    start: datetime | None = None,
    reach: datetime | None = None,
    latest: datetime | None = None,
    name_value: Callable[[Any], str | None] | None = None,
) -> Histogram | None:
    """Return the number of records in each step of time; None if the search finds no record.

    The steps begin at the start of the search's range, or else at the first record, and end at the end of the range, or
    else at the last record.

    Args:
        reader: the store.
        search: chooses the records.
        dialect: the SQL dialect of the store.
        steps: the greatest number of steps, if ``step_s`` is None. A step has a round length.
        by: the field whose values become series; None counts all records as one series.
        step_s: the length of a step in seconds.
        series: the greatest number of series. The records of all other values are counted together.
        start: the steps begin at this instant at the latest.
        reach: the steps go on at least to this instant.
        latest: the steps continue to this instant at most, unless all records are later.
        name_value: returns the name of the series that a value of ``by`` belongs to; None: each value is a series.

    Raises:
        UsageError: with this ``step_s``, there would be more than `MAX_STEPS` steps.
    """
    extent = _find_extent(reader, search)
    if extent["first_at"] is None:
        return None
    is_cut = latest is not None and extent["first_at"] <= latest < extent["last_at"]
    if is_cut:
        shown = replace(search, within=replace(search.within, until=latest))
        extent = {**extent, "last_at": _find_extent(reader, shown)["last_at"] or extent["first_at"]}
    begin, last = _find_ends(extent["first_at"], extent["last_at"], search, reach)
    start = begin if start is None else min(start, begin)
    if step_s is None:
        from puppylog.monitor.steps import choose_step  # noqa: PLC0415 - top, stats and patterns do not need it

        step_s = choose_step(1, int((last - start).total_seconds()) + 1, steps)
    first = _epoch_s(start) // step_s
    number = _epoch_s(last) // step_s - first + 1
    if number > MAX_STEPS:
        raise UsageError(
            "count", f"in {number:,} steps", advice=f"choose a longer step: at most {MAX_STEPS:,} are shown"
        )
    axis = _Axis(first, step_s, number)
    counted = _count(reader, search, axis, dialect=dialect, by=by, limit=series, name_value=name_value)
    if not counted.series:
        return None  # all records have been deleted between the queries
    if not is_cut:
        return counted
    later = replace(search, within=Range(counted.end, None))
    return replace(counted, later=int(_find_extent(reader, later)["records"]))


def find_latest(within: Range, now: datetime) -> datetime | None:
    """Return up to when the steps of a range without an end continue; None: up to the last record.

    They go on beyond the present as far as the range goes back. So a record whose clock was wrong, in the year 2099,
    does not make all others one step.
    """
    if within.since is None or within.until is not None or within.since >= now:
        return None
    return now + (now - within.since)


def _find_extent(reader: RecordReader, search: Search) -> dict[str, Any]:
    """Return the times of the first and the last record that a search finds, and the number of records."""
    sql = _QUERIES["extent"].format(chosen=search.render("chosen_records"))
    [row] = reader.query(sql, search.parameters()).to_pylist()
    return row


def _find_ends(
    first_at: datetime, last_at: datetime, search: Search, reach: datetime | None
) -> tuple[datetime, datetime]:
    """Return the instants that the first and the last step contain."""
    until = search.within.until
    start = search.within.since or first_at
    last = last_at if until is None else until - timedelta(microseconds=1)
    return start, max(last, start, last if reach is None else reach)


def _instant(epoch_s: int) -> datetime:
    """Return an instant, or the first or the last one of Python if it is beyond."""
    try:
        return _EPOCH + timedelta(seconds=epoch_s)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC) if epoch_s < 0 else datetime.max.replace(tzinfo=UTC)


def _epoch_s(instant: datetime) -> int:
    """Return the whole seconds from the epoch to an instant, rounded down."""
    return (instant - _EPOCH) // timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class _Axis:
    """The steps: the index of the first one, counted from the epoch, their length in seconds, and their number."""

    first: int
    step_s: int
    steps: int

    @property
    def start(self) -> datetime:
        return _instant(self.first * self.step_s)

    def make_counts(self, rows: Iterable[Mapping[str, Any]]) -> list[int]:
        """Return the number of records in each step. A record that was stored after the axis was chosen is left out."""
        counts = [0] * self.steps
        for row in rows:
            index = _epoch_s(row["bucket"]) // self.step_s - self.first
            if 0 <= index < self.steps:
                counts[index] += int(row["n"])
        return counts


def _count(
    reader: RecordReader,
    search: Search,
    axis: _Axis,
    *,
    dialect: Dialect,
    by: Field | None,
    limit: int,
    name_value: Callable[[Any], str | None] | None,
) -> Histogram:
    step, start = _step_sql(axis.step_s, dialect)
    if by is None:
        counts = counts_sql(reader, search, None, dialect=dialect, step=(axis.step_s, step))
        sql = _QUERIES["histogram"].format(start=start, counts=counts)
        rows = reader.query(sql, search.parameters()).to_pylist()
        return Histogram(axis.start, axis.step_s, [Series("records", axis.make_counts(rows))] if rows else [])
    names = read_origins(reader, by.kind)
    if names is not None:
        name_value = names.get
    parameters: dict[str, Value] = {**search.parameters(), "series": limit if name_value is None else _ALL}
    value, column = value_sql(by, dialect), column_of(by)
    if column is None:
        chosen = search.render("chosen_records")
        counts = _QUERIES["computed_counts"].format(step=step, value=value, chosen=chosen)
        value = "value"
    else:
        counts = counts_sql(reader, search, column, dialect=dialect, step=(axis.step_s, step))
    sql = _QUERIES["histogram_by_value"].format(start=start, counts=counts, value=value, order=order_sql(by, dialect))
    rows = reader.query(sql, parameters).to_pylist()
    if name_value is not None:
        rows = _rank([{**row, "value": name_value(row["value"])} for row in rows], limit)
    return _gather(rows, axis)


def _step_sql(step_s: int, dialect: Dialect) -> tuple[str, str]:
    """Return the SQL by which records are grouped into steps, and that of the start of such a group.

    DuckDB groups by small integers about twice as fast as by instants.
    """
    if dialect == "duckdb":
        step_us = step_s * 1_000_000
        # A quotient is rounded towards zero, but a step begins before its records, even before 1970.
        step = f"epoch_us(ts) // {step_us} - CAST(epoch_us(ts) % {step_us} < 0 AS INTEGER)"
        return step, f"make_timestamptz(step * {step_us})"
    from puppylog.stores.aggregate import bucket_sql  # noqa: PLC0415 - see above

    return bucket_sql(step_s, dialect), "step"


def _rank(rows: list[dict[str, Any]], limit: int) -> list[dict[str, Any]]:
    """Return the rows with the places of their values, after values have become names that several of them share."""
    totals: dict[str | None, int] = defaultdict(int)
    for row in rows:
        totals[row["value"]] += int(row["n"])
    ordered = sorted(totals, key=lambda name: (-totals[name], name is None, name or ""))
    places = {name: place for place, name in enumerate(ordered[:limit], start=1)}
    return [{**row, "place": places.get(row["value"]), "different": len(totals)} for row in rows]


def _gather(rows: list[dict[str, Any]], axis: _Axis) -> Histogram:
    by_place: dict[int, list[dict[str, Any]]] = defaultdict(list)
    others = []
    for row in rows:
        if row["place"] is None:
            others.append(row)
        else:
            by_place[int(row["place"])].append(row)
    series = [
        Series(_name_of(by_place[place][0]["value"]), axis.make_counts(by_place[place])) for place in sorted(by_place)
    ]
    other = Series("other", axis.make_counts(others)) if others else None
    different = int(rows[0]["different"]) if rows else 0
    return Histogram(axis.start, axis.step_s, series, other, different - len(series))


def _name_of(value: object) -> str | None:
    if isinstance(value, datetime):
        return value.isoformat()
    return None if value is None else str(value)
