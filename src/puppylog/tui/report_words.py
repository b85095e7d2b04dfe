"""The numbers, times and sentences of a report, as a terminal and a page show them."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Final

from puppylog.model.number import format_duration, format_number
from puppylog.monitor.record_classes import Class
from puppylog.monitor.report import Durations, MessagePatterns, Report, SourceCount
from puppylog.tui.bar import format_share
from puppylog.tui.clean import clean
from puppylog.tui.wrap import cut_at_word

_FORMAT_CELLS: Final = 24
_UNITS: Final = (("a second", 1), ("a minute", 60), ("an hour", 3600), ("a day", 86_400))


def format_seconds(seconds: float) -> str:
    """Return a duration as people read it: ``12 ms``, ``1.4 s``, ``3 min 20 s``.

    >>> format_seconds(0.01234), format_seconds(0.0000512), format_seconds(75)
    ('12.3 ms', '51.2 µs', '1 min 15 s')
    """
    if seconds < 0 or seconds >= 1:
        return format_duration(seconds)
    scaled, unit = (seconds * 1e3, "ms") if seconds >= 1e-3 or not seconds else (seconds * 1e6, "µs")
    return f"{scaled:.3g} {unit}"


def format_span(seconds: float) -> str:
    """Return a length of time without parts that are zero: ``18 ms``, ``15 s``, ``30 min``, ``2 h``, ``7 d``.

    >>> format_span(0.017955), format_span(15), format_span(90), format_span(7200)
    ('18 ms', '15 s', '1 min 30 s', '2 h')
    """
    if 0 < seconds < 1:
        return format_seconds(seconds)
    parts = format_duration(seconds).split(" ") if seconds >= 10 else [f"{seconds:.3g}", "s"]
    return " ".join(parts[:-2] if len(parts) == 4 and parts[2] == "0" else parts)


def describe_rate(report: Report, steps: int = 1) -> str:
    """Return a sentence about how many lines there were a second, on average and at most.

    Args:
        report: must have a timeline.
        steps: how many steps of the timeline are joined before the greatest number is looked for.
    """
    timeline = report.timeline
    assert timeline is not None  # noqa: S101 - the caller checks; tells the type checker
    totals = count_totals(report.classes)
    most = max((sum(totals[at : at + steps]) for at in range(0, len(totals), steps)), default=0)
    joined_s = timeline.step_s * steps
    mean = sum(totals) / (timeline.step_s * timeline.steps)
    unit, unit_s = next(
        (
            (unit, unit_s)
            for unit, unit_s in (("a second", 1), ("a minute", 60), ("an hour", 3600))
            if mean * unit_s >= 1
        ),
        ("a day", 86_400),
    )
    shown = [
        format_number(round(rate * unit_s)) if rate * unit_s >= 10 else f"{rate * unit_s:.2g}"
        for rate in (mean, most / joined_s)
    ]
    return f"Lines {unit}: {shown[0]} on average, {shown[1]} at most in {format_span(joined_s)}"


def describe_outside(report: Report) -> str:
    """Return a sentence about records before and after the timeline."""
    share = format_share(report.outside, report.records)
    return f"{format_number(report.outside)} records ({share}) are of other times, and not in this chart"


def describe_patterns(found: MessagePatterns) -> str:
    """Return the heading of the patterns of messages."""
    return "Errors by message pattern" if found.of_errors else "Messages by pattern"


def describe_slowest(slowest: Durations) -> str:
    """Return the heading of the slowest routes: what the durations are, and which routes are left out."""
    unit = "" if slowest.unit_s is not None else ", unit unknown"
    least = f", of {slowest.least} requests or more" if slowest.least > 1 else ""
    return f"Slowest routes by {clean(slowest.attribute)}{unit}{least}"


def count_totals(classes: Sequence[Class]) -> Sequence[int]:
    """Return the number of records of all classes in each step."""
    return [sum(counts) for counts in zip(*(one.steps for one in classes), strict=True)]


def format_instant(instant: datetime, zone: tzinfo | None) -> str:
    """Return an instant to the second, without its zone."""
    try:
        return f"{instant.astimezone(zone):%Y-%m-%d %H:%M:%S}"
    except OverflowError:  # within a day of the first or last instant that Python has
        return f"{instant:%Y-%m-%d %H:%M:%S}"


def format_zone(instant: datetime, zone: tzinfo | None) -> str:
    """Return the name of the zone at an instant, such as ``UTC`` or ``CEST``."""
    return instant.astimezone(zone).tzname() or "UTC"


def describe_lines(report: Report) -> str:
    """Return the numbers of records and of rejected lines as a part of a sentence."""
    told = f"{format_number(report.records)} {'record' if report.records == 1 else 'records'}"
    if not report.rejects:
        return told
    return f"{told}, {format_number(report.rejects)} rejected ({format_share(report.rejects, report.lines)})"


def name_format(source: SourceCount) -> str:
    """Return the format of a source; only the beginning of a format that was copied from a server's configuration."""
    return cut_at_word(clean(source.format), _FORMAT_CELLS) or "unknown format"


def describe_formats(sources: Sequence[SourceCount]) -> str:
    """Return the formats of the sources, with the number of sources of each if they differ."""
    names = [name_format(source) for source in sources]
    different = list(dict.fromkeys(names))
    if len(different) == 1:
        return different[0]
    return ", ".join(f"{name} ({names.count(name)})" for name in different)


def describe_read_times(report: Report) -> str:
    """Return a sentence about records without a time of their own; empty if there are none."""
    if not report.read_times:
        return ""
    share = format_share(report.read_times, report.records)
    return (
        f"{format_number(report.read_times)} records ({share}) have no time of their own: "
        "their time is when they were read"
    )
