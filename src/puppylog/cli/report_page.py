"""A report as one HTML page that needs no other file: no script, and no request to anywhere.

The page's policy forbids scripts and requests, so that a text of a log that came through unescaped could do nothing.
Every text is escaped by `_text`. Colours are variables with a light and a dark value; the width decides the columns.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta, tzinfo
from html import escape
from importlib import resources
from typing import Final

from puppylog.model.number import format_bytes, format_number
from puppylog.monitor.report import Counts, Durations, MessagePatterns, Reason, Report, SourceCount
from puppylog.tui.bar import format_share
from puppylog.tui.clean import clean, cut
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

_HEAD: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
{style}</style>
"""
_CHART: Final = (1200, 160)  # the units of the chart; the page scales it to its width
_NOTE_CHARACTERS: Final = 400
_BAD: Final = frozenset({"5xx", "error"})
_ODD: Final = frozenset({"4xx", "warning"})
_QUIET: Final = frozenset({"3xx", "1xx", "debug", "no status", "no severity", "other status", "other severity"})


def render_page(report: Report, title: str, commands: Sequence[str], *, zone: tzinfo | None) -> str:
    """Return the page.

    Args:
        report: what the page shows.
        title: what the report is about, such as the path of the file.
        commands: the commands that go on from the report.
        zone: of the times; None is this machine's zone.
    """
    style = resources.files("puppylog.cli").joinpath("report.css").read_text(encoding="utf-8")
    parts = [
        _HEAD.format(title=_text(f"{title} - Puppylog"), style=style),
        _render_header(report, title, zone),
        "<main>\n",
        _render_timeline(report, zone),
        _renderclass_es(report),
        _render_counts("Top routes", "route", report.routes, report.records),
        _render_counts("Routes with server errors", "route", report.failing, report.server_errors),
        _render_counts("Top clients" if report.routes else "Top hosts", "host", report.clients, report.records),
        _render_reasons(report.reasons, report),
        _render_slowest(report.slowest),
        _render_patterns(report.patterns, zone),
        _render_sources(report.sources),
        _render_commands(commands),
        "</main>\n",
    ]
    return "".join(parts)


def _text(text: str) -> str:
    """Return a text so that the page shows it and does not obey it."""
    return escape(clean(text))


def _render_header(report: Report, title: str, zone: tzinfo | None) -> str:
    facts = [describe_lines(report)]
    if report.sources:
        facts.append(describe_formats(report.sources))
    if report.response_bytes:
        facts.append(f"{format_bytes(report.response_bytes)} sent")
    if report.first_at is not None and report.last_at is not None:
        first, last = format_instant(report.first_at, zone), format_instant(report.last_at, zone)
        took = format_span((report.last_at - report.first_at).total_seconds())
        facts.append(f"{first} to {last} {format_zone(report.last_at, zone)} ({took})")
    shown = "".join(f"<li>{_text(fact)}</li>" for fact in facts)
    note = describe_read_times(report)
    warning = f'<p class="note">{_text(note)}</p>' if note else ""
    return f"<header><h1>{_text(title)}</h1><ul>{shown}</ul>{warning}</header>\n"


def _render_timeline(report: Report, zone: tzinfo | None) -> str:
    timeline = report.timeline
    if timeline is None:
        return ""
    totals = count_totals(report.classes)
    most = max(totals, default=0) or 1
    width, height = _CHART
    step_width = width / timeline.steps
    bars: list[str] = []
    for step, total in enumerate(totals):
        if not total:
            continue
        start = timeline.start + timedelta(seconds=timeline.step_s * step)
        told = ", ".join(
            f"{format_number(one.steps[step])} {one.name}".strip() for one in report.classes if one.steps[step]
        )
        top = float(height)
        rects = []
        for one in reversed(report.classes):  # the worst on top
            size = one.steps[step] / most * height
            if size:
                top -= size
                rects.append(
                    f'<rect class="{_tone(one.name)}" x="{step * step_width:.2f}" y="{top:.2f}" '
                    f'width="{max(step_width - 1, 0.5):.2f}" height="{size:.2f}"/>'
                )
        bars.append(f"<g><title>{_text(f'{format_instant(start, zone)}: {told}')}</title>{''.join(rects)}</g>")
    note = f'<p class="about">{_text(describe_outside(report))}</p>' if report.outside else ""
    left, right = (_text(format_instant(instant, zone)[:16]) for instant in (timeline.start, timeline.end))
    chart = (
        f'<svg viewBox="0 0 {width} {height}" preserveAspectRatio="none" role="img" '
        f'aria-label="Lines over time">{"".join(bars)}</svg>'
    )
    return (
        f'<section class="wide"><h2>{_text(describe_rate(report))}</h2>{chart}'
        f'<p class="axis"><span>{left}</span><span>{right}</span></p>{note}</section>\n'
    )


