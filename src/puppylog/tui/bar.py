"""Counts as bars: values with their shares, bins of numbers, and shapes of messages. Any text is cleaned."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Final

from puppylog.model.chart import bar
from puppylog.model.number import format_number
from puppylog.tui.clean import clean, cut, width_of
from puppylog.tui.times import format_range
from puppylog.tui.wrap import cut_at_word, wrap

if TYPE_CHECKING:  # a command draws one of these, and need not load the others
    from puppylog.monitor.counting import Bin, Pattern, Statistics

_GAP: Final = "  "
_MIN_BAR: Final = 6
_MAX_BAR: Final = 40
# A label is shown on at most this many lines, and the last one ends with an ellipsis.
_LABEL_LINES: Final = 3
# If a label had less than this next to a bar, the bars are left out.
_MIN_LABEL: Final = 16


def draw_top(rows: Sequence[tuple[str | None, int]], records: int, width: int) -> list[str]:
    """Return a line for each value: its count, its share of all records, a bar, and the value, wrapped if it is long.

    Args:
        rows: the values and their counts; None is shown as ``(none)``, and an empty text as ``(empty)``.
        records: the number of all records, of which a count is a share.
        width: the greatest width of a line, in cells.
    """
    counts = [format_number(count) for _, count in rows]
    shares = [format_share(count, records) for _, count in rows]
    heads = _align(counts, shares)
    labels = [name_of(value) for value, _ in rows]
    most = max((count for _, count in rows), default=0)
    bars = _draw_bars([count for _, count in rows], most, _fit_bar(heads, labels, width))
    return [
        line
        for head, drawn, label in zip(heads, bars, labels, strict=True)
        for line in _hang(f"{head}{_GAP}{drawn}{_GAP if drawn else ''}", label, width)
    ]


def name_of(value: str | None) -> str:
    """Return a value as a label: cleaned, and never empty.

    >>> name_of(None), name_of(""), name_of("a")
    ('(none)', '(empty)', 'a')
    """
    return "(none)" if value is None else clean(value) or "(empty)"


def draw_statistics(statistics: Statistics, width: int) -> list[str]:
    """Return the lines of statistics with at least one number: the figures, and a line for each bin."""
    figures = {
        "count": statistics.count,
        "min": statistics.least,
        "p50": statistics.p50,
        "p90": statistics.p90,
        "p99": statistics.p99,
        "max": statistics.greatest,
        "mean": statistics.mean,
    }
    lines = [""]
    for name, value in figures.items():
        figure = f"{name} {format_number(value)}"
        if lines[-1] and len(lines[-1]) + len(_GAP) + len(figure) > width:
            lines.append("")
        lines[-1] += f"{_GAP if lines[-1] else ''}{figure}"
    return [*lines, "", *draw_bins(statistics.bins, width)]


def draw_bins(bins: Sequence[Bin], width: int) -> list[str]:
    """Return a line for each bin: its range, its count, its share and a bar. Empty bins at both ends are left out."""
    filled = [index for index, one in enumerate(bins) if one.count]
    shown = bins[filled[0] : filled[-1] + 1] if filled else []
    starts = [format_number(one.start) for one in shown]
    ends = [format_number(one.end) for one in shown]
    total = sum(one.count for one in shown)
    ranges = [f"{start} to" for start in _align(starts)]
    numbers = _align(ranges, ends, [format_number(one.count) for one in shown])
    heads = _align(numbers, [format_share(one.count, total) for one in shown])
    cells = min(_MAX_BAR, width - max(map(len, heads), default=0) - len(_GAP))
    most = max((one.count for one in shown), default=0)
    bars = _draw_bars([one.count for one in shown], most, cells if cells >= _MIN_BAR else 0)
    if max(map(len, heads), default=0) > width:  # the shares are left out first
        heads = numbers
    return [cut(f"{head}{_GAP}{drawn}".rstrip(), width) for head, drawn in zip(heads, bars, strict=True)]


def draw_patterns(
    patterns: Sequence[Pattern], records: int, width: int, *, zone: tzinfo | None, now: datetime
) -> list[str]:
    """Return the lines of shapes: count, share, and the shape; below them, when it was seen and an example.

    Args:
        patterns: the shapes.
        records: the number of all records with a message, of which a count is a share.
        width: the greatest width of a line, in cells.
        zone: the time zone of the times shown; None is this machine's.
        now: the current time; the times of today have no date.
    """
    heads = _align(
        [format_number(one.count) for one in patterns], [format_share(one.count, records) for one in patterns]
    )
    lines = []
    for head, one in zip(heads, patterns, strict=True):
        before = f"{head}{_GAP}"
        lines += _hang(before, name_of(one.shape), width)
        blank = " " * (len(before) if width >= 60 else len(_GAP))
        seen = format_range(_to_minute(one.first_at), _to_minute(one.last_at), zone, now)
        lines.append(cut(f"{blank}{seen}", width))
        if one.example != one.shape:
            lines += _hang(f"{blank}e.g. ", clean(one.example.partition("\n")[0]), width)
    return lines


def _to_minute(instant: datetime) -> datetime:
    """Return the start of the minute of an instant."""
    return instant.replace(second=0, microsecond=0)


def format_share(count: int, records: int) -> str:
    """Return a share in percent. A share that is not zero is not shown as zero, nor one below the whole as the whole.

    >>> format_share(1, 3), format_share(1, 10_000), format_share(9_999, 10_000), format_share(5, 5)
    ('33.3 %', '<0.1 %', '>99.9 %', '100 %')
    """
    if not records or count >= records:
        return "100 %" if records else "-"
    percent = 100 * count / records
    if 0 < percent < 0.05:
        return "<0.1 %"
    return ">99.9 %" if percent >= 99.95 else f"{percent:.1f} %"


def _align(*columns: Sequence[str]) -> list[str]:
    """Return the rows of columns that are aligned to the right."""
    widths = [max(map(len, column), default=0) for column in columns]
    return [
        _GAP.join(f"{cell:>{cells}}" for cell, cells in zip(row, widths, strict=True))
        for row in zip(*columns, strict=True)
    ]


def _fit_bar(heads: Sequence[str], labels: Sequence[str], width: int) -> int:
    """Return the cells of the longest bar between heads and labels; 0 if the labels need its place."""
    head = max(map(len, heads), default=0)
    wanted = max(map(width_of, labels), default=0)
    cells = width - head - 2 * len(_GAP) - min(wanted, max(_MIN_LABEL, width // 2))
    return min(_MAX_BAR, cells) if cells >= _MIN_BAR else 0


def _draw_bars(counts: Sequence[int], most: int, cells: int) -> list[str]:
    return [f"{bar(count, most, cells):{cells}}" if cells else "" for count in counts]


def _hang(before: str, text: str, width: int) -> list[str]:
    """Return ``text`` after ``before``, wrapped to the width, its further lines below its first."""
    first, *others = wrap_label(text, max(width - width_of(before), _MIN_LABEL // 2), _LABEL_LINES)
    return [before + first, *(" " * width_of(before) + line for line in others)]


def wrap_label(text: str, width: int, lines: int) -> list[str]:
    """Return cleaned text on at most ``lines`` lines; the rest is cut, which an ellipsis shows.

    >>> wrap_label("connection to the server was lost", 12, 2)
    ['connection', 'to the…']
    """
    wrapped = wrap(text, width)
    if len(wrapped) <= lines:
        return wrapped
    return [*wrapped[: lines - 1], cut_at_word(" ".join(wrapped[lines - 1 :]), width)]
