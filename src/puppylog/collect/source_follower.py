"""Follows sources: expands patterns, opens and closes tailers, and reads the sources in turn."""

import math
import threading
import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import islice
from types import TracebackType
from typing import Final, Self

from puppylog.collect.batch import Batch
from puppylog.collect.events import OnEvent, SourceUnreadable, StreamOpened
from puppylog.collect.file_registration import FileRegistration, SourceChunk
from puppylog.collect.known_files import Head, KnownFiles
from puppylog.collect.options import CollectOptions, SourceOptions
from puppylog.collect.pause import pause_until
from puppylog.collect.problem_reporter import ProblemReporter
from puppylog.collect.retry import call_with_retry
from puppylog.collect.slots import Slots
from puppylog.collect.source_opener import SourceOpener, line_wait_s, source_prefix, uri_of
from puppylog.collect.stream_labeller import StreamLabeller
from puppylog.collect.tailed_source import IDLE_S, JOURNAL_IDLE_S, NOTIFIED_IDLE_S, TailedSource
from puppylog.errors import StreamBusy
from puppylog.model.stream import FilePosition, KnownFile, Stream
from puppylog.stores.base import NewFile, RecordWriter
from puppylog.tail.chunk import Chunk, TailedFile
from puppylog.tail.closed_tailer import ClosedTailer
from puppylog.tail.journal.source import is_journal
from puppylog.tail.listed_directories import ListedDirectories
from puppylog.tail.notification import Notification
from puppylog.tail.rotation.names import list_bases
from puppylog.tail.rotation.position import Identity
from puppylog.tail.source import STDIN, expand_by_pattern, is_pipe

_OPENED_AT_ONCE = 500  # streams: a store opens thousands within seconds, and serves other clients between two calls

_SEARCH_S: Final = 10.0
"""The longest time between two searches of the patterns. Not all that makes a file a match changes its directory: a
binary file may become a log."""


