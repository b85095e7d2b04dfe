"""The collector: files in, committed rows out. Reading and parsing go on while the batch before is being committed."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from functools import partial

from puppylog.collect.batch import FIRST_SHARE, Batch
from puppylog.collect.committer import Committer
from puppylog.collect.events import (
    ChangesUntold,
    FilesTakeTurns,
    FormatChosen,
    LeftOut,
    LineContinued,
    LineCut,
    OnEvent,
    Progress,
    SourceAway,
    StoreAway,
    StreamOpened,
    Summary,
)
from puppylog.collect.followed import SOON_S, Followed, OpenFile
from puppylog.collect.introduction import Introduction, stream_of
from puppylog.collect.known_files import Head, KnownFiles
from puppylog.collect.opening import SourceOpener
from puppylog.collect.patience import patiently
from puppylog.collect.reporting import Reporting, StoreState
from puppylog.collect.slots import Slots
from puppylog.errors import BatchDropped, PuppylogError, StoreFull, StoreUnavailable
from puppylog.formats.base import Format
from puppylog.model.record import Parsed
from puppylog.model.stream import FilePosition, KnownFile, Stream, StreamReport
from puppylog.stores.base import Inlet, NewFile
from puppylog.tail.boundary import Boundary
from puppylog.tail.chunk import Chunk
from puppylog.tail.closed import ClosedTailer
from puppylog.tail.notification import Notification
from puppylog.tail.owners import Identity
from puppylog.tail.rotated_names import list_bases
from puppylog.tail.source import STDIN, expand_sources, is_pipe
from puppylog.tail.tailer import RECORD_WAIT_S

_EXPAND_S = 2.0
_KEEP_ALIVE_S = 2.0
_PROGRESS_S = 0.2
_REREAD_S = 2.0
_OPENED_AT_ONCE = 500  # streams: thousands start within seconds, and others have their turn in the store


class Collector:
    """One run over some sources. Made to be run once."""

    def __init__(
        self,
        store: Inlet,
        sources: Sequence[str],
        *,
        format: Format,  # noqa: A002 - the word of the product
        stop: threading.Event,
        on_event: OnEvent,
        group: str | None = None,
        host: str = "",
        watch: bool = False,
        from_end: bool = False,
        boundary: Boundary | None = None,
        record_wait_s: float = RECORD_WAIT_S,
    ) -> None:
        """Prepare a run.

        Args:
            store: where the lines go.
            sources: paths, glob patterns, or ``-`` for standard input.
            format: how lines are parsed.
            stop: set by whoever wants the run to end: it stops reading, commits and returns.
            on_event: called from two threads.
            group: the log group that the streams are put into.
            host: this machine's name in source URIs; empty on a store of one machine.
            watch: go on after the end of the files, through rotation and truncation, until stopped.
            from_end: start files that the store does not know yet at their end.
            boundary: where records of several lines begin; without one, every line is a record.
            record_wait_s: how long a file must not have grown before its last record is whole.
        """
        self._store = store
        self._sources = sources
        self._format = format
        self._stop = stop
        self._on_event = self._store_state = StoreState(on_event)
        self._group = group
        self._watch = watch
        self._from_end = from_end
        self._opener = SourceOpener(host, watch=watch, boundary=boundary, record_wait_s=record_wait_s)
        self._notification = Notification(on_limit=self._note_untold)
        self._followed: dict[str, Followed] = {}
        self._slots = Slots(on_full=self._note_full)
        self._left_out: set[str] = set()
        self._is_full_said = False
        self._refused: set[str] = set()  # paths and patterns that cannot be read
        self._known = self._make_known_files()
        self._introduction = Introduction(self._open_files, format)
        self._read_bytes = 0  # committed or on their way
        self._reporting = Reporting()
        self._progress_at = 0.0

    def run(self) -> Summary:
        """Collect until the end of the sources, or until stopped; return when everything read is committed.

        Raises:
            SourceError: a source cannot be read at all.
            PuppylogError: the store refuses, or is away when stopped. Nothing is lost: the position has not moved.
        """
        started = time.monotonic()
        with ExitStack() as stack, Committer(self._stop, self._on_event, self._note_committed) as committer:
            stack.enter_context(self._notification)
            stack.callback(self._close_all)
            while not self._run_through(committer):
                self._close_all()  # and begin again where the store stands
            self._report_progress(committer, is_last=True)
            self._look_at_all(committer)
            self._tell_store(self._reporting.end(time.monotonic()))
            unread = sum(followed.problem is not None for followed in self._followed.values())
            unfinished = sum(followed.tailer.unfinished_bytes for followed in self._followed.values())
        totals = committer.totals
        return Summary(
            bytes_read=totals.size_bytes,
            records=totals.records,
            rejects=totals.rejects,
            joined=totals.joined,
            files=len(totals.file_ids),
            unfinished_bytes=unfinished,
            unfinished_wait_s=self._opener.line_wait_s,
            seconds=time.monotonic() - started,
            reasons=tuple(totals.reasons.most_common()),
            unread=0 if self._watch else unread + len(self._refused),
        )

    def _run_through(self, committer: Committer) -> bool:
        """Return whether it is done; not, if there was no room to hand a batch over, or the store went away.

        What is not committed is dropped, and read from its files again. What came through a pipe cannot be read again.
        """
        self._read_bytes = committer.totals.size_bytes
        self._reporting.begin_again()
        self._slots = Slots(on_full=self._note_full)
        try:
            self._follow_new()
            for batch in self._iter_batches(committer):
                committer.hand_over(batch)
            committer.wait()
        except PuppylogError as error:
            is_piped = any(followed.is_pipe for followed in self._followed.values())
            can_read_again = self._watch and not self._stop.is_set() and not is_piped
            if not can_read_again or not (error.transient or isinstance(error, BatchDropped)):
                raise
            self._on_event(StoreAway(error.message, _REREAD_S))
            self._stop.wait(_REREAD_S)
            return False
        return True

    def _iter_batches(self, committer: Committer) -> Iterator[Batch]:
        """Read what there is, again and again while watching; give a batch when it is full or the store has time."""
        full_rows = self._store.full_rows
        batch = Batch(self._store.appender(), full_rows // FIRST_SHARE)
        looked_at = kept_at = time.monotonic()
        try:
            while True:
                is_over = self._is_over()
                for followed, chunk in self._iter_chunks():
                    self._take(batch, followed, chunk)
                    self._report_progress(committer)
                    self._report_streams(committer)
                    if batch.is_full:
                        more_rows = min(batch.full_rows * 2, full_rows)
                        full, batch = batch, Batch(self._store.appender(), more_rows)
                        yield full
                self._report_streams(committer)
                if committer.is_idle:
                    committer.wait()  # not for long: it tells of a failure, should no line come for a while
                if batch.moves and (is_over or committer.is_idle):
                    full, batch = batch, Batch(self._store.appender(), full_rows)
                    yield full
                if is_over:
                    return
                self._stop.wait(SOON_S)
                looked_at = self._every(_EXPAND_S, looked_at, self._follow_new)
                kept_at = self._every(_KEEP_ALIVE_S, kept_at, self._keep_alive)
        finally:
            batch.appender.discard()

    def _is_over(self) -> bool:
        """Return whether this round is the last: a pipe has an end, a path has one only if it is not watched."""
        return self._stop.is_set() or not any(
            not followed.is_over and (self._watch or followed.is_pipe) for followed in self._followed.values()
        )

    def _iter_chunks(self) -> Iterator[tuple[Followed, Chunk]]:
        """Give what can be read now, each source in its turn, until nothing is due or we are stopped."""
        self._wake_changed()
        while due := self._find_due():
            yield from self._introduction.iter_open(self._look_round(due))
            if self._stop.is_set() or not any(self._has_more(followed) for followed in due):
                return

    def _has_more(self, followed: Followed) -> bool:
        return followed.tailer.has_more or not (self._watch or followed.is_pipe or followed.is_done)

    def _look_round(self, due: Iterable[Followed]) -> Iterator[tuple[Followed, Chunk]]:
        for followed in due:
            for chunk in followed.look(time.monotonic()):
                yield followed, chunk
                if self._stop.is_set():
                    return
            self._note_problem(followed)

    def _find_due(self) -> list[Followed]:
        """Return the sources that are to be looked at: without watching, all that were not read to their end."""
        now = time.monotonic()
        return [
            followed
            for followed in self._followed.values()
            if (followed.due_at <= now if self._watch else not followed.is_over)
        ]

    def _wake_changed(self) -> None:
        changed = self._notification.take_changes()
        for path, followed in self._followed.items():
            if changed is None or path in changed:
                followed.wake()

    def _note_problem(self, followed: Followed) -> None:
        if followed.tailer.problem != followed.problem:
            followed.problem = followed.tailer.problem
            if followed.problem is not None:
                self._on_event(SourceAway(followed.stream.source_uri, followed.problem, self._watch))

    def _take(self, batch: Batch, followed: Followed, chunk: Chunk) -> None:
        file = followed.files[chunk.file.serial]
        parsed = self._parse(file, chunk)
        stream_id = stream_of(followed, chunk.file)
        batch.add(stream_id, file.file_id, chunk, parsed, file.parser.context)
        self._known.take(file.file_id, chunk.until)
        self._note_taken(stream_id, chunk, parsed, file.parser.name)
        followed.take(file, chunk)
        self._read_bytes += chunk.until - chunk.since
        if chunk.is_cut:
            self._on_event(LineCut(chunk.file.path, chunk.offset))
        if chunk.is_rest:
            self._on_event(LineContinued(chunk.file.path, chunk.offset))

    def _parse(self, file: OpenFile, chunk: Chunk) -> Parsed:
        parsed = file.parser.parse(chunk.data, chunk.offset, time.time_ns() // 1000)
        name = file.parser.name
        if name not in {file.format_name, self._format.name}:
            file.format_name = name
            self._on_event(FormatChosen(chunk.file.path, name))
        return parsed

    def _open_files(self, new: Sequence[NewFile]) -> Sequence[FilePosition]:
        return patiently(lambda: self._store.open_files(new), self._stop, self._on_event)

    def _follow_new(self) -> None:
        """Open the sources that are not followed yet: all of them at first, new matches of a pattern later."""
        is_first = not self._followed
        paths = expand_sources(
            self._sources,
            watch=self._watch,
            followed=self._followed,
            on_left_out=self._leave_out,
            on_refused=self._refuse,
        )
        new = [path for path in paths if path not in self._followed]
        known = {*self._followed, *new}
        new.sort(key=lambda path: any(base in known for base in list_bases(path)))  # a log before its rotated files
        for start in range(0, len(new), _OPENED_AT_ONCE):
            self._follow(new[start : start + _OPENED_AT_ONCE], from_end=self._from_end and is_first)

    def _leave_out(self, cause: str) -> None:
        if cause not in self._left_out:
            self._left_out.add(cause)
            self._on_event(LeftOut(cause))

    def _note_full(self) -> None:
        if self._watch and not self._is_full_said:
            self._is_full_said = True
            self._on_event(FilesTakeTurns(self._slots.descriptors, self._slots.limit))

    def _note_untold(self, limit: str) -> None:
        if self._watch:
            self._on_event(ChangesUntold(limit))

    def _refuse(self, path: str, cause: str) -> None:
        if path not in self._refused:
            self._refused.add(path)
            self._on_event(SourceAway(path, cause, self._watch))

    def _follow(self, paths: Sequence[str], *, from_end: bool) -> None:
        uris = [self._opener.uri_of(path) for path in paths]
        for stream_id in self._known.take_claims(uris):
            self._store.close_stream(stream_id)
        streams = patiently(lambda: self._store.open_streams(uris, group=self._group), self._stop, self._on_event)
        self._known.follow(streams)
        self._known.prepare(paths)
        for path, stream in zip(paths, streams, strict=True):
            standing = [file.byte_offset for file in stream.files if not file.finished]
            self._on_event(StreamOpened(stream.source_uri, standing[-1] if standing else 0))
            self._reporting.open(stream.stream_id, time.monotonic())
            followed = self._followed[path] = Followed(
                stream,
                ClosedTailer(path),
                open_tailer=partial(self._opener.open_tailer, self._known, path, stream, from_end=from_end),
                slots=self._slots,
                is_pipe=path == STDIN or is_pipe(path),
                reads_once=not self._watch,
            )
            self._known.attach(stream.stream_id, followed.release)
            if path != STDIN:
                self._notification.watch(path)

    def _make_known_files(self) -> KnownFiles:
        def find(identities: Sequence[Identity], heads: Sequence[Head]) -> Sequence[KnownFile]:
            prefix = self._opener.source_prefix
            return patiently(
                lambda: self._store.find_known_files(prefix, identities, heads), self._stop, self._on_event
            )

        return KnownFiles(find, self._claim, self._leave_out)

    def _claim(self, source_uri: str) -> Stream:
        """Claim a stream of which a file was found under another name."""
        (stream,) = patiently(lambda: self._store.open_streams([source_uri]), self._stop, self._on_event)
        self._reporting.open(stream.stream_id, time.monotonic())
        return stream

    def _note_committed(self, batch: Batch) -> None:
        self._known.committed(batch.moves.values(), batch.finished_files)

    def _keep_alive(self) -> None:
        patiently(self._store.keep_alive, self._stop, self._on_event)

    def _every(self, period_s: float, last_at: float, act: Callable[[], None]) -> float:
        """Act if it is time; return when it was done last."""
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
        unread = sum(followed.tailer.backlog_bytes() for followed in self._followed.values())
        self._on_event(Progress(done.size_bytes, self._read_bytes + unread, done.records, done.rejects))

    def _note_taken(self, stream_id: int, chunk: Chunk, parsed: Parsed, format_name: str) -> None:
        lines = parsed.records.num_rows + parsed.rejects.num_rows
        self._reporting.take(stream_id, lines=lines, size_bytes=chunk.until - chunk.since)
        self._reporting.choose_format(stream_id, format_name)

    def _report_streams(self, committer: Committer) -> None:
        """Tell the store how the streams get on, if it is time to."""
        if self._reporting.is_due(time.monotonic()):
            self._look_at_all(committer)
            self._tell_store(self._reporting.due(time.monotonic()))

    def _look_at_all(self, committer: Committer) -> None:
        now = time.monotonic()
        self._reporting.store(committer.iter_stored(), at=now)
        for followed in self._followed.values():
            self._reporting.look(
                followed.stream.stream_id,
                unread_bytes=followed.tailer.backlog_bytes(),
                problem=followed.problem,
                at=now,
                store_problem=self._store_state.problem,
                is_gone=followed.is_gone,
            )

    def _tell_store(self, reports: Sequence[StreamReport]) -> None:
        """Report, unless the store is away: then the next report will do, and collecting finds out by itself."""
        with suppress(StoreUnavailable, StoreFull):
            self._store.report(reports)

    def _close_all(self) -> None:
        for followed in self._followed.values():
            followed.tailer.close()
            self._store.close_stream(followed.stream.stream_id)
        for stream_id in self._known.claims():
            self._store.close_stream(stream_id)
        self._known = self._make_known_files()
        self._followed.clear()