def _renderclass_es(report: Report) -> str:
    if not report.kind:
        return ""
    most = max((one.records for one in report.classes), default=0)
    rows = [_bar_row(one.name, one.records, report.records, most, tone=_tone(one.name)) for one in report.classes]
    return _section(report.kind.capitalize(), report.kind, "records", rows)


def _tone(name: str) -> str:
    if name in _BAD:
        return "bad"
    if name in _ODD:
        return "odd"
    return "quiet" if name in _QUIET else "good"


def _render_counts(heading: str, what: str, counts: Counts | None, whole: int) -> str:
    if counts is None or not counts.items:
        return ""
    most = max(item.records for item in counts.items)
    rows = [_bar_row(item.value, item.records, whole, most) for item in counts.items]
    return _section(_head(heading, len(counts.items), counts.different), what, "records", rows)


def _render_patterns(found: MessagePatterns | None, zone: tzinfo | None) -> str:
    if found is None:
        return ""
    rows = [
        _row(
            [format_number(one.count), format_share(one.count, found.messages), format_instant(one.last_at, zone)],
            one.shape,
            note=one.example if one.example != one.shape else "",
        )
        for one in found.patterns
    ]
    heading = _head(describe_patterns(found), len(rows), found.different)
    return _table(heading, ["records", "share", "last seen"], "pattern, and its last message", rows, kind="patterns")


def _render_reasons(reasons: Sequence[Reason], report: Report) -> str:
    if not reasons:
        return ""
    shown = reasons[:10]
    rows = [_bar_row(reason.text, reason.lines, report.lines, shown[0].lines, tone="odd") for reason in shown]
    return _section(_head("Why lines were rejected", len(shown), len(reasons)), "reason", "lines", rows)


def _bar_row(text: str, number: int, whole: int, most: int, *, tone: str = "good") -> str:
    share = 100 * number / most if most else 0
    return (
        f'<tr><td class="number">{format_number(number)}</td>'
        f'<td class="number">{_text(format_share(number, whole))}</td>'
        f'<td class="text"><span class="bar {tone}" style="width:{share:.1f}%"></span>'
        f"<span>{_text(text)}</span></td></tr>"
    )


def _render_slowest(slowest: Durations | None) -> str:
    if slowest is None:
        return ""
    unit_s = slowest.unit_s

    def told(value: float) -> str:
        return format_number(value) if unit_s is None else format_seconds(value * unit_s)

    rows = [
        _row([told(slow.p95), told(slow.p50), told(slow.longest), format_number(slow.records)], slow.value)
        for slow in slowest.items
    ]
    heading = _head(describe_slowest(slowest), len(slowest.items), slowest.different)
    return _table(heading, ["p95", "p50", "max", "requests"], "route", rows, kind="slowest")


def _render_sources(sources: Sequence[SourceCount]) -> str:
    if len(sources) < 2:
        return ""
    rows = [
        _row([format_number(source.records), format_number(source.rejects), name_format(source)], source.name)
        for source in sources[:50]
    ]
    heading = _head("Files", len(rows), len(sources))
    return _table(heading, ["records", "rejected", "format"], "file", rows, kind="files")


def _row(numbers: Iterable[str], text: str, *, note: str = "") -> str:
    told = f'<div class="about">{_text(cut(clean(note), _NOTE_CHARACTERS))}</div>' if note else ""
    cells = "".join(f'<td class="number">{_text(number)}</td>' for number in numbers)
    return f'<tr>{cells}<td class="text">{_text(text)}{told}</td></tr>'


def _section(heading: str, what: str, unit: str, rows: Sequence[str]) -> str:
    return _table(heading, [unit, "share"], what, rows)


def _table(heading: str, numbers: Sequence[str], text: str, rows: Sequence[str], *, kind: str = "") -> str:
    """Return a section with a table. A ``kind`` has the whole width; the style hides some of its columns on a phone."""
    class_ = f' class="wide {kind}"' if kind else ""
    names = "".join(f'<th class="number">{_text(name)}</th>' for name in numbers)
    return (
        f"<section{class_}>"
        f"<h2>{_text(heading)}</h2><table><thead><tr>{names}<th>{_text(text)}</th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></section>\n"
    )


def _head(heading: str, shown: int, different: int) -> str:
    return f"{heading} ({shown} of {format_number(different)})" if different > shown else heading


def _render_commands(commands: Sequence[str]) -> str:
    shown = "\n".join(_text(command) for command in commands)
    return f'<section class="wide"><h2>Go on from here</h2><pre>{shown}</pre></section>\n'
