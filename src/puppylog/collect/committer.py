"""The thread that commits: one batch at a time, in order, for as long as it takes.

While it waits for the store, the next batch is being filled; when that one is full too, reading stops. The file is the
buffer.
"""

import threading
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from puppylog.collect.batch import Batch
from puppylog.collect.events import Committed, FileFinished, OnEvent
from puppylog.collect.patience import patiently
from puppylog.stores.base import Appended


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

    def __init__(self, stop: threading.Event, on_event: OnEvent) -> None:
        self._stop = stop
        self._on_event = on_event
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="committer")
        self._pending: Future[None] | None = None
        self.totals = Totals()

    @property
    def is_idle(self) -> bool:
        return self._pending is None or self._pending.done()

    def hand_over(self, batch: Batch) -> None:
        """Wait until the batch before is committed, then begin with this one.

        Raises:
            PuppylogError: the batch before could not be committed.
        """
        try:
            self.wait()
        except BaseException:
            batch.appender.discard()
            raise
        self._pending = self._thread.submit(self._commit, batch)

    def wait(self) -> None:
        """Return when everything handed over is committed.

        Raises:
            PuppylogError: it could not be.
        """
        if self._pending is not None:
            pending, self._pending = self._pending, None
            pending.result()

    def _commit(self, batch: Batch) -> None:
        moves = list(batch.moves.values())
        try:
            appended: Appended = patiently(lambda: batch.appender.commit(moves), self._stop, self._on_event)
        except BaseException:
            batch.appender.discard()
            raise
        self.totals.add(batch, appended)
        self._on_event(Committed(appended.records, appended.rejects))
        for path, byte_offset in batch.finished:
            self._on_event(FileFinished(path, byte_offset))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._thread.shutdown()