class SourceFollower:
    """The sources of one collector. Usable with ``with``, which closes every file and releases every stream at its end.

    Iteration gives the sources that are followed now.
    """

    def __init__(
        self,
        store: RecordWriter,
        options: CollectOptions,
        *,
        stop: threading.Event,
        on_event: OnEvent,
        on_stream: Callable[[int], None],
        on_stream_end: Callable[[int], None] = lambda _: None,
        pause: threading.Event | None = None,
    ) -> None:
        """Prepare to follow. No source is opened before `follow_new`.

        Args:
            store: registers streams and files.
            options: which sources are collected, and how.
            stop: when set, reading ends after the present chunk, and calls to the store are not retried.
            pause: when set, reading ends after the present chunk.
            on_event: called with the events of sources that are opened, skipped, or cannot be read.
            on_stream: called with the id of each stream before its first line is read.
            on_stream_end: called with the id of each stream that `change` ends.
        """
        self._store = store
        self._options = options
        self._stop = stop
        self._pause = pause or threading.Event()
        self._on_event = on_event
        self._on_stream = on_stream
        self._on_stream_end = on_stream_end
        self._problems = ProblemReporter(on_event, watch=options.watch)
        self._labeller = StreamLabeller(store, options, stop, on_event)
        self._openers = [self._make_opener(source) for source in options.sources]
        self._notification = Notification(on_limit=self._problems.note_watch_limit)
        self._sources: dict[str, TailedSource] = {}  # by path
        self._opener_of: dict[str, SourceOpener] = {}  # of the followed sources, by path
        self._slots = self._make_slots()
        self._registration = FileRegistration(self._open_files, self._note_registered)
        # Both threads use it, and `KnownFiles` has its own lock. The reading thread replaces it in `begin_again`, when
        # no commit is running.
        self._known = self._make_known_files()
        self._searched = ListedDirectories()  # by the last search of the patterns
        self._searched_at = 0.0
        self._has_busy = False  # another collector follows the stream of a path

    @property
    def line_wait_s(self) -> float | None:
        """See `puppylog.collect.source_opener.line_wait_s`."""
        return line_wait_s(self._options)

    @property
    def is_over(self) -> bool:
        """Whether no source is left to read. A pipe ends. A file ends only if it is not watched."""
        paths = [path for source in self._options.sources for path in source.paths]
        if self._options.watch and (not paths or any(path != STDIN and not is_pipe(path) for path in paths)):
            return False  # a file may still appear at a path, in a directory, or as a match of a pattern
        return not any(
            not source.is_over and (self._options.watch or source.is_pipe) for source in self._sources.values()
        )

    @property
    def has_pipe(self) -> bool:
        """Whether a source is a pipe: what was read of a pipe cannot be read again."""
        return any(source.is_pipe for source in self._sources.values())

    @property
    def backlog_bytes(self) -> int:
        """How many bytes of the sources are not read yet."""
        return sum(source.tailer.backlog_bytes() for source in self._sources.values())

    @property
    def unfinished_bytes(self) -> int:
        """How many bytes were read of last lines that have no newline yet."""
        return sum(source.tailer.unfinished_bytes for source in self._sources.values())

    @property
    def unread(self) -> int:
        """How many sources cannot be read, or not to their end."""
        return self._problems.refused + sum(source.problem is not None for source in self._sources.values())

    def begin_again(self) -> None:
        """Close all files and release all streams. `follow_new` then starts from the positions in the store.

        No batch may be queued or being committed.
        """
        self._close_all()
        for opener in self._openers:
            opener.has_begun = False
        self._known = self._make_known_files()
        self._slots = self._make_slots()

    def change(self, sources: Sequence[SourceOptions]) -> None:
        """Follow these sources from now on. `follow_new` opens the new ones.

        A source that was followed before, as the same object, goes on undisturbed. The files of the others are closed,
        and their streams released. No batch may be queued or being committed, and every chunk that was read must be
        committed.
        """
        known = {id(opener.source): opener for opener in self._openers}
        self._options = replace(self._options, sources=tuple(sources))
        self._openers = [known.get(id(source)) or self._make_opener(source) for source in sources]
        gone = [path for path, opener in self._opener_of.items() if opener not in self._openers]
        self._unfollow(gone)
        self._problems.clear()

    def list_gone(self) -> list[TailedSource]:
        """Return the sources that were read to their end, and whose files are gone.

        The log of a deleted container never comes back to its path. At the path of a directory that was missing, the
        directory may be now; its files are sources of their own.
        """
        return [
            source
            for source in self._sources.values()
            if (source.is_container and source.is_gone) or source.is_directory
        ]

    def release(self, sources: Container[TailedSource]) -> None:
        """Stop following these sources, so that a collector does not grow with each container that ever existed.

        No batch may be queued or being committed, and every chunk that was read must be committed.
        """
        self._unfollow([path for path, source in self._sources.items() if source in sources])

    def take_idle_claims(self) -> Mapping[int, str]:
        """See `KnownFiles.take_idle_claims`."""
        return self._known.take_idle_claims()

    def _unfollow(self, paths: Iterable[str]) -> None:
        for path in paths:
            source = self._sources.pop(path)
            del self._opener_of[path]
            source.tailer.close()
            self._slots.release(source)
            self._known.unfollow(source.stream)
            self._store.close_stream(source.stream.stream_id)
            self._on_stream_end(source.stream.stream_id)

    def follow_new(self) -> None:
        """Follow the sources that are not followed yet: all sources at first, new matches of patterns later.

        Raises:
            SourceError: no source can be read.
            PuppylogError: the store refuses the call, or is unavailable when the run is stopped.
        """
        opener_of: dict[str, SourceOpener] = {}  # by pattern
        for opener in self._openers:
            for pattern in opener.source.paths:
                opener_of.setdefault(pattern, opener)
        self._searched, self._searched_at = ListedDirectories(), time.monotonic()
        paths = expand_by_pattern(
            opener_of,
            watch=self._options.watch,
            followed=self._sources,
            on_skipped=self._problems.skip,
            on_refused=self._problems.refuse,
            on_listed=self._searched.note,
            find_known=self._known.find_renamed,
        )
        new = [path for path in paths if path not in self._sources]
        known = {*self._sources, *new}
        new.sort(key=lambda path: any(base in known for base in list_bases(path)))  # a log before its rotated files
        by_group: dict[str | None, dict[str, SourceOpener]] = {}
        for path in new:
            opener = opener_of[paths[path]]
            by_group.setdefault(opener.source.group, {})[path] = opener
        for group, openers in by_group.items():
            for start in range(0, len(openers), _OPENED_AT_ONCE):
                self._follow(dict(islice(openers.items(), start, start + _OPENED_AT_ONCE)), group)
        for opener in self._openers:
            opener.has_begun = True
        self._has_busy = any(path not in self._sources for path in paths)

    def follow_changed(self) -> None:
        """Call `follow_new` if a pattern may have new matches, and give streams labels that have come late.

        Raises as `follow_new`.
        """
        self._labeller.label_changed(
            (path, self._opener_of[path].source, source.stream) for path, source in self._sources.items()
        )
        is_time = time.monotonic() - self._searched_at >= _SEARCH_S
        if is_time or self._has_busy or self._searched.have_changed():
            self.follow_new()

    def wait(self) -> None:
        """Wait until a source is due or has changed, as `pause_until` does."""
        due_at = min((source.due_at for source in self._sources.values()), default=math.inf)
        pause_until(due_at if self._options.watch else 0.0, self._notification, self._stop)

    def iter_chunks(self) -> Iterator[SourceChunk]:
        """Read what can be read now, one source after another, until no source is due or the run is stopped.

        The file of every chunk is registered in the store before the chunk is given. The caller calls
        `note_batched` with each chunk that it puts into a batch.
        """
        self._wake_changed()
        while due := self._find_due():
            yield from self._registration.iter_registered(self._read_in_turn(due))
            if self._ends_turn() or not any(self._has_more(source) for source in due):
                return

    def note_batched(self, source: TailedSource, chunk: Chunk) -> None:
        """Note that a chunk of `iter_chunks` was put into a batch."""
        file = source.files[chunk.file.serial]
        self._known.note_read(file.file_id, chunk.end)
        source.note_batched(file, chunk)

    def note_committed(self, batch: Batch) -> None:
        """Note that the store has committed a batch. May be called from another thread."""
        self._known.note_committed(batch.moves.values(), batch.finished_files)

    def _has_more(self, source: TailedSource) -> bool:
        return source.tailer.has_more or not (self._options.watch or source.is_pipe or source.is_done)

    def _ends_turn(self) -> bool:
        return self._stop.is_set() or self._pause.is_set()

    def _read_in_turn(self, due: Iterable[TailedSource]) -> Iterator[SourceChunk]:
        for source in due:
            for chunk in source.poll(time.monotonic()):
                yield source, chunk
                if self._ends_turn():
                    return
            self._note_problem(source)

    def _find_due(self) -> list[TailedSource]:
        """Return the sources to read now; without watching, all sources that were not read to their end."""
        now = time.monotonic()
        return [
            source
            for source in self._sources.values()
            if (source.due_at <= now if self._options.watch else not source.is_over)
        ]

    def _wake_changed(self) -> None:
        changed = self._notification.take_changes()
        if changed is not None and not changed:
            return  # the usual case: a collector of a thousand idle files comes here ten times a second
        for path, source in self._sources.items():
            if changed is None or path in changed:
                source.wake()

    def _note_problem(self, source: TailedSource) -> None:
        if source.tailer.problem == source.problem or (source.is_renamed and not self._options.watch):
            return
        source.problem = source.tailer.problem
        if source.problem is not None and not source.is_deleted_container and not source.is_directory:
            self._on_event(SourceUnreadable(source.stream.source_uri, source.problem, self._options.watch))

    def _follow(self, openers: Mapping[str, SourceOpener], group: str | None) -> None:
        """Follow paths of one group, each with its opener."""
        uris = [uri_of(self._options, path) for path in openers]
        for stream_id in self._known.take_claims(uris):
            self._store.close_stream(stream_id)
        opened = self._open_streams(uris, list(openers), group)
        self._labeller.label((path, openers[path].source, stream) for path, stream in opened)
        for path, stream in opened:
            opener = openers[path]
            from_end = opener.source.from_end and not opener.has_begun
            offsets = [file.byte_offset for file in stream.files if not file.finished]
            self._on_event(StreamOpened(stream.source_uri, offsets[-1] if offsets else 0))
            self._on_stream(stream.stream_id)
            source = self._sources[path] = TailedSource(
                stream,
                opener.format_of(path),
                ClosedTailer(path),
                open_tailer=partial(opener.open_tailer, self._known, path, stream, from_end=from_end),
                slots=None if is_journal(path) else self._slots,
                is_pipe=path == STDIN or is_pipe(path),
                is_container=opener.source.runtime is not None,
                idle_s=JOURNAL_IDLE_S if is_journal(path) else IDLE_S,
                reads_once=not self._options.watch,
            )
            self._opener_of[path] = opener
            self._known.attach(stream.stream_id, source.release)
            if path != STDIN and not is_journal(path):
                self._notification.watch(path)
                if self._notification.is_watching(path):
                    source.idle_s = NOTIFIED_IDLE_S

    def _open_streams(
        self, uris: Sequence[str], paths: Sequence[str], group: str | None
    ) -> Sequence[tuple[str, Stream]]:
        """Return the paths with their streams; without those that another collector follows, if they may wait."""

        def open_(uris: Sequence[str]) -> Sequence[Stream]:
            return call_with_retry(lambda: self._store.open_streams(uris, group=group), self._stop, self._on_event)

        try:
            opened = list(zip(paths, open_(uris), strict=True))
        except StreamBusy:
            if not self._options.waits_for_streams:
                raise
            opened = []
            for path, uri in zip(paths, uris, strict=True):
                try:
                    opened.append((path, open_([uri])[0]))
                except StreamBusy as error:
                    self._problems.refuse(path, error.message)
        self._known.follow(stream for _, stream in opened)
        self._known.prepare([path for path, _ in opened if not is_journal(path)])
        return opened

    def _open_files(self, new: Sequence[NewFile]) -> Sequence[FilePosition]:
        return call_with_retry(lambda: self._store.open_files(new), self._stop, self._on_event)

    def _note_registered(self, stream_id: int, file: TailedFile, file_id: int) -> None:
        self._known.register(stream_id, file, file_id)

    def _make_known_files(self) -> KnownFiles:
        def find(identities: Sequence[Identity], heads: Sequence[Head]) -> Sequence[KnownFile]:
            prefix = source_prefix(self._options)
            return call_with_retry(
                lambda: self._store.find_known_files(prefix, identities, heads), self._stop, self._on_event
            )

        return KnownFiles(find, self._claim, self._on_stream, self._problems.skip)

    def _claim(self, source_uri: str) -> Stream:
        """Claim a stream, because one of its files is, or may be, here under another name."""
        (stream,) = call_with_retry(lambda: self._store.open_streams([source_uri]), self._stop, self._on_event)
        return stream

    def _make_slots(self) -> Slots:
        return Slots(on_full=lambda: self._problems.note_open_file_limit(self._slots))

    def _make_opener(self, source: SourceOptions) -> SourceOpener:
        return SourceOpener(self._options, source, self._problems.note_gap, self._problems.skip)

    def _close_all(self) -> None:
        for source in self._sources.values():
            source.tailer.close()
            self._store.close_stream(source.stream.stream_id)
        for stream_id in self._known.claims():
            self._store.close_stream(stream_id)
        self._sources.clear()
        self._opener_of.clear()

    def __iter__(self) -> Iterator[TailedSource]:
        return iter(self._sources.values())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._notification, closing(self._labeller):
            self._close_all()
