"""Makes the reports of a collector on its streams, and decides when they are due.

Only committed lines are counted as stored. Lines that were read and are not committed belong to the backlog.

Pure: nothing here reads a clock or calls a store. Times are in seconds of the caller's clock, which must never go back.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from puppylog.collect.batch import Share
from puppylog.collect.events import Committed, Event, OnEvent, StoreInterrupted, StoreResumed
from puppylog.model.stream import StreamReport

REPORT_S: Final = 5.0
"""The seconds between two reports on a stream that has changed."""

HEARTBEAT_S: Final = 15.0
"""The seconds between two reports on every stream. If a report is much older, its collector no longer runs."""

# How many samples of a growing backlog are kept. The oldest one tells how long the oldest byte has been waiting.
_MAX_SAMPLES: Final = 64


@dataclass(slots=True)
class _BacklogSample:
    """A time, and the bytes of the stream, read and unread, from the start of the collector to that time."""

    at: float
    end: int


@dataclass(slots=True)
class _StreamProgress:
    """The progress of one stream, and what was reported of it."""

    stream_id: int
    reported_at: float  # the time of the last report; at first, when the stream was opened
    stored_at: float | None = None
    stored: Share = field(default_factory=Share)
    read_bytes: int = 0  # stored or waiting for the store; so is read_lines
    read_lines: int = 0
    backlog_bytes: int = 0  # unread, or read and waiting for the store
    samples: deque[_BacklogSample] = field(default_factory=deque)  # the oldest first; empty if there is no backlog
    lines_reported: int = 0
    format: str = ""
    problem: str | None = None
    is_finished: bool = False
    has_news: bool = True

    @property
    def stored_lines(self) -> int:
        return self.stored.records + self.stored.rejects

    @property
    def waiting_lines(self) -> int:
        return self.read_lines - self.stored_lines

    def note_unread(self, unread_bytes: int, at: float) -> None:
        """Note how many bytes are unread now, and drop the samples whose bytes are stored."""
        while self.samples and self.samples[0].end <= self.stored.size_bytes:
            self.samples.popleft()
        self.backlog_bytes = self.read_bytes - self.stored.size_bytes + unread_bytes
        if not self.backlog_bytes:
            self.samples.clear()
            return
        sample = _BacklogSample(at, self.stored.size_bytes + self.backlog_bytes)
        while self.samples and self.samples[-1].end >= sample.end:  # no new bytes since then, or a file was truncated
            sample.at = self.samples.pop().at
        if len(self.samples) == _MAX_SAMPLES:
            self.samples = deque(list(self.samples)[::2])
        self.samples.append(sample)

    def report(self, at: float, *, ended: bool) -> StreamReport:
        elapsed_s = at - self.reported_at
        rate = (self.stored_lines - self.lines_reported) / elapsed_s if elapsed_s > 0 else 0.0
        self.reported_at, self.lines_reported = at, self.stored_lines
        # After a report with a rate, one more report says that the stream is idle.
        self.has_news = rate > 0
        return StreamReport(
            stream_id=self.stream_id,
            backlog_bytes=self.backlog_bytes,
            behind_s=at - self.samples[0].at if self.samples else None,
            stored_ago_s=None if self.stored_at is None else at - self.stored_at,
            lines_per_s=rate,
            records=self.stored.records,
            rejects=self.stored.rejects,
            format=self.format,
            problem=self.problem,
            ended=ended,
            waiting_lines=self.waiting_lines,
            finished=self.is_finished and not self.backlog_bytes,
        )


class StoreState:
    """Passes events on, and remembers from them why the store takes no lines now. Called from two threads."""

    problem: str | None
    """None: the store takes lines. Both threads set it and the reading thread reads it, without a lock.

    It is one reference. If both threads set it at once, either may win; the next event sets it again.
    """

    def __init__(self, on_event: OnEvent) -> None:
        self._on_event = on_event
        self.problem = None

    def __call__(self, event: Event) -> None:
        match event:
            case StoreInterrupted(cause):
                self.problem = cause
            case StoreResumed() | Committed():
                self.problem = None
        self._on_event(event)


class StreamReporter:
    """The reports of one collector on its streams. Used in the reading thread only.

    The collector notes what it reads and what was stored. When `is_due` returns True, it also notes the state of its
    sources, and sends the reports that `take_due` returns::

        if reporting.is_due(now):
            reporting.note_stored(committer.iter_stored(), at=now)
            for source in sources:  # those that are not quiet; all of them if a heartbeat is due
                reporting.note_source(source.stream_id, unread_bytes=..., problem=..., at=now)
            store.report(reporting.take_due(now))
    """

    def __init__(self) -> None:
        self._streams: dict[int, _StreamProgress] = {}
        self._next_at = 0.0
        self._heartbeat_at = 0.0

    def begin_stream(self, stream_id: int, at: float) -> None:
        """Note that a stream is followed from now on. Its first report is due at once."""
        self._streams.setdefault(stream_id, _StreamProgress(stream_id, reported_at=at))
        self._next_at = at

    def begin_again(self) -> None:
        """Note that lines that are not stored were discarded, and are read again."""
        for progress in self._streams.values():
            progress.read_bytes, progress.read_lines = progress.stored.size_bytes, progress.stored_lines

    def note_read(self, stream_id: int, *, lines: int, size_bytes: int) -> None:
        """Note lines that were read of a stream and wait for the store."""
        progress = self._streams[stream_id]
        progress.read_lines += lines
        progress.read_bytes += size_bytes
        progress.has_news = True

    def note_stored(self, stored: Iterable[tuple[int, Share]], at: float) -> None:
        """Note what the store has committed, by stream id."""
        for stream_id, share in stored:
            progress = self._streams[stream_id]
            progress.stored.records += share.records
            progress.stored.rejects += share.rejects
            progress.stored.size_bytes += share.size_bytes
            progress.stored_at = at
            progress.has_news = True

    def note_format(self, stream_id: int, name: str) -> None:
        """Note the format in which the stream's lines are parsed."""
        progress = self._streams[stream_id]
        if name != progress.format:
            progress.format = _storable(name)
            progress.has_news = True

    def note_source(
        self,
        stream_id: int,
        *,
        unread_bytes: int,
        problem: str | None,
        at: float,
        store_problem: str | None = None,
        is_gone: bool = False,
    ) -> None:
        """Note how much of a source is unread, and why its lines cannot be stored.

        Args:
            stream_id: of the stream.
            unread_bytes: how many bytes are not read yet.
            problem: why the source cannot be read; None if it can.
            at: the present time.
            store_problem: why the store takes no lines. Reported only for a stream that has lines to store.
            is_gone: whether the source was read to its end and no longer exists.
        """
        progress = self._streams[stream_id]
        before = (progress.backlog_bytes, progress.problem, progress.is_finished)
        progress.note_unread(unread_bytes, at)
        if problem is None and progress.backlog_bytes:
            problem = store_problem
        progress.problem = None if problem is None else _storable(problem)
        progress.is_finished = is_gone
        progress.has_news |= before != (progress.backlog_bytes, progress.problem, progress.is_finished)

    def is_quiet(self, stream_id: int, problem: str | None) -> bool:
        """Return whether a stream with this problem has had no news since its last report, and has no backlog."""
        progress = self._streams[stream_id]
        reported = None if problem is None else _storable(problem)
        return not progress.has_news and not progress.backlog_bytes and progress.problem == reported

    def is_heartbeat_due(self, at: float) -> bool:
        """Return whether the next reports are on all streams."""
        return at >= self._heartbeat_at

    def is_due(self, at: float) -> bool:
        """Return whether reports are due. Fast enough to be called for every chunk."""
        return at >= self._next_at and bool(self._streams)

    def take_due(self, at: float) -> Sequence[StreamReport]:
        """Return the reports that are due: on streams that have changed, or on all streams. They count as sent."""
        is_heartbeat = self.is_heartbeat_due(at)
        self._next_at = at + REPORT_S
        if is_heartbeat:
            self._heartbeat_at = at + HEARTBEAT_S
        return list(self._iter_reports(at, everything=is_heartbeat))

    def end_stream(self, stream_id: int, at: float, *, is_gone: bool = False) -> Sequence[StreamReport]:
        """Return the last report on a stream that is no longer followed; none if no file of it was read.

        Args:
            stream_id: of the stream.
            at: the present time.
            is_gone: the source no longer exists, also if `note_source` was not told so.
        """
        progress = self._streams.pop(stream_id, None)
        if progress is None:
            return []
        progress.is_finished |= is_gone
        return [progress.report(at, ended=True)]

    def end(self, at: float) -> Sequence[StreamReport]:
        """Return the last reports: the collector ends normally, and no longer follows its streams."""
        reports = [progress.report(at, ended=True) for progress in self._streams.values()]
        self._streams.clear()
        return reports

    def _iter_reports(self, at: float, *, everything: bool) -> Iterator[StreamReport]:
        for progress in self._streams.values():
            if everything or progress.has_news:
                yield progress.report(at, ended=False)


def _storable(text: str) -> str:
    """Return the text with bytes that are not UTF-8, and NUL, escaped: paths may have them, and stores refuse them."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
