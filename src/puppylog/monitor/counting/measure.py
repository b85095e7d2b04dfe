"""Statistics of a field that is a number: extremes, mean, exact percentiles, and how many records are in each bin.

Most fields have few different numbers. The store returns these with their numbers of records, and the statistics are
computed here. If there are too many, the store computes the statistics.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Any, Final

from puppylog.errors import UsageError
from puppylog.model.expression.conversion import render_number
from puppylog.model.expression.term import Dialect
from puppylog.model.query.fields import Field, Kind
from puppylog.monitor.counting.field import value_sql, values_sql
from puppylog.monitor.search import Search
from puppylog.stores.base import RecordReader
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores", "counting.sql")

MAX_NUMBERS: Final = 200_000
"""The greatest number of different numbers that the store returns."""

# If the greatest number is this many times the median, bins of equal width would put nearly all records into one.
_SKEWED: Final = 20
_ROUND: Final = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Bin:
    """The number of records whose number is at least ``start`` and less than ``end``."""

    start: float
    end: float
    count: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """A summary of the numbers of a field.

    Attributes:
        records: the number of records that the search finds.
        count: the number of records whose value is a number.
        missing: the number of records without a value.
        not_numbers: the number of records whose value is not a number.
        least: the least number.
        p50: the median, between two ranks interpolated as ``percentile_cont`` does; likewise ``p90`` and ``p99``.
        greatest: the greatest number.
        mean: the arithmetic mean.
        bins: consecutive bins in which all numbers are. Statistics without a number have None and no bins.
    """

    records: int
    count: int
    missing: int
    not_numbers: int
    least: float | None = None
    p50: float | None = None
    p90: float | None = None
    p99: float | None = None
    greatest: float | None = None
    mean: float | None = None
    bins: Sequence[Bin] = ()


def measure_field(
    reader: RecordReader,
    field: Field,
    search: Search,
    *,
    dialect: Dialect,
    bins: int = 12,
    max_numbers: int = MAX_NUMBERS,
) -> Statistics:
    """Return the statistics of a field: a column that is a number, or an attribute.

    An attribute whose text is a number counts as one.

    Args:
        reader: the store.
        field: the field.
        search: chooses the records.
        dialect: the SQL dialect of the store.
        bins: about how many bins there are: at most this many of equal width, or twice as many of growing width.
        max_numbers: up to how many different numbers the client gets from the store.

    Raises:
        UsageError: the field is not a number, or it is an attribute and none of its values is one.
    """
    if field.kind not in {Kind.NUMBER, Kind.ATTRIBUTE}:
        raise _refuse(field, f"it is {'a time' if field.kind is Kind.TIME else 'text'}, and statistics need numbers")
    number = render_number("value", dialect) if field.kind is Kind.ATTRIBUTE else "CAST(value AS DOUBLE PRECISION)"
    source = {"value": value_sql(field, dialect), "chosen": search.render("chosen_records")}
    parameters = search.parameters()
    sql = _QUERIES["numbers"].format(values=values_sql(reader, field, search, dialect), number=number)
    rows = reader.query(sql, {**parameters, "most": max_numbers + 1}).to_pylist()
    if len(rows) > max_numbers:
        sql = _QUERIES["statistics"].format(number=number, **source)
        [row] = reader.query(sql, parameters).to_pylist()
        found = _summarize(row)
    else:
        found = compute(rows, bins)
    if not found.count and found.not_numbers:
        raise _refuse(field, f"none of its {found.not_numbers:,} values is a number")
    if found.bins or found.least is None or found.greatest is None or found.p50 is None:
        return found
    edges = choose_edges(found.least, found.p50, found.greatest, bins)
    sql = _QUERIES["bins"].format(number=number, bin=_bin_sql(edges), **source)
    counts = {int(row["bin"]): int(row["n"]) for row in reader.query(sql, parameters).to_pylist()}
    return replace(found, bins=_make_bins(edges, [counts.get(index, 0) for index in range(len(edges) - 1)]))


def _refuse(field: Field, cause: str) -> UsageError:
    example = "puppylog stats response_bytes"
    advice = f"'puppylog top {field.name}' counts its values; a numeric field fits here: {example}"
    return UsageError("compute", f"statistics of {field.name}", cause, advice)


def compute(rows: Sequence[dict[str, Any]], bins: int) -> Statistics:
    """Return the statistics of rows with ``number``, ``is_missing`` and ``n``, the number of records."""
    weights = sorted((float(row["number"]), int(row["n"])) for row in rows if row["number"] is not None)
    missing = sum(int(row["n"]) for row in rows if row["is_missing"])
    records = sum(int(row["n"]) for row in rows)
    numbers, ends = [number for number, _ in weights], list(accumulate(n for _, n in weights))
    count = ends[-1] if ends else 0
    if not count:
        return Statistics(records, 0, missing, records - missing)

    def percentile(percent: int) -> float:
        low, high = _ranks(percent, count)
        return _between(numbers[bisect_right(ends, low)], numbers[bisect_right(ends, high)], percent, count)

    p50 = percentile(50)
    edges = choose_edges(numbers[0], p50, numbers[-1], bins)
    counts = [0] * (len(edges) - 1)
    for number, n in weights:
        counts[bisect_right(edges, number) - 1] += n
    return Statistics(
        records,
        count,
        missing,
        records - missing - count,
        numbers[0],
        p50,
        percentile(90),
        percentile(99),
        numbers[-1],
        math.fsum(number * n for number, n in weights) / count,
        _make_bins(edges, counts),
    )


def _summarize(row: dict[str, Any]) -> Statistics:
    """Return the statistics, without bins, of the one row of the query ``statistics``."""
    records, missing, count = int(row["records"]), int(row["missing"]), int(row["numbers"])
    names = ("least", "p50", "p90", "p99", "greatest", "mean")
    return Statistics(records, count, missing, records - missing - count, **{name: row[name] for name in names})


def _ranks(percent: int, count: int) -> tuple[int, int]:
    """Return the ranks, counted from 0, between which a percentile is."""
    low, rest = divmod(percent * (count - 1), 100)
    return low, low + (rest > 0)


def _between(low: float, high: float, percent: int, count: int) -> float:
    """Return a percentile from the numbers at its two ranks."""
    return low + (high - low) * (percent * (count - 1) % 100 / 100)


def choose_edges(least: float, middle: float, greatest: float, bins: int) -> list[float]:
    """Return the edges of consecutive bins, in order: round numbers, and all numbers are in a bin.

    The bins have equal widths, or, if the greatest number is far beyond the median, widths that grow as 1, 2, 5, 10.

    Args:
        least: the least number.
        middle: the median.
        greatest: the greatest number.
        bins: at most this many of equal widths, or twice as many of growing widths.

    >>> choose_edges(0, 40, 90, bins=5)
    [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]
    >>> choose_edges(2, 4, 90, bins=5)
    [2.0, 5.0, 10.0, 20.0, 50.0, 100.0]
    """
    if least >= 0 and middle > 0 and greatest > _SKEWED * middle:
        return _growing_edges(least, middle, greatest, bins)
    span = greatest - least
    if not 1e-200 < span < 1e200:
        return [least, math.nextafter(greatest, math.inf)]
    step, first = _round_up(span / bins), 0
    while True:
        first, last = math.floor(least / step), math.floor(greatest / step) + 1
        if last - first <= max(2, bins) or not math.isfinite(step):  # two, if the numbers are on both sides of an edge
            break
        step = _round_up(step * 1.01)
    edges = [_exact(index * step) for index in range(first, last + 1)]
    # A quotient that is rounded up could leave the least or the greatest number outside.
    return [
        min(edges[0], least),
        *edges[1:-1],
        edges[-1] if edges[-1] > greatest else math.nextafter(greatest, math.inf),
    ]


def _growing_edges(least: float, middle: float, greatest: float, bins: int) -> list[float]:
    exponent = math.floor(math.log10(middle)) - (1 if middle >= 1 else 2)
    edges = [0.0]
    while edges[-1] <= greatest:
        edges.extend(_exact(factor * 10.0**exponent) for factor in _ROUND)
        exponent += 1
    last = next((index for index, edge in enumerate(edges) if edge > greatest), len(edges))
    edges = edges[max(0, bisect_right(edges, least) - 1) : last + 1]
    if len(edges) > 2 * bins + 1:  # only the powers of ten
        edges = [edges[0], *(edge for edge in edges[1:-1] if f"{edge:e}".startswith("1.")), edges[-1]]
    each = -(-(len(edges) - 1) // (2 * bins))
    edges = [edges[0], *edges[each:-1:each], edges[-1]]
    return edges if edges[-1] > greatest else [*edges, math.nextafter(greatest, math.inf)]


def _round_up(width: float) -> float:
    """Return the least of 1, 2 and 5 times a power of ten that is at least ``width``."""
    power = 10.0 ** math.floor(math.log10(width))
    return next((_exact(factor * power) for factor in (*_ROUND, 10) if factor * power >= width), 10 * power)


def _exact(number: float) -> float:
    """Return the double that is nearest to the number in 12 decimal digits: 0.3, not 0.30000000000000004."""
    return float(f"{number:.12g}")


def _make_bins(edges: Sequence[float], counts: Sequence[int]) -> list[Bin]:
    return [Bin(start, end, count) for (start, end), count in zip(pairwise(edges), counts, strict=True)]


def _bin_sql(edges: Sequence[float]) -> str:
    """Return the SQL of the index of the bin of ``number``."""
    cases = " ".join(
        f"WHEN number < CAST('{edge!r}' AS DOUBLE PRECISION) THEN {i}" for i, edge in enumerate(edges[1:-1])
    )
    return f"CASE {cases} ELSE {len(edges) - 2} END" if cases else "0"
