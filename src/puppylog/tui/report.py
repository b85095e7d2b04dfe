"""A report as lines of text, for terminals from 40 columns on. Pure: a report and a width become lines.

Each line has its numbers first and the text from the log last, so that the numbers are never cut. A list names in its
heading how many of how many values it shows.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from itertools import zip_longest
from typing import Final

from puppylog.model.chart import bar, columns, resample, sparkline
from puppylog.model.number import format_bytes, format_number
from puppylog.monitor.report import Counts, Durations, MessagePatterns, Reason, Report, SourceCount
from puppylog.monitor.timeline import Timeline
from puppylog.tui.bar import draw_top, format_share
from puppylog.tui.clean import clean, cut, cut_start, width_of
from puppylog.tui.report_words import (
    count_totals,
    describe_formats,
    describe_lines,
    describe_outside,
    describe_patterns,
    describe_rate,
    describe_read_times,
    describe_slowest,
    format_instant,
    format_seconds,
    format_span,
    format_zone,
    name_format,
)
from puppylog.tui.wrap import cut_path, wrap

_GAP: Final = "  "
_WIDE: Final = 120  # from this width on, sections stand in two columns
_BARS_FROM: Final = 60  # narrower sections have no bars: the text needs the space
_BAR_CELLS: Final = 12
_SPARK_CELLS: Final = 24
_CHART_ROWS: Final = 6
_MAX_CELLS_A_STEP: Final = 4  # few steps are drawn broader, up to this
_COLOR: Final = re.compile(r"\x1b\[[0-9]+m")
_BOLD: Final = "\x1b[1m{}\x1b[0m"
_COLORS: Final = {"5xx": 31, "error": 31, "4xx": 33, "warning": 33, "2xx": 32, "info": 32}


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and the lines below it. Lines are cleaned, and no line is wider than the section."""

    heading: Sequence[str]  # more than one line if it does not fit the width
    lines: Sequence[str]


def draw_report(report: Report, *, title: str, width: int, zone: tzinfo | None, color: bool = False) -> list[str]:
    """Return the lines of a report, each at most ``width`` cells wide.

    Args:
        report: what is shown.
        title: what the report is about, such as the path of the file.
        width: of the terminal, in cells, at least 40.
        zone: of the times; None is this machine's zone.
        color: whether headings are bold and classes coloured.
    """
    lines = [*_draw_header(report, title, width, zone, color=color), ""]
    if report.timeline is not None:
        lines += _draw_section(_draw_timeline(report, width, zone), color=color)
    if width >= _WIDE:
        half = (width - 2 * len(_GAP)) // 2
        left, right = _split(_list_sections(report, half, values=8, color=color))
        return lines + _side_by_side(left, right, half, color=color)
    for section in _list_sections(report, width, values=5, color=color):
        lines += _draw_section(section, color=color)
    return lines[:-1]


def _draw_header(report: Report, title: str, width: int, zone: tzinfo | None, *, color: bool) -> list[str]:
    shown = cut_start(clean(title), width)
    lines = [_BOLD.format(shown) if color else shown]
    parts = [describe_lines(report)]
    if report.sources:
        parts.append(describe_formats(report.sources))
    if report.response_bytes:
        parts.append(f"{format_bytes(report.response_bytes)} sent")
    lines += _wrap(parts, width)
    if report.first_at is not None and report.last_at is not None:
        first, last = format_instant(report.first_at, zone), format_instant(report.last_at, zone)
        took = format_span((report.last_at - report.first_at).total_seconds())
        lines += _wrap([f"{first} to {last} {format_zone(report.last_at, zone)}", took], width)
    if note := describe_read_times(report):
        lines += wrap(clean(note), width)
    return lines


def _wrap(parts: Sequence[str], width: int) -> list[str]:
    """Return the parts, joined by a separator, in as many lines as they need."""
    lines: list[str] = []
    for part in map(clean, parts):
        if lines and width_of(lines[-1]) + len(", ") + width_of(part) <= width:
            lines[-1] += f", {part}"
        else:
            lines += wrap(part, width)
    return lines


