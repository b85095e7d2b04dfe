"""Charts of a metric: one series as columns over time, segments as bars, each with a sparkline."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Final, NamedTuple

from puppylog.model.chart import Number, bar, columns, resample, sparkline
from puppylog.model.derived import is_derived
from puppylog.model.metric import ADDITIVE_STATISTICS, Metric
from puppylog.model.number import format_number
from puppylog.model.period import format_period
from puppylog.tui.clean import clean, cut, width_of
from puppylog.tui.times import format_times
from puppylog.tui.wrap import wrap

_HEIGHT: Final = 8
MAX_SEGMENTS: Final = 20
_MAX_NAME_LENGTH: Final = 32
_LINE_CELLS: Final = 30
_MIN_BAR_CELLS: Final = 8
SUMMED: Final = frozenset({"count", "sum"})  # of these a chart shows the sum of a segment's buckets, else the mean


@dataclass(frozen=True, slots=True)
class Observation:
    """One row of a metric."""

    bucket: datetime
    segment: str | None
    value: Number


class _Axis(NamedTuple):
    """The buckets that a chart covers."""

    first: datetime
    last: datetime
    period_s: int

    def index_of(self, bucket: datetime) -> int:
        """Return the number of buckets between the first one and ``bucket``."""
        return int((bucket - self.first).total_seconds()) // self.period_s

    @property
    def length(self) -> int:
        """The number of buckets from the first to the last, empty ones included."""
        return self.index_of(self.last) + 1


def draw_metric(
    metric: Metric,
    rows: Sequence[Observation],
    *,
    width: int,
    zone: tzinfo | None,
    now: datetime,
    zone_name: str = "",
    step_s: int | None = None,
    ends: tuple[datetime, datetime] | None = None,
    left_out: int = 0,
    rest: float = 0.0,
    max_segments: int = MAX_SEGMENTS,
) -> list[str]:
    """Return the lines of a chart.

    Args:
        metric: the metric.
        rows: its observations, in the order of their buckets.
        width: the greatest width of a line, in cells.
        zone: the time zone of the times shown; None is this machine's.
        now: the current time: times of today have no date.
        zone_name: the name of the zone if the chart should have it, otherwise empty.
        step_s: the seconds that a row covers, if that is not the metric's period.
        ends: the first and the last bucket that the chart covers; None: those of the rows.
        left_out: how many segments the rows do not have, because they are smaller than those that the rows have.
        rest: what the sums of these segments add up to, if the chart shows sums.
        max_segments: the greatest number of segments that are drawn.
    """
    if ends is None and rows:
        ends = rows[0].bucket, rows[-1].bucket
    lines = [_name(metric), _describe_range(metric, ends, zone, now, zone_name, is_empty=not rows)]
    if step_s is not None and step_s != metric.period_s:
        lines[0] += f", drawn in steps of {format_period(step_s)}"
        metric = replace(metric, period_s=step_s)
    if rows and ends is not None:
        axis = _Axis(*ends, metric.period_s)
        if metric.segment is None:
            lines += _draw_series(metric, rows, axis, width)
        else:
            lines += _draw_segments(metric, rows, axis, width, max_segments)
        if left_out:
            sums = f", {format_number(rest)} together" if metric.statistic in SUMMED else ""
            lines.append(f"and {left_out:,} more segments{sums}")
    head = [part for line in lines[:2] for part in wrap(line, width)]
    return head + [cut(line, width).rstrip() for line in lines[2:]]


def _name(metric: Metric) -> str:
    segmented = "" if metric.segment is None else f" by {clean(metric.segment)}"
    return f"{metric.name}: {_describe(metric)} every {format_period(metric.period_s)}{segmented}"


def _describe_range(
    metric: Metric,
    ends: tuple[datetime, datetime] | None,
    zone: tzinfo | None,
    now: datetime,
    zone_name: str,
    *,
    is_empty: bool,
) -> str:
    if ends is None:
        return "nothing observed"
    first, last = format_times(ends, zone, now)
    shown = "" if metric.segment is None or is_empty else "sums, " if metric.statistic in SUMMED else "means, "
    named = f" ({zone_name})" if zone_name else ""
    return f"{shown}{first} to {last}{named}" + (": nothing observed" if is_empty else "")


def _describe(metric: Metric) -> str:
    """Return the statistic and what it is taken of, such as ``p99 of response_bytes``."""
    if metric.of is not None:
        return f"ratio of {clean(metric.of)}"
    if is_derived(metric):
        return metric.property
    if metric.statistic == "rate":
        return f"rate of {clean(metric.property)} per second"
    return f"{metric.statistic} of {clean(metric.property)}"


def _draw_series(metric: Metric, rows: Sequence[Observation], axis: _Axis, width: int) -> list[str]:
    finite = [row.value for row in rows if row.value is not None and math.isfinite(row.value)]
    top, bottom = format_number(max([0.0, *finite])), format_number(min([0.0, *finite]))
    margin = max(len(top), len(bottom))
    chart = columns(_resample(metric, rows, axis, width - margin - 2), _HEIGHT)
    labels = [top, *[""] * (_HEIGHT - 2), bottom]
    lines = [f"{label:>{margin}} │{line}" for label, line in zip(labels, chart, strict=True)]
    if finite:
        missing = _missing(metric)
        has_gaps, is_behind = len(rows) < axis.length, rows[-1].bucket < axis.last
        shown = {
            "last": rows[-1].value if missing is None or not is_behind else missing,
            "min": min(finite) if missing is None or not has_gaps else min(missing, *finite),
            "mean": sum(finite) / (len(finite) if missing is None else axis.length),
            "max": max(finite),
        }
        lines.append("  ".join(f"{name} {format_number(value)}" for name, value in shown.items()))
    return lines


def _draw_segments(
    metric: Metric, rows: Sequence[Observation], axis: _Axis, width: int, max_segments: int
) -> list[str]:
    """Return a line per segment, the largest first: the sum of a count or a sum, the mean of any other statistic."""
    series: dict[str | None, list[Observation]] = {}
    for row in rows:
        series.setdefault(row.segment, []).append(row)
    totals = {segment: _total(metric, of, axis) for segment, of in series.items()}
    largest = sorted(series, key=lambda segment: (-totals[segment], segment or ""))[:max_segments]
    names = [cut(clean("(none)" if segment is None else segment or "(empty)"), _MAX_NAME_LENGTH) for segment in largest]
    values = [format_number(totals[segment]) for segment in largest]
    name_cells, value_cells = max(map(width_of, names)), max(map(len, values))
    left = max(width - name_cells - value_cells - 6, 2 * _MIN_BAR_CELLS)  # for the bars and the sparklines
    line_cells = min(_LINE_CELLS, axis.length, left - _MIN_BAR_CELLS)
    bar_cells = left - line_cells
    lines = [
        f"{name}{' ' * (name_cells - width_of(name))}  {value:>{value_cells}}  "
        f"{bar(totals[segment], totals[largest[0]], bar_cells):{bar_cells}}  "
        f"{sparkline(_resample(metric, series[segment], axis, line_cells))}"
        for segment, name, value in zip(largest, names, values, strict=True)
    ]
    hidden = len(series) - len(largest)
    return lines + ([f"and {hidden} more segments"] if hidden else [])


def _missing(metric: Metric) -> Number:
    """Return the value of an empty bucket: 0 for a count, a rate or a sum, and None (unknown) for any other."""
    return 0.0 if metric.statistic in ADDITIVE_STATISTICS else None


def _total(metric: Metric, series: Sequence[Observation], axis: _Axis) -> float:
    """Return the sum or the mean of one segment. The mean of a rate is over all buckets of the axis."""
    finite = [row.value for row in series if row.value is not None and math.isfinite(row.value)]
    if not finite:
        return 0.0
    if metric.statistic in SUMMED:
        return sum(finite)
    return sum(finite) / (len(finite) if _missing(metric) is None else axis.length)


def _resample(metric: Metric, series: Sequence[Observation], axis: _Axis, cells: int) -> list[Number]:
    """Return one series as ``cells`` values at most, on the time axis of the chart."""
    points = [(axis.index_of(row.bucket), row.value) for row in series]
    return resample(points, axis.length, cells, missing=_missing(metric))
