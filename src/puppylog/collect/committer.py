"""The thread that commits: one batch at a time, in order, and waits as long as the store takes.

While one batch is being committed, one more is queued, and a third is being filled. When the third is full, reading
stops: the lines stay in their files until the store has committed a batch.
"""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from puppylog.collect.batch import Batch, Share
from puppylog.collect.events import Committed, FileFinished, FileMissing, OnEvent
from puppylog.collect.retry import call_with_retry
from puppylog.errors import PuppylogError
from puppylog.model.record import LineCounts
from puppylog.stores.base import Appended

_AHEAD = 1  # batches that are queued while another is being committed, so that the store never has to wait


@dataclass(slots=True)
class Totals:
    """What has been committed so far.

    Only the committing thread changes the fields. During the run, the reading thread reads the numbers without a lock:
    they never decrease, and may be of different batches. It reads the collections only after the committing thread has
    ended.
    """

    size_bytes: int = 0
    records: int = 0
    rejects: int = 0
    counts: LineCounts = field(default_factory=LineCounts)
    file_ids: set[int] = field(default_factory=set)
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, batch: Batch, appended: Appended) -> None:
        self.size_bytes += batch.size_bytes
        self.records += appended.records
        self.rejects += appended.rejects
        self.counts += batch.counts
        if appended.refused:
            self.reasons["the store refuses it"] += appended.refused
        self.file_ids.update(batch.moves)
        self.reasons.update(batch.reasons)


class Committer:
    """Commits batches one by one in a thread of its own. Usable with ``with``."""

    def __init__(
        self,
        stop: threading.Event,
        on_event: OnEvent,
        on_batch: Callable[[Batch], None] = lambda _: None,
    ) -> None:
        """Start the thread.

        Args:
            stop: when set, a commit that fails is not retried.
            on_event: called with each event from the committing thread.
            on_batch: called from the committing thread with each batch that the store has committed.
        """
        self._stop = stop
        self._on_event = on_event
        self._on_batch = on_batch
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="committer")
        self._pending: deque[Future[None]] = deque()  # reading thread only
        # The committing thread reads and sets it. The reading thread clears it when no commit is queued or running.
        self._has_failed = False
        # The committing thread appends, the reading thread takes from the other end. No lock: both are atomic.
        self._stored: deque[Mapping[int, Share]] = deque()
        self.totals = Totals()  # see its docstring

    @property
    def is_idle(self) -> bool:
        """Whether no batch is queued or being committed."""
        return all(pending.done() for pending in self._pending)

    def iter_stored(self) -> Iterator[tuple[int, Share]]:
        """Yield what was committed since the last call, by the id of its stream."""
        while self._stored:
            yield from self._stored.popleft().items()

    def hand_over(self, batch: Batch) -> None:
        """Wait until at most one other batch is queued or being committed, and queue this one.

        Raises:
            PuppylogError: an earlier batch could not be committed, or this batch cannot be kept. The failed batch, the
                batches queued after it and this batch are discarded.
        """
        try:
            self._complete(batch)
            self._wait_for_all_but(_AHEAD)
        except BaseException:
            batch.appender.discard()
            raise
        self._pending.append(self._thread.submit(self._commit, batch))

    def wait(self) -> None:
        """Return when every batch that was handed over is committed.

        Raises:
            PuppylogError: a batch could not be committed. The batches queued after it are discarded.
        """
        self._wait_for_all_but(0)

    def settle(self) -> None:
        """Return when no batch is queued or being committed. Errors of commits are ignored."""
        with suppress(PuppylogError):
            self.wait()

    def _complete(self, batch: Batch) -> None:
        """Prepare the batch for its commit while the store still commits the previous one."""
        try:
            batch.appender.complete()
        except BaseException:
            self.wait()  # the caller starts again from the store's positions, so no commit may be running
            raise

    def _wait_for_all_but(self, count: int) -> None:
        while len(self._pending) > count:
            try:
                self._pending.popleft().result()
            except BaseException:
                for pending in self._pending:
                    pending.result()  # the batch was discarded; raises nothing
                self._pending.clear()
                self._has_failed = False
                raise

    def _commit(self, batch: Batch) -> None:
        if self._has_failed:
            batch.appender.discard()
            return
        moves = list(batch.moves.values())
        started = time.monotonic()
        try:
            appended: Appended = call_with_retry(lambda: batch.appender.commit(moves), self._stop, self._on_event)
        except BaseException:
            self._has_failed = True
            batch.appender.discard()
            raise
        self.totals.add(batch, appended)
        for stream_id, refused in appended.refused_by_stream.items():
            batch.shares[stream_id].records -= refused
            batch.shares[stream_id].rejects += refused
        self._stored.append(batch.shares)
        self._on_batch(batch)
        self._on_event(Committed(appended.records, appended.rejects, time.monotonic() - started))
        for path, byte_offset in batch.finished:
            self._on_event(FileFinished(path, byte_offset))
        for path, byte_offset in batch.missing:
            self._on_event(FileMissing(path, byte_offset))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._thread.shutdown()
