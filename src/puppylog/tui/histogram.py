"""A histogram of records over time: a column for each step, stacked by value, above an axis of times and a legend."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Final

from puppylog.model.chart import columns, resample, sparkline
from puppylog.model.number import format_number
from puppylog.model.period import format_period
from puppylog.tui.bar import format_share, name_of
from puppylog.tui.clean import cut, width_of
from puppylog.tui.times import format_day, format_range, localize

if TYPE_CHECKING:  # a command draws one of these, and need not load the others
    from puppylog.monitor.counting import Histogram

HEIGHT: Final = 10
"""The lines of the columns, unless a caller wants others."""

_WIDEST: Final = 4  # cells of a column
_MIN_CELLS: Final = 10
_SPARK_CELLS: Final = 30
_NAME_CELLS: Final = 32
_COLORS: Final = (36, 33, 35, 32, 34, 31, 37, 90)
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_OTHER: Final = "+"
_NONE: Final = "-"


def fit_steps(width: int) -> int:
    """Return how many steps of counts of up to six digits have a column of their own in a histogram of this width."""
    return max(_MIN_CELLS, width - 9)


def draw_histogram(
    histogram: Histogram, width: int, *, zone: tzinfo | None, now: datetime, height: int = HEIGHT, color: bool = False
) -> list[str]:
    """Return the lines of a histogram.

    Args:
        histogram: the counts.
        width: the greatest width of a line, in cells.
        zone: the time zone of the times shown; None is this machine's.
        now: the current time; the times of today have no date.
        height: the number of lines of the columns.
        color: whether the values are told apart by colours, and otherwise by letters.
    """
    margin = len(format_number(max(histogram.totals)))
    stacks, step_s = _merge(histogram, max(_MIN_CELLS, width - margin - 2))
    totals = [sum(stack) for stack in stacks]
    top = format_number(max(totals))
    margin = max(margin, len(top))
    cells = max(1, min(_WIDEST, (width - margin - 2) // len(stacks)))
    marks = _marks(histogram)
    if len(histogram.all_series) == 1:
        chart = [_widen(line, cells) for line in columns([float(total) for total in totals], height)]
        chart = [_hide_zeros(line, totals, cells) for line in chart]
    else:
        chart = _stack(stacks, height, cells, marks, color=color)
    labels = [top, *[""] * (height - 2), "0"]
    times = format_range(histogram.start, histogram.end, zone, now)
    lines = [cut(line, width) for line in _head(histogram, step_s, top, width, times)]
    lines += [f"{label:>{margin}} │{line}" for label, line in zip(labels, chart, strict=True)]
    axis = _axis(histogram, step_s, len(stacks), cells, zone)
    lines += [f"{'':{margin}} └{axis[0]}", f"{'':{margin}}  {axis[1]}"]
    if len(histogram.all_series) > 1:
        lines += _legend(histogram, marks, width, color=color)
    return [line.rstrip() for line in lines]


def _merge(histogram: Histogram, cells: int) -> tuple[list[list[int]], int]:
    """Return for each column its counts, a count for each series, and the seconds that a column covers.

    If there are more steps than cells, a column covers several steps.
    """
    each = -(-histogram.steps // cells)
    stacks = [
        [sum(one.counts[start : start + each]) for one in histogram.all_series]
        for start in range(0, histogram.steps, each)
    ]
    return stacks, histogram.step_s * each


def _head(histogram: Histogram, step_s: int, top: str, width: int, times: str) -> list[str]:
    parts = [
        f"{format_number(histogram.records)} records",
        times,
        f"{format_period(step_s)} a column, at most {top}",
    ]
    line = ", ".join(parts)
    return [line] if width_of(line) <= width else parts


def _marks(histogram: Histogram) -> list[str]:
    letters = iter(_LETTERS)
    marks = [_NONE if one.name is None else next(letters, "#") for one in histogram.series]
    return marks if histogram.other is None else [*marks, _OTHER]


def _widen(line: str, cells: int) -> str:
    return "".join(char * cells for char in line)


def _hide_zeros(line: str, totals: Sequence[int], cells: int) -> str:
    """Return the line with blanks where a step is empty: the least block would look like a few records."""
    return "".join(line[at * cells : (at + 1) * cells] if total else " " * cells for at, total in enumerate(totals))


def _stack(stacks: Sequence[Sequence[int]], height: int, cells: int, marks: Sequence[str], *, color: bool) -> list[str]:
    """Return the lines of stacked columns, the topmost first. A series that is below half a line may have none."""
    most = max(map(sum, stacks))
    grid = [_fill(stack, most, height) for stack in stacks]
    lines = []
    for below in reversed(range(height)):
        cells_of_line = [column[below] if below < len(column) else None for column in grid]
        lines.append("".join(_paint(series, cells, marks, color=color) for series in cells_of_line))
    return lines


def _fill(stack: Sequence[int], most: int, height: int) -> list[int]:
    """Return the series of each cell of a column, from below."""
    total = sum(stack)
    if not total:
        return []
    filled = max(1, round(total / most * height))
    ends = [round(end / total * filled) for end in accumulate(stack, initial=0)]
    return [series for series, (start, end) in enumerate(pairwise(ends)) for _ in range(start, end)]


def _paint(series: int | None, cells: int, marks: Sequence[str], *, color: bool) -> str:
    if series is None:
        return " " * cells
    return f"\x1b[{_COLORS[series % len(_COLORS)]}m{'█' * cells}\x1b[0m" if color else marks[series] * cells


def _axis(histogram: Histogram, step_s: int, steps: int, cells: int, zone: tzinfo | None) -> tuple[str, str]:
    """Return the line below the columns, with ticks, and the times of the ticks."""
    span_s = step_s * steps
    each = -(-(len(_label(localize(histogram.start, zone), step_s, span_s)) + 3) // cells)  # columns from tick to tick
    a_day = 86_400 // step_s if 86_400 % step_s == 0 else steps + 1
    if each < a_day <= steps // 2 or 1 < a_day < each:  # whole days, so that all labels have one time of day
        each = -(-each // a_day) * a_day
    ticks, labels = "", ""
    for step in range(0, steps, each):
        at = step * step_s // histogram.step_s
        label = _label(localize(histogram.start_of(at), zone), step_s, span_s)
        free = cells * min(each, steps - step)
        if free < len(label) and step:
            ticks += "─" * free
            break
        ticks += "┬" + "─" * (free - 1)
        labels += f"{label:{cells * each}}"
    return ticks, labels


def _label(local: datetime, step_s: int, span_s: int) -> str:
    """Return the time of a tick, as short as its differences from the others allow."""
    day = format_day(local, with_year=span_s > 300 * 86_400)
    if span_s > 300 * 86_400 or step_s % 86_400 == 0:
        return day
    of_day = local.time().isoformat(timespec="minutes" if step_s % 60 == 0 else "seconds")
    return f"{day} {of_day}" if span_s > 86_400 else of_day


def _legend(histogram: Histogram, marks: Sequence[str], width: int, *, color: bool) -> list[str]:
    """Return a line for each series: mark, name, count, share, and the series alone on a scale of its own."""
    names = [_shown_name(histogram, index) for index in range(len(marks))]
    counts = [format_number(one.total) for one in histogram.all_series]
    shares = [format_share(one.total, histogram.records) for one in histogram.all_series]
    numbers = max(map(len, counts)) + max(map(len, shares)) + 6
    longest = max(8, min(_NAME_CELLS, max(map(width_of, names)), width - numbers))
    spark = min(_SPARK_CELLS, width - numbers - longest - 2, histogram.steps)
    lines = []
    for index, one in enumerate(histogram.all_series):
        name = cut(names[index], longest)
        line = f"{_paint(index, 1, marks, color=color)} {name}{' ' * (longest - width_of(name))}"
        line += f"  {counts[index]:>{max(map(len, counts))}}  {shares[index]:>{max(map(len, shares))}}"
        if spark >= _MIN_CELLS or spark == histogram.steps:
            points = [(step, float(count)) for step, count in enumerate(one.counts)]
            # Nothing is drawn where a series has no record: the least block would look like a few.
            line += f"  {sparkline([mean or None for mean in resample(points, histogram.steps, spark, missing=0.0)])}"
        lines.append(line)
    return lines


def _shown_name(histogram: Histogram, index: int) -> str:
    if index < len(histogram.series):
        return name_of(histogram.series[index].name)
    values = histogram.other_values
    return f"{format_number(values)} other value{'s' if values != 1 else ''}"
