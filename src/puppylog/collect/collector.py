"""The collector: reads files and commits rows. It reads and parses while the previous batch is being committed."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from puppylog.collect.batch import FIRST_SHARE, Batch
from puppylog.collect.commit_pace import CommitPace
from puppylog.collect.committer import Committer
from puppylog.collect.events import (
    Event,
    FormatChosen,
    LineContinued,
    LineCut,
    NativeReadersMissing,
    OnEvent,
    Progress,
    SourcesChanged,
    StoreInterrupted,
    Summary,
)
from puppylog.collect.file_registration import stream_of
from puppylog.collect.options import CollectOptions, SourceOptions
from puppylog.collect.retry import call_with_retry
from puppylog.collect.source_follower import SourceFollower
from puppylog.collect.stream_reporter import StoreState, StreamReporter
from puppylog.collect.tailed_source import SOON_S, OpenFile, TailedSource, context_behind, is_missing
from puppylog.errors import BatchDropped, PuppylogError, StoreFull, StoreRewound, StoreUnavailable
from puppylog.formats import native
from puppylog.model.record import Parsed
from puppylog.model.source import split_uri
from puppylog.model.stream import StreamReport
from puppylog.stores.base import RecordWriter
from puppylog.tail.chunk import Chunk

_EXPAND_S = 2.0  # between two looks whether the patterns may have new matches
_KEEP_ALIVE_S = 2.0
_PROGRESS_S = 0.2
_RELEASE_S = 10.0  # between two searches for sources whose files are gone
_REREAD_S = 2.0  # after the store has refused a batch, before its lines are read again; then twice as long each time
_MAX_REREAD_S = 30.0


class Collector:
    r"""Collects the lines of its sources in one run. A collector is run once only.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from puppylog.collect.dry_run import DryWriter
        >>> from puppylog.collect.options import SourceOptions
        >>> from puppylog.formats.registry import find_format
        >>> with TemporaryDirectory() as directory:
        ...     log = Path(directory, "app.log")
        ...     _ = log.write_text("one\ntwo\n")
        ...     source = SourceOptions(paths=[str(log)], format=find_format("plain"))
        ...     options = CollectOptions(sources=[source])
        ...     collector = Collector(DryWriter(), options, stop=threading.Event(), on_event=lambda event: None)
        ...     summary = collector.run()
        >>> summary.files, summary.records, summary.bytes_read
        (1, 2, 8)
    """

    def __init__(
        self,
        store: RecordWriter,
        options: CollectOptions,
        *,
        stop: threading.Event,
        on_event: OnEvent,
    ) -> None:
        """Prepare a run.

        Args:
            store: where the lines go.
            options: which sources are collected, and how.
            stop: when set, the run stops reading, commits what it has read, and returns.
            on_event: called with each event, from the reading thread and from the committing thread.
        """
        self._store = store
        self._options = options
        self._stop = stop
        self._forward_event = on_event
        self._on_event = self._store_state = StoreState(self._note_event)
        self.moved_at = time.monotonic()
        """When the run last did something, in the seconds of `time.monotonic`: a collector that hangs does not move.

        A run moves while it waits for new lines, and while it retries calls to a store that is unavailable.
        """
        self._reporting = StreamReporter()
        self._change = threading.Event()  # other sources are to be collected
        self._next_sources: Sequence[SourceOptions] = options.sources  # set before `_change` is
        self._follower = SourceFollower(
            store,
            options,
            stop=stop,
            on_event=self._on_event,
            on_stream=self._begin_reporting,
            on_stream_end=self._end_reporting,
            pause=self._change,
        )
        self._read_bytes = 0  # committed, or handed over to be committed
        self._begun_bytes = 0  # committed when reading began for the last time
        self._reread_s = _REREAD_S / 2  # the last pause before reading began again
        self._progress_at = 0.0

    def run(self) -> Summary:
        """Collect until the sources end or the run is stopped; return when everything that was read is committed.

        Raises:
            SourceError: no source can be read.
            PuppylogError: the store refuses a batch, or is unavailable when the run is stopped. No line is lost: the
                positions have not moved.
        """
        started = time.monotonic()
        if native.lines is None:
            self._on_event(NativeReadersMissing())
        follower = self._follower
        with follower, Committer(self._stop, self._on_event, follower.note_committed) as committer:
            while not self._run_through(committer):
                follower.begin_again()
            self._report_progress(committer, is_last=True)
            self._note_sources(committer)
            self._send_reports(self._reporting.end(time.monotonic()))
            unread, unfinished = follower.unread, follower.unfinished_bytes
        totals = committer.totals
        return Summary(
            bytes_read=totals.size_bytes,
            records=totals.records,
            rejects=totals.rejects,
            counts=totals.counts,
            files=len(totals.file_ids),
            unfinished_bytes=unfinished,
            unfinished_wait_s=follower.line_wait_s,
            seconds=time.monotonic() - started,
            reasons=tuple(totals.reasons.most_common()),
            unread=0 if self._options.watch else unread,
        )

    def _run_through(self, committer: Committer) -> bool:
        """Collect until the run is over; return False if the run must start again from the positions in the store.

        It must if the store becomes unavailable, cannot keep a batch or has lost commits while the collector watches.
        Lines that are not in the store are read again from their files. A pipe cannot be read again: the error ends the
        run if a source is a pipe.
        """
        self._read_bytes = self._begun_bytes = committer.totals.size_bytes
        self._reporting.begin_again()
        try:
            self._follower.follow_new()
            for batch in self._iter_batches(committer):
                committer.hand_over(batch)
            committer.wait()
        except PuppylogError as error:
            can_read_again = self._options.watch and not self._stop.is_set() and not self._follower.has_pipe
            if not can_read_again or not (error.transient or isinstance(error, BatchDropped | StoreRewound)):
                raise
            has_stored = committer.totals.size_bytes > self._begun_bytes
            self._reread_s = _REREAD_S if has_stored else min(2 * self._reread_s, _MAX_REREAD_S)
            self._on_event(StoreInterrupted(error.message, self._reread_s))
            self._stop.wait(self._reread_s)
            committer.settle()  # the store's positions are final only when no commit is running
            return False
        return True

    def _start_batch(self, full_rows: int) -> Batch:
        return Batch(self._store.appender(), full_rows, self._store.full_bytes)

    def _iter_batches(self, committer: Committer) -> Iterator[Batch]:
        """Read the sources, repeatedly while watching.

        Give a batch when it is full, or when the committer is idle and `CommitPace` allows a small commit.
        """
        full_rows = self._store.full_rows
        batch = self._start_batch(full_rows // FIRST_SHARE)
        expanded_at = kept_at = released_at = time.monotonic()
        pace = CommitPace(expanded_at)
        try:
            while True:
                self.moved_at = time.monotonic()
                is_over = self._stop.is_set() or self._follower.is_over
                for source, chunk in self._follower.iter_chunks():
                    self._take(batch, source, chunk)
                    self._report_progress(committer)
                    self._report_streams(committer)
                    if batch.is_full:
                        more_rows = min(batch.full_rows * 2, full_rows)
                        full, batch = batch, self._start_batch(more_rows)
                        yield full
                self._report_streams(committer)
                if self._change.is_set() and not is_over:
                    if batch.moves:
                        full, batch = batch, self._start_batch(full_rows)
                        yield full
                    self._change_sources(committer)
                if committer.is_idle:
                    committer.wait()  # does not wait: raises the error of a failed commit even if no line comes
                now = time.monotonic()
                if batch.moves and (is_over or (committer.is_idle and pace.may_commit(now))):
                    pace.note_commit(now)
                    full, batch = batch, self._start_batch(full_rows)
                    yield full
                if is_over:
                    return
                if batch.moves or not committer.is_idle:
                    wait_s = pace.wait_s(now)
                    self._stop.wait(wait_s if batch.moves and 0 < wait_s < SOON_S else SOON_S)
                else:
                    released_at = self._every(_RELEASE_S, released_at, lambda: self._release_gone(committer))
                    self._follower.wait()
                expanded_at = self._every(_EXPAND_S, expanded_at, self._follower.follow_changed)
                kept_at = self._every(_KEEP_ALIVE_S, kept_at, self._keep_alive)
        finally:
            batch.appender.discard()

    def change_sources(self, sources: Sequence[SourceOptions]) -> None:
        """Collect these sources from now on. May be called from another thread, while `run` watches.

        A source that is the same object as before goes on undisturbed. Lines of the others that were read are committed
        before their files are closed. `SourcesChanged` is reported when the change is done.
        """
        self._next_sources = sources
        self._change.set()

    def _change_sources(self, committer: Committer) -> None:
        committer.wait()
        self._note_sources(committer)
        self._change.clear()  # before the sources are read: a change that comes now is made in the next round
        sources = self._next_sources
        self._follower.change(sources)
        self._follower.follow_new()
        self._on_event(SourcesChanged(len(sources)))

    def _release_gone(self, committer: Committer) -> None:
        """Stop following sources whose files are gone, and release claims of streams of which no file is read here.

        Every chunk that was read must be committed.
        """
        gone, claims = self._follower.list_gone(), self._follower.take_idle_claims()
        if not gone and not claims:
            return
        self._note_sources(committer)
        for source in gone:
            self._note_source(source, time.monotonic())
        self._follower.release(gone)
        for stream_id, source_uri in claims.items():
            self._store.close_stream(stream_id)
            self._end_reporting(stream_id, is_gone=is_missing(split_uri(source_uri)[1]))

    def _take(self, batch: Batch, source: TailedSource, chunk: Chunk) -> None:
        self.moved_at = time.monotonic()
        file = source.files[chunk.file.serial]
        parsed = self._parse(file, chunk)
        stream_id = stream_of(source, chunk.file)
        batch.add(stream_id, file.file_id, chunk, parsed, context_behind(file, chunk))
        self._note_taken(stream_id, chunk, parsed, file.parser.name)
        self._follower.note_batched(source, chunk)
        self._read_bytes += chunk.end - chunk.start
        if chunk.is_cut:
            self._on_event(LineCut(chunk.file.path, chunk.offset))
        if chunk.continues_line:
            self._on_event(LineContinued(chunk.file.path, chunk.offset))

    def _parse(self, file: OpenFile, chunk: Chunk) -> Parsed:
        parsed = file.parser.parse(chunk.data, chunk.offset, time.time_ns() // 1000)
        name = file.parser.name
        if name and name != file.format_name:
            file.format_name = name
            self._on_event(FormatChosen(chunk.file.path, name))
        return parsed

    def _keep_alive(self) -> None:
        call_with_retry(self._store.keep_alive, self._stop, self._on_event)

    def _every(self, period_s: float, last_at: float, act: Callable[[], None]) -> float:
        """Call `act` if a period has passed since the last call; return the instant of the last call."""
        now = time.monotonic()
        if now - last_at < period_s or self._stop.is_set():
            return last_at
        act()
        return now

    def _report_progress(self, committer: Committer, *, is_last: bool = False) -> None:
        now = time.monotonic()
        if not is_last and now - self._progress_at < _PROGRESS_S:
            return
        self._progress_at = now
        done = committer.totals
        total_bytes = self._read_bytes + self._follower.backlog_bytes
        self._on_event(Progress(done.size_bytes, total_bytes, done.records, done.rejects))

    def _begin_reporting(self, stream_id: int) -> None:
        self._reporting.begin_stream(stream_id, time.monotonic())

    def _note_event(self, event: Event) -> None:
        self.moved_at = time.monotonic()
        self._forward_event(event)

    def _end_reporting(self, stream_id: int, *, is_gone: bool = False) -> None:
        self._send_reports(self._reporting.end_stream(stream_id, time.monotonic(), is_gone=is_gone))

    def _note_taken(self, stream_id: int, chunk: Chunk, parsed: Parsed, format_name: str) -> None:
        lines = parsed.records.num_rows + parsed.rejects.num_rows
        self._reporting.note_read(stream_id, lines=lines, size_bytes=chunk.end - chunk.start)
        self._reporting.note_format(stream_id, format_name)

    def _report_streams(self, committer: Committer) -> None:
        """Send the state of the streams to the store, if a report is due."""
        if self._reporting.is_due(time.monotonic()):
            self._note_sources(committer)
            self._send_reports(self._reporting.take_due(time.monotonic()))

    def _note_sources(self, committer: Committer) -> None:
        now = time.monotonic()
        self._reporting.note_stored(committer.iter_stored(), at=now)
        everything = self._reporting.is_heartbeat_due(now)
        for source in self._follower:
            # A source whose next poll is in the future was read to its end. Checking thousands of them takes long.
            is_idle = source.due_at > now and self._reporting.is_quiet(source.stream.stream_id, source.problem)
            if is_idle and not everything:
                continue
            self._note_source(source, now)

    def _note_source(self, source: TailedSource, now: float) -> None:
        self._reporting.note_source(
            source.stream.stream_id,
            unread_bytes=source.tailer.backlog_bytes(),
            problem=source.problem,
            at=now,
            store_problem=self._store_state.problem,
            is_gone=source.is_gone,
        )

    def _send_reports(self, reports: Sequence[StreamReport]) -> None:
        """Send the reports. If the store is unavailable, they are discarded: the next reports replace them."""
        if not reports:
            return
        with suppress(StoreUnavailable, StoreFull):
            self._store.report(reports)
