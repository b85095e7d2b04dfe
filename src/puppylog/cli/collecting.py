"""StreamReporter what a collector does: for every command that collects."""

import sys
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final, Self

from puppylog.cli.messages import tell, warn
from puppylog.cli.surroundings import can_redraw
from puppylog.collect.events import (
    Committed,
    Event,
    FileFinished,
    FileMissing,
    FormatChosen,
    JournalGap,
    LineContinued,
    LineCut,
    NativeReadersMissing,
    OpenFileLimitReached,
    PodLabelsMissing,
    Progress,
    SourcesChanged,
    SourceSkipped,
    SourceUnreadable,
    StoreInterrupted,
    StoreResumed,
    Summary,
    WatchLimitReached,
)
from puppylog.model.number import format_bytes, format_duration, format_number
from puppylog.model.record import LineCounts
from puppylog.settings import Settings
from puppylog.tail.source import STDIN
from puppylog.tui.live import Live
from puppylog.tui.progress import ProgressLine

_SHOWN_REASONS: Final = 10
_NOTES: Final[Mapping[type[Event], str]] = {
    StoreResumed: "the store is back",
    SourcesChanged: "the changed sources are followed",
    PodLabelsMissing: "the labels of pods are read",
    NativeReadersMissing: (
        "installed without a C compiler: lines are read in Python, which takes about 40 to 120 times as much CPU "
        "(install a compiler, then Puppylog again)"
    ),
}


class Reporter:
    """Reports a collector's events on stderr. On a terminal, a line of progress is shown below the messages.

    A context manager: its exit erases the line of progress.
    """

    def __init__(self, settings: Settings, *, echo: bool = False) -> None:
        self._settings = settings
        self._echo = echo
        self._formats: dict[str, str] = {}  # that were told, by path; guarded by _lock
        self._lock = threading.Lock()  # held while writing, because events come from two threads
        shows = can_redraw(sys.stderr) and not settings.quiet
        self._progress = ProgressLine(Live(sys.stderr, has_color=False)) if shows else None  # guarded by _lock

    def on_event(self, event: Event) -> None:
        """Report an event. Safe to call from several threads."""
        with self._lock:
            if isinstance(event, Progress):
                if self._progress is not None:
                    lines = event.records + event.rejects
                    self._progress.show(bytes_done=event.bytes_done, bytes_total=event.bytes_total, lines=lines)
                return
            self._clear()
            self._say(event)

    def write_between(self, write: Callable[[], None]) -> None:
        """Call a function that writes to stderr, between the reports of events. Safe to call from several threads."""
        with self._lock:
            self._clear()
            write()

    def _say(self, event: Event) -> None:
        match event:
            case Committed(records, rejects) if self._echo:
                sys.stdout.write(f"committed {records} records, {rejects} rejected lines\n")
                sys.stdout.flush()
            case SourceSkipped(cause):
                warn(cause)
            case StoreResumed() | NativeReadersMissing() | SourcesChanged() | PodLabelsMissing(None):
                tell(self._settings, _NOTES[type(event)])
            case OpenFileLimitReached() | WatchLimitReached() | PodLabelsMissing():
                warn(_describe_limitation(event))
            case FormatChosen(path, format_):
                self._tell_format(path, format_)
            case FileFinished(path, byte_offset) if path != STDIN:
                tell(self._settings, f"finished {path}, {format_bytes(byte_offset)}")
            case LineCut() | LineContinued() | JournalGap() | FileMissing():
                warn(_describe_line(event))
            case SourceUnreadable(_, cause, is_watched):
                warn(f"{cause}; waiting for it" if is_watched else cause)
            case StoreInterrupted(cause, retry_in_s):
                warn(f"{cause}; nothing is lost, retrying in {format_duration(retry_in_s)}")

    def _tell_format(self, path: str, format_: str) -> None:
        """Tell the format of a file once: a file is begun again after each try to reach the store."""
        if self._formats.get(path) != format_:
            self._formats[path] = format_
            tell(self._settings, f"reading {path} as {format_}")

    def _clear(self) -> None:
        if self._progress is not None:
            self._progress.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._clear()


