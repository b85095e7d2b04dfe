"""The text of a message, in paragraphs that each medium marks up by itself.

A message is composed in several sizes, from all that is known down to a few lines. A medium takes the largest size that
is within its limit, so no markup is ever cut. Each size says what it leaves out.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from enum import Enum, auto
from itertools import chain
from typing import Final, TypeVar

from puppylog.model.alert import COMPARED
from puppylog.model.chart import sparkline
from puppylog.model.number import format_duration, format_number
from puppylog.model.period import format_period
from puppylog.notify.message import MAX_LINES, MOST_URGENT_FIRST, Kind, Message, SampleLine, SegmentReport, count_kinds
from puppylog.notify.text import checked_link, cut_text, format_instant, one_line

T = TypeVar("T")

_WORDS: Final = {
    Kind.FIRING: "FIRING",
    Kind.NO_DATA: "NO DATA",
    Kind.RESOLVED: "RESOLVED",
    Kind.ACKNOWLEDGED: "ACKNOWLEDGED",
}
LATE: Final = "Late: this was evaluated after it happened, because nothing evaluated the alert at that time."
TEST: Final = "This is a test. Nothing is wrong."

# Longer texts are cut, with a note of how much was cut.
_MAX_NAME: Final = 120
_MAX_SUMMARY: Final = 400
_CHART_COLUMNS: Final = 60


class Style(Enum):
    TITLE = auto()  # one line
    TEXT = auto()  # one line
    BLOCK = auto()  # lines in a font of fixed width, each of which may hold any characters of a log
    COMMAND = auto()  # one line for a shell
    LINK = auto()  # a URL


@dataclass(frozen=True, slots=True)
class Part:
    """A paragraph. Its text has no control characters; only a block has line breaks."""

    style: Style
    text: str


@dataclass(frozen=True, slots=True)
class Size:
    """How much a message says. All lengths are in characters."""

    segments: int  # how many segments are shown with their numbers
    lines: int  # how many sample lines are shown, of all segments together
    width: int  # of a sample line
    name: int = _MAX_NAME  # of the name of an alert, a segment or a source
    summary: int = _MAX_SUMMARY
    command: int = 1000  # a longer command is left out, because a part of a command is of no use

    @property
    def is_least(self) -> bool:
        return self is SIZES[-1]


SIZES: Final = (
    Size(segments=20, lines=10, width=1000),
    Size(segments=20, lines=10, width=300),
    Size(segments=20, lines=10, width=160),
    Size(segments=10, lines=10, width=120),
    Size(segments=10, lines=5, width=120),
    Size(segments=5, lines=5, width=100, name=80, summary=200, command=400),
    Size(segments=3, lines=2, width=80, name=60, summary=120, command=300),
    Size(segments=3, lines=1, width=60, name=40, summary=80, command=200),
    Size(segments=1, lines=0, width=0, name=40, summary=40, command=0),
)
"""The sizes of a message, the largest first. The last one is within the limit of every medium, for any texts."""


def fit(
    message: Message, draw: Callable[[Sequence[Part]], T], fits: Callable[[T], bool], zone: tzinfo | None = UTC
) -> T:
    """Return the drawing of the largest size of the message that fits; the smallest one if none does.

    Args:
        message: what to draw.
        draw: marks up paragraphs.
        fits: whether a drawing is within the limit of the medium.
        zone: the time zone of the instants; None is this machine's.
    """
    for size in SIZES:
        drawn = draw(compose(message, size, zone))
        if fits(drawn):
            break
    return drawn


def compose(message: Message, size: Size, zone: tzinfo | None = UTC) -> list[Part]:
    """Return the paragraphs of the message in this size."""
    parts = [Part(Style.TITLE, format_title(message, size.name)), *_compose_remarks(message, size, zone)]
    if message.metric:  # the alert was deleted, if it is not known what it judged
        parts.append(Part(Style.TEXT, describe_rule(message, size.name)))
    parts.extend(_compose_segments(message, size, zone))
    parts.extend(_compose_lines(message, size, zone))
    command = one_line(message.command)
    if command and len(command) <= size.command:
        parts.append(Part(Style.COMMAND, command))
    elif command:
        parts.append(Part(Style.TEXT, "The command that shows more is too long for this message."))
    link = checked_link(message.link)
    if link and len(link) <= size.command:
        parts.append(Part(Style.LINK, link))
    if message.store and not size.is_least:
        parts.append(Part(Style.TEXT, f"Store: {cut_text(message.store, size.name)}"))
    return parts


def format_title(message: Message, most: int = _MAX_NAME) -> str:
    """Return the title: what happened to which alert, with its value if there is one.

    Args:
        message: the message.
        most: the longest name of an alert or a segment, in characters.
    """
    kinds = count_kinds(message)
    words = ", ".join(f"{_WORDS[kind]}{f' {count}' if message.count > 1 else ''}" for kind, count in kinds.items())
    test = "[TEST] " if message.is_test else ""
    name = cut_text(message.alert, most)
    if message.count > 1:
        return f"{test}[{words}] {name}: {message.count:,} segments"
    report = message.segments[0]
    segment = f" {_name_segment(report, most)}" if message.each_segment else ""
    return f"{test}[{words}] {name}{segment}{_judge(message, report)}"


def describe_rule(message: Message, most: int = _MAX_NAME) -> str:
    """Return the rule of the alert: ``avg of errors over 5m above 10``."""
    metric = cut_text(message.metric, most)
    window = format_period(message.window_s)
    return f"Rule: {message.statistic} of {metric} over {window} {_threshold(message)}; severity {message.severity}"


def format_plain(parts: Sequence[Part]) -> str:
    """Return the paragraphs as plain text, without markup."""
    return "\n".join(chain.from_iterable(_iter_plain(part) for part in parts))


def _iter_plain(part: Part) -> Iterator[str]:
    match part.style:
        case Style.BLOCK:
            yield from part.text.split("\n")
        case Style.COMMAND:
            yield f"More: {part.text}"
        case Style.LINK:
            yield f"Page: {part.text}"
        case _:
            yield part.text


def _compose_remarks(message: Message, size: Size, zone: tzinfo | None) -> Iterator[Part]:
    if message.is_test:
        yield Part(Style.TEXT, TEST)
    if message.is_late:
        yield Part(Style.TEXT, LATE)
    if message.told_at is not None:
        yield Part(Style.TEXT, f"Reminder: this was told before, last at {format_instant(message.told_at, zone)}.")
    for remark in (message.summary, message.note):
        if remark:
            yield Part(Style.TEXT, cut_text(remark, size.summary))


def _compose_segments(message: Message, size: Size, zone: tzinfo | None) -> Iterator[Part]:
    if message.count == 1:
        [report] = message.segments
        yield Part(Style.TEXT, _describe_times(report, zone))
        if chart := draw_chart(report):
            yield Part(Style.BLOCK, chart)
        return
    ordered = sorted(message.segments, key=lambda report: MOST_URGENT_FIRST.index(report.kind))
    shown = ordered[: size.segments]
    kinds = count_kinds(message)
    rows = [_segment_row(report, size, zone, with_kind=len(kinds) > 1) for report in shown]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    yield Part(Style.BLOCK, "\n".join(lines))
    if rest := message.count - len(shown):
        yield Part(Style.TEXT, f"and {rest:,} more segments")


def _segment_row(report: SegmentReport, size: Size, zone: tzinfo | None, *, with_kind: bool) -> list[str]:
    instant = report.since if report.ended_at is None else report.ended_at
    word = "since" if report.ended_at is None else "ended"
    row = [
        _name_segment(report, size.name // 2),
        format_number(report.value),
        f"{word} {format_instant(instant, zone)}",
    ]
    return [*([_WORDS[report.kind]] if with_kind else []), *row, draw_chart(report, _CHART_COLUMNS // 3)]


def _compose_lines(message: Message, size: Size, zone: tzinfo | None) -> Iterator[Part]:
    lines = sorted(chain.from_iterable(report.lines for report in message.segments), key=_instant_of, reverse=True)
    known = len(lines) + sum(report.lines_omitted for report in message.segments)
    shown = lines[: size.lines]
    if shown:
        may_be_more = any(len(report.lines) >= MAX_LINES for report in message.segments)
        yield Part(Style.TEXT, _head_of_lines(len(shown), known, may_be_more=may_be_more))
        yield Part(Style.BLOCK, "\n".join(format_line(line, size.width, zone, name=size.name) for line in shown))
    elif known:
        yield Part(Style.TEXT, f"{known:,} matching {'line is' if known == 1 else 'lines are'} left out.")


def _head_of_lines(shown: int, known: int, *, may_be_more: bool) -> str:
    if known > shown:
        return f"{shown} of {known:,} lines, newest first:"
    return f"The newest {shown} lines:" if may_be_more else "Lines, newest first:"


def _instant_of(line: SampleLine) -> float:
    return line.ts.timestamp()


def format_line(line: SampleLine, width: int, zone: tzinfo | None = UTC, *, name: int = _MAX_NAME) -> str:
    """Return a sample line with its time and its source.

    Args:
        line: the record.
        width: the longest text, in characters.
        zone: of the time; None is this machine's.
        name: the longest name of a source, in characters.
    """
    source = f" {cut_text(line.source, name)}" if line.source else ""
    return f"{format_instant(line.ts, zone)}{source}  {cut_text(line.text, width)}"


def _describe_times(report: SegmentReport, zone: tzinfo | None) -> str:
    since = format_instant(report.since, zone)
    if report.ended_at is None:
        return f"Since {since}"
    duration = format_duration(max(0.0, (report.ended_at - report.since).total_seconds()))
    return f"From {since} to {format_instant(report.ended_at, zone)}, for {duration}"


def draw_chart(report: SegmentReport, columns: int = _CHART_COLUMNS) -> str:
    """Return the newest ``columns`` observations as a row of blocks, without blanks at its end."""
    return sparkline(report.chart[-columns:]).rstrip()


def _judge(message: Message, report: SegmentReport) -> str:
    """Return the value against the threshold, as the end of a title."""
    if not message.metric:
        return "" if report.value is None else f": {format_number(report.value)}"
    match report.kind:
        case Kind.NO_DATA:
            return f": nothing observed for {format_period(message.window_s)}"
        case Kind.RESOLVED if report.value is not None:
            return f": {format_number(report.value)}, no longer {_threshold(message)}"
        case Kind.FIRING if report.value is not None:
            return f": {format_number(report.value)}, {_threshold(message)}"
        case _:
            return ""


def _threshold(message: Message) -> str:
    return f"{COMPARED[message.comparison]} {format_number(message.threshold)}"


def _name_segment(report: SegmentReport, most: int) -> str:
    """Return the segment in brackets if it may be taken for something else: an empty text, or no value."""
    return "(none)" if report.segment is None else cut_text(report.segment, most) or "(empty)"