def _draw_timeline(report: Report, width: int, zone: tzinfo | None) -> Section:
    timeline = report.timeline
    assert timeline is not None  # noqa: S101 - the caller checks; tells the type checker
    totals = count_totals(report.classes)
    joined = -(-len(totals) // width)  # how many steps share a column
    numbers = [sum(totals[at : at + joined]) for at in range(0, len(totals), joined)]
    across = max(1, min(width // len(numbers), _MAX_CELLS_A_STEP))
    drawn = columns([number or None for number in numbers for _ in range(across)], _CHART_ROWS)
    axis = _draw_axis(timeline, len(numbers) * across, zone)
    note = wrap(describe_outside(report), width) if report.outside else []
    return Section(wrap(describe_rate(report, joined), width), [*(line.rstrip() for line in drawn), axis, *note])


def _draw_axis(timeline: Timeline, width: int, zone: tzinfo | None) -> str:
    """Return the times of both ends of the chart: without the year, or only the first, if they do not fit."""
    ends = [format_instant(instant, zone) for instant in (timeline.start, timeline.end)]
    for part in (slice(16), slice(5, 16)):  # to the minute
        left, right = (end[part] for end in ends)
        if len(left) + len(right) < width:
            return f"{left}{right:>{width - len(left)}}"
    return ends[0][:16]


def _list_sections(report: Report, width: int, *, values: int, color: bool) -> list[Section]:
    drawn: list[Section | None] = [
        _draw_classes(report, width, color=color),
        _draw_counts("Top routes", report.routes, report.records, width, values),
        _draw_counts("Routes with server errors", report.failing, report.server_errors, width, values),
        _draw_slowest(report.slowest, width, values),
        _draw_patterns(report.patterns, width, values),
        _draw_counts("Top clients" if report.routes else "Top hosts", report.clients, report.records, width, values),
        _draw_reasons(report.reasons, report, width, values),
        _draw_sources(report.sources, width, values),
    ]
    return [section for section in drawn if section is not None]


def _draw_classes(report: Report, width: int, *, color: bool) -> Section | None:
    if not report.kind:
        return None
    cells = []
    for one in report.classes:
        points = [(step, float(number)) for step, number in enumerate(one.steps)]
        means = resample(points, len(points), _SPARK_CELLS, missing=0.0)
        over_time = sparkline([mean or None for mean in means])
        drawn = [f"{over_time:{_SPARK_CELLS}}"] if width >= _BARS_FROM else []
        cells.append([format_number(one.records), format_share(one.records, report.records), *drawn, one.name])
    lines = _align(cells, width, left=(2,) if width >= _BARS_FROM else ())
    if color:
        lines = [
            f"\x1b[{_COLORS[one.name]}m{line}\x1b[0m" if one.name in _COLORS else line
            for one, line in zip(report.classes, lines, strict=True)
        ]
    return Section([report.kind.capitalize()], lines)


def _draw_counts(what: str, counts: Counts | None, whole: int, width: int, values: int) -> Section | None:
    if counts is None or not counts.items:
        return None
    items = counts.items[:values]
    rows = [(item.value, item.records) for item in items]
    heading = _head(what, len(items), counts.different)
    return Section(wrap(heading, width), _draw_bars(rows, whole, width))


def _draw_patterns(found: MessagePatterns | None, width: int, values: int) -> Section | None:
    if found is None:
        return None
    rows = [(one.shape, one.count) for one in found.patterns[:values]]
    heading = _head(describe_patterns(found), len(rows), found.different)
    return Section(wrap(heading, width), draw_top(rows, found.messages, width))


def _draw_reasons(reasons: Sequence[Reason], report: Report, width: int, values: int) -> Section | None:
    if not reasons:
        return None
    rows = [(reason.text, reason.lines) for reason in reasons[:values]]
    heading = _head("Why lines were rejected", len(rows), len(reasons))
    return Section(wrap(heading, width), _draw_bars(rows, report.lines, width))


def _draw_sources(sources: Sequence[SourceCount], width: int, values: int) -> Section | None:
    if len(sources) < 2:
        return None
    shown = sources[:values]
    is_narrow = width < _BARS_FROM  # the header has the formats
    cells = [["records", "rejected", *([] if is_narrow else ["format"]), "file"]]
    for source in shown:
        format_ = [] if is_narrow else [name_format(source)]
        cells.append([format_number(source.records), format_number(source.rejects), *format_, source.name])
    lines = _align(cells, width, left=() if is_narrow else (2,), cut_last=cut_path)
    return Section([_head("Files", len(shown), len(sources))], lines)


def _draw_slowest(slowest: Durations | None, width: int, values: int) -> Section | None:
    if slowest is None:
        return None
    shown, unit_s = slowest.items[:values], slowest.unit_s

    def told(value: float) -> str:
        return format_number(value) if unit_s is None else format_seconds(value * unit_s)

    cells = [
        [told(slow.p95), told(slow.p50), told(slow.longest), format_number(slow.records), slow.value] for slow in shown
    ]
    names = ["p95", "p50", "max", "requests", "route"]
    if width < _BARS_FROM:  # the middle and the maximum are in the page and in JSON
        cells, names = [[row[0], row[3], row[4]] for row in cells], [names[0], names[3], names[4]]
    lines = _align([names, *cells], width)
    heading = _head(describe_slowest(slowest), len(shown), slowest.different)
    return Section(wrap(heading, width), lines)


def _head(what: str, shown: int, different: int) -> str:
    return f"{what} ({shown} of {format_number(different)})" if different > shown else what


def _draw_bars(rows: Sequence[tuple[str, int]], whole: int, width: int) -> list[str]:
    """Return a line for each row: the number, its share of the whole, a bar in a wide section, and the text."""
    longest = max((number for _, number in rows), default=0)
    cells = []
    for text, number in rows:
        drawn = [f"{bar(number, longest, _BAR_CELLS):{_BAR_CELLS}}"] if width >= _BARS_FROM else []
        cells.append([format_number(number), format_share(number, whole), *drawn, text])
    return _align(cells, width, left=(2,) if width >= _BARS_FROM else ())


def _align(
    rows: Sequence[Sequence[str]],
    width: int,
    *,
    left: Sequence[int] = (),
    cut_last: Callable[[str, int], str] = cut,
) -> list[str]:
    """Return rows as lines whose columns are aligned to the right, apart from those at the indexes ``left``.

    The last cell of a row takes the rest of the width, and is cut to it.
    """
    cleaned = [[clean(cell) for cell in row] for row in rows]
    widths = [max(map(width_of, column)) for column in zip(*(row[:-1] for row in cleaned), strict=True)]
    rest = width - sum(widths) - len(_GAP) * len(widths)
    lines = []
    for row in cleaned:
        padded = [
            cell + " " * (wide - width_of(cell)) if at in left else " " * (wide - width_of(cell)) + cell
            for at, (cell, wide) in enumerate(zip(row[:-1], widths, strict=True))
        ]
        lines.append(_GAP.join([*padded, cut_last(row[-1], rest)]).rstrip())
    return lines


def _draw_section(section: Section, *, color: bool) -> list[str]:
    heading = [_BOLD.format(line) for line in section.heading] if color else section.heading
    return [*heading, *section.lines, ""]


def _split(sections: Sequence[Section]) -> tuple[list[Section], list[Section]]:
    """Return the sections in two columns of about the same height, in their order."""
    heights = [len(section.heading) + len(section.lines) + 1 for section in sections]
    at = min(range(len(sections) + 1), key=lambda at: max(sum(heights[:at]), sum(heights[at:])), default=0)
    return list(sections[:at]), list(sections[at:])


def _side_by_side(left: Sequence[Section], right: Sequence[Section], half: int, *, color: bool) -> list[str]:
    columns_of_lines = [[line for part in side for line in _draw_section(part, color=color)] for side in (left, right)]
    lines = []
    for one, two in zip_longest(*columns_of_lines, fillvalue=""):
        blanks = " " * (half - width_of(_COLOR.sub("", one)))
        lines.append(f"{one}{blanks}{2 * _GAP}{two}".rstrip())
    while lines and not lines[-1]:
        lines.pop()
    return lines
