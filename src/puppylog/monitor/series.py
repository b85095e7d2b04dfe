"""The observations of a metric as series for a chart: a value for each step, and a series for each large segment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa

from puppylog.model.metric import ADDITIVE_STATISTICS, Metric
from puppylog.monitor.metrics import find_ends, find_step
from puppylog.monitor.range import Range
from puppylog.monitor.ranking import GREATEST, SUM, read_largest
from puppylog.monitor.segments import segments_of
from puppylog.monitor.steps import count_steps, cover_range, include_buckets
from puppylog.stores.base import RecordReader


@dataclass(frozen=True, slots=True)
class SegmentSeries:
    """The observations of one segment."""

    segment: str | None  # None: all records, or those for which the expression of the segments is null
    values: Sequence[float | None]  # one for each step; None: there is no observation


@dataclass(frozen=True, slots=True)
class SeriesInSteps:
    """The observations of a metric in steps that cover a range."""

    start: datetime | None  # of the first step; None if there is no step
    step_s: int
    series: Sequence[SegmentSeries]  # the largest one first
    left_out: int  # how many smaller segments there are


def read_series(
    reader: RecordReader,
    metric: Metric,
    *,
    within: Range,
    now: datetime,
    steps: int,
    segment: str | None = None,
    series: int,
) -> SeriesInSteps:
    """Return the observations of a whole range.

    A step without observations is 0 for a statistic that adds up, such as a count, and None for any other. The largest
    segments are those with the greatest sum of values, or with the greatest value of a statistic that does not add up.

    Args:
        reader: the store.
        metric: the metric.
        within: the range.
        now: the present instant.
        steps: the greatest number of steps.
        segment: only this segment; None for all.
        series: the greatest number of segments.
    """
    only = segments_of(segment)
    observed = find_ends(reader, metric, within, segment)
    step_s = find_step(metric, observed, within=within, now=now, steps=steps)
    is_additive = metric.statistic in ADDITIVE_STATISTICS
    size = SUM if is_additive else GREATEST
    largest = read_largest(reader, metric, step_s, within=within, size=size, most=series, segments=only)
    table = largest.table
    ends = cover_range(metric, within, now, include_buckets(observed, table), step_s=step_s)
    if ends is None:
        return SeriesInSteps(None, step_s, (), 0)
    segments = _list_segments(table, is_additive=is_additive)
    if not segments and metric.segment is None:
        segments = [None]
    chosen = segments[:series]
    missing = 0.0 if is_additive else None
    values: dict[str | None, list[float | None]] = {one: [missing] * count_steps(ends, step_s) for one in chosen}
    step = timedelta(seconds=step_s)
    for bucket, name, value in _iter_rows(table):
        if name in values:
            values[name][(bucket - ends.first) // step] = value
    found = [SegmentSeries(name, values[name]) for name in chosen]
    return SeriesInSteps(ends.first, step_s, found, largest.left_out)


def _iter_rows(table: pa.Table) -> "zip[tuple[datetime, str | None, float | None]]":
    return zip(*(table[name].to_pylist() for name in ("bucket", "segment", "value")), strict=True)


def _list_segments(table: pa.Table, *, is_additive: bool) -> list[str | None]:
    """Return the segments, that with the greatest sum or, if values do not add up, the greatest value first.

    Not with ``Table.group_by``: what a store sends is not aligned, and Arrow would write a warning of that on stderr.
    """
    sizes: dict[str | None, float | None] = {}
    for _, segment, value in _iter_rows(table):
        size = sizes.get(segment)
        if value is None or size is None:
            sizes[segment] = size if value is None else value
        else:
            sizes[segment] = size + value if is_additive else max(size, value)
    return sorted(sizes, key=lambda name: (sizes[name] is None, -(sizes[name] or 0.0), name is None, name or ""))
