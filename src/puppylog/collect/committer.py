"""The thread that commits: one batch at a time, in order, for as long as it takes.

While it waits for the store, one batch waits behind it, and the next one is being filled; when that one is full too,
reading stops. The file is the buffer.
"""

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from puppylog.collect.batch import Batch, Share
from puppylog.collect.events import Committed, FileFinished, OnEvent
from puppylog.collect.patience import patiently
from puppylog.stores.base import Appended

_AHEAD = 1  # batches that wait behind the one that is being committed, so that the store never waits for the next


@dataclass(slots=True)
class Totals:
    """What has been committed so far."""

    size_bytes: int = 0
    records: int = 0
    rejects: int = 0
    joined: int = 0
    file_ids: set[int] = field(default_factory=set)
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, batch: Batch, appended: Appended) -> None:
        self.size_bytes += batch.size_bytes
        self.records += appended.records
        self.rejects += appended.rejects
        self.joined += batch.joined
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
            stop: set when the run is to end; then nothing is tried again.
            on_event: called from the thread.
            on_batch: told, from the thread, of each batch that the store has.
        """
        self._stop = stop
        self._on_event = on_event
        self._on_batch = on_batch
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="committer")
        self._pending: deque[Future[None]] = deque()
        self._has_failed = False
        self._stored: deque[Mapping[int, Share]] = deque()
        self.totals = Totals()

    @property
    def is_idle(self) -> bool:
        return all(pending.done() for pending in self._pending)

    def iter_stored(self) -> Iterator[tuple[int, Share]]:
        """Give what has been committed of which stream since the last call."""
        while self._stored:
            yield from self._stored.popleft().items()

    def hand_over(self, batch: Batch) -> None:
        """Wait until there is nothing before this batch but one that is being committed, and queue it.

        Raises:
            PuppylogError: a batch before could not be committed, or there is no room for this one; it and those between
                are dropped.
        """
        try:
            self._complete(batch)
            self._wait_for_all_but(_AHEAD)
        except BaseException:
            batch.appender.discard()
            raise
        self._pending.append(self._thread.submit(self._commit, batch))

    def wait(self) -> None:
        """Return when everything handed over is committed.

        Raises:
            PuppylogError: it could not be.
        """
        self._wait_for_all_but(0)

    def _complete(self, batch: Batch) -> None:
        """Do what can be done while the store is busy still."""
        try:
            batch.appender.complete()
        except BaseException:
            self.wait()  # whoever learns of it asks the store how far it is, and begins again from there
            raise

    def _wait_for_all_but(self, count: int) -> None:
        while len(self._pending) > count:
            try:
                self._pending.popleft().result()
            except BaseException:
                for pending in self._pending:
                    pending.result()  # dropped, without an error of its own
                self._pending.clear()
                self._has_failed = False
                raise

    def _commit(self, batch: Batch) -> None:
        if self._has_failed:
            batch.appender.discard()
            return
        moves = list(batch.moves.values())
        try:
            appended: Appended = patiently(lambda: batch.appender.commit(moves), self._stop, self._on_event)
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
        self._on_event(Committed(appended.records, appended.rejects))
        for path, byte_offset in batch.finished:
            self._on_event(FileFinished(path, byte_offset))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._thread.shutdown()