def _describe_limitation(event: OpenFileLimitReached | WatchLimitReached | PodLabelsMissing) -> str:
    if isinstance(event, PodLabelsMissing):
        return f"cannot read the labels of pods: {event.cause}; lines are stored, and get these labels later"
    if isinstance(event, OpenFileLimitReached):
        return (
            f"the limit of {event.limit} open files allows {event.max_open} open logs: a log that does not change is "
            "closed, and opened again when it changes (raise the limit with `ulimit -n`, or with LimitNOFILE=)"
        )
    return (
        f"cannot watch some directories for changes: {event.limit} is reached; "
        "their files are checked every few seconds instead"
    )


def _describe_gap(event: JournalGap) -> str:
    return (
        f"{event.path}: the journal no longer has the last stored entry, of {_format_time(event.stored_us)}; "
        "going on with the entries after it"
    )


def _format_time(instant_us: int) -> str:
    try:
        return datetime.fromtimestamp(instant_us / 1_000_000, UTC).isoformat(timespec="milliseconds")
    except (OverflowError, ValueError, OSError):  # a journal of another machine may say anything
        return f"microsecond {instant_us}"


def _describe_line(event: LineCut | LineContinued | JournalGap | FileMissing) -> str:
    if isinstance(event, JournalGap):
        return _describe_gap(event)
    if isinstance(event, FileMissing):
        stored = format_bytes(event.byte_offset)
        return (
            f"{event.path} was read up to {stored}, and was not found again: it was deleted or replaced. "
            "What was written to it after that, if anything, is lost"
        )
    if isinstance(event, LineCut):
        return f"{event.path}: the line or record at byte {event.line_offset} is too long; its beginning is kept"
    end = event.rest_offset
    return (
        f"{event.path}: the unfinished line that was stored up to byte {end} continues; "
        "the rest is stored as another line"
    )


def tell_summary(settings: Settings, summary: Summary) -> None:
    """Say what a run has read and stored, and how many records have no time of their own."""
    for line in (describe_summary(summary), *describe_times(summary.counts)):
        tell(settings, line)


def describe_summary(summary: Summary) -> str:
    """Return one line about what a run has read and stored."""
    lines = summary.records + summary.rejects
    rate = round(lines / summary.seconds) if summary.seconds > 0 else lines
    counts = summary.counts
    others = f", {count_lines(counts.continued)} joined" if counts.continued else ""
    others += f", {count_lines(counts.rowless)} without a row" if counts.rowless else ""
    waiting = f"; {format_bytes(summary.unfinished_bytes)} of unfinished lines wait for their newline"
    if summary.unfinished_wait_s is not None:
        quiet = format_duration(summary.unfinished_wait_s)
        waiting += f", or for a run {quiet} after the last change of their files"
    return (
        f"{format_number(summary.bytes_read)} bytes, {format_number(summary.records)} records, "
        f"{format_number(summary.rejects)} rejected{others} in {format_duration(summary.seconds)} "
        f"({format_number(rate)} lines/s)" + (waiting if summary.unfinished_bytes else "")
    )


def count_lines(number: int) -> str:
    """Return ``1 line`` or ``1,234 lines``."""
    return f"{format_number(number)} {'line' if number == 1 else 'lines'}"


def describe_times(counts: LineCounts) -> list[str]:
    """Return a line about records without a time of their own, and a line about zones that can mean several."""
    lines = []
    if untimed := counts.before + counts.read:
        taken = [
            f"{format_number(count)} took the time {of}"
            for count, of in ((counts.before, "of the record before"), (counts.read, "of reading"))
            if count
        ]
        have, own = ("records have", "their") if untimed != 1 else ("record has", "its")
        lines.append(f"{format_number(untimed)} {have} no time of {own} own: {' and '.join(taken)} (see ts_source)")
    if counts.ambiguous_zones:
        count = format_number(counts.ambiguous_zones)
        stamps = "time stamps name" if counts.ambiguous_zones > 1 else "time stamp names"
        lines.append(f"{count} {stamps} a zone that can mean several, which was read by --tz")
    return lines


def describe_reasons(summary: Summary) -> list[str]:
    """Return a line per reason for which lines were rejected, the most frequent reasons first."""
    shown = summary.reasons[:_SHOWN_REASONS]
    lines = [f"{format_number(count):>8} rejected: {reason}" for reason, count in shown]
    hidden = len(summary.reasons) - len(shown)
    return lines + ([f"and {hidden} more reasons"] if hidden else [])
