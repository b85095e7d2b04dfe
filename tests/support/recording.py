"""A store that records the lines it gets, for tests of collectors in the process of the test."""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from puppylog.collect.collector import Collector
from puppylog.collect.dry_run import DryAppender, DryWriter
from puppylog.collect.events import Event
from puppylog.collect.options import CollectOptions, SourceOptions
from puppylog.formats.base import Options
from puppylog.formats.registry import find_format
from puppylog.model.record import Parsed
from puppylog.model.request import ReceivedRequest
from puppylog.model.stream import Move, StreamReport
from puppylog.stores.base import Appended, RecordWriter
from support.running import running

LINES = find_format("plain", Options(joins_lines=False))
"""Each line is a record, so no line waits for the next one."""


class RecordingStore(DryWriter):
    """Counts the committed lines, and keeps the last report of each stream."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: Counter[str] = Counter()
        self.problems: dict[int, str | None] = {}
        self.ended: list[StreamReport] = []

    def appender(self) -> DryAppender:
        return _RecordingAppender(self)

    def report(self, reports: Sequence[StreamReport]) -> None:
        self.problems.update((report.stream_id, report.problem) for report in reports)
        self.ended += [report for report in reports if report.ended]


class _RecordingAppender(DryAppender):
    def __init__(self, store: RecordingStore) -> None:
        super().__init__()
        self._store = store
        self._lines: list[str] = []

    def write(self, stream_id: int, file_id: int, parsed: Parsed) -> None:
        super().write(stream_id, file_id, parsed)
        self._lines += parsed.data.decode().splitlines()

    def commit(self, moves: Sequence[Move], requests: Sequence[ReceivedRequest] = ()) -> Appended:
        self._store.lines.update(self._lines)
        return super().commit(moves, requests)


def collect_once(store: RecordWriter, *sources: str) -> tuple[int, list[Event]]:
    """Collect without watching; return the number of sources that could not be read, and the events."""
    events: list[Event] = []
    options = CollectOptions(sources=[SourceOptions(paths=sources, format=LINES)])
    return Collector(store, options, stop=threading.Event(), on_event=events.append).run().unread, events


@contextmanager
def watching(store: RecordWriter, *sources: str) -> Iterator[list[Event]]:
    """Watch in a thread; yield the list of events. At the end the thread must stop without an exception."""
    events: list[Event] = []
    stop = threading.Event()
    options = CollectOptions(sources=[SourceOptions(paths=sources, format=LINES)], watch=True)
    collector = Collector(store, options, stop=stop, on_event=events.append)
    with running(collector.run, stop):
        yield events
