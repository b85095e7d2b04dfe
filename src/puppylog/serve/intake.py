"""Stores what receivers decode: requests that arrive close together share one transaction (group commit).

A request that arrives alone is committed at once. While a commit runs, further requests queue; the next commit takes
all of them. So there is no timer, and the number of requests in a transaction grows with the load.

One thread commits, with its own connection to the store. It also sends the reports on the streams of received lines.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from puppylog.collect.stream_reporter import REPORT_S, StreamReporter
from puppylog.errors import PuppylogError
from puppylog.model.record import NO_RECORDS, NO_REJECTS, Parsed
from puppylog.receive.received import Received, ReceivedLines
from puppylog.serve.commit_queue import CommitQueue, OnDone, Outcome, QueuedRequest, Stored
from puppylog.serve.commits import Commits
from puppylog.serve.counters import Counters
from puppylog.serve.received_batch import ReceivedBatch
from puppylog.serve.received_streams import MAX_STREAMS, ReceivedStreams, SourceName
from puppylog.serve.recent_requests import RecentRequests
from puppylog.serve.refusal import Refusal
from puppylog.stores.base import Store

_MARGIN_S: Final = 1.0
_EMPTY: Final = Parsed(NO_RECORDS, NO_REJECTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeLimits:
    """How much may wait for the store, and for how long."""

    queue_rows: int = 2_000_000
    queue_bytes: int = 256 << 20  # above it, and above the limit of rows, requests are refused with 503
    batch_bytes: int = 128 << 20  # of one transaction; its rows are limited by the store
    wait_s: float = 8.0  # then a sender is refused with 503. Many senders wait for 10 s
    end_s: float = 8.0  # for the last commit, when the server ends
    streams: int = MAX_STREAMS


class Intake:
    """Implements `puppylog.serve.context.Intake`. Usable with ``with``; `close` commits what waits."""

    def __init__(
        self,
        connect: Callable[[], Store],
        *,
        host: str,
        counters: Counters,
        limits: IntakeLimits = IntakeLimits(),
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Prepare. The first request starts the committing thread, which connects to the store.

        Args:
            connect: returns a new connection to the store.
            host: the name of this host for the URIs of streams, where the store is shared.
            counters: gets the numbers of requests, records and rejected lines, by receiver.
            limits: see `IntakeLimits`.
            say: tells the user one sentence.
        """
        # Fields without a comment are not changed after the constructor.
        self._connect = connect
        self._host = host
        self._limits = limits
        self._say = say
        self._queue = CommitQueue(limits.queue_rows, limits.queue_bytes)
        self._lock = threading.Lock()
        self._recent = RecentRequests()  # under the lock
        self._stop = threading.Event()
        self._counters = counters
        self._commits = Commits(self._queue, self._remember, counters, self._stop, self._note_problem)
        self._reporting = StreamReporter()  # committing thread only; so are the fields below
        self._reported: set[int] = set()  # ids of the streams that are reported
        self._problem: str | None = None
        self._has_said_full = False
        self._store: Store | None = None
        self._streams: ReceivedStreams | None = None  # set once; other threads use `find` only
        self._thread: threading.Thread | None = None  # under the lock

    async def store(self, receiver: str, received: Received, *, digest: str | None, answer: str) -> Stored:
        """Store the lines of a request. Return after the commit.

        Args:
            receiver: its name, which is the scheme of its streams' URIs.
            received: the lines. The request is stored even if its sender goes away.
            digest: see `puppylog.model.request.ReceivedRequest`; None: an identical request would be stored again.
            answer: JSON of what the sender is answered.

        Raises:
            Refusal: 503: the store is unavailable, full or behind. Nothing of the request is stored, or its repetition
                is recognized by the digest.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Outcome] = loop.create_future()

        def on_done(outcome: Outcome) -> None:
            with suppress(RuntimeError):  # the loop is closed: the server has ended
                loop.call_soon_threadsafe(_resolve, future, outcome)

        self.put(receiver, received, digest=digest, answer=answer, on_done=on_done)
        try:
            # The committing thread refuses requests at their time, unless it waits for an answer of the store itself.
            async with asyncio.timeout(self._limits.wait_s + _MARGIN_S):
                outcome = await future
        except TimeoutError:
            self._counters.add("refused_requests", receiver)
            raise Refusal(503, "the store does not answer") from None
        if isinstance(outcome, Refusal):
            raise outcome
        return outcome

    def put(
        self,
        receiver: str,
        received: Received,
        *,
        digest: str | None = None,
        answer: str = "",
        on_done: OnDone = lambda _: None,
        waits: bool = True,
    ) -> None:
        """CommitQueue the lines of a request, and return at once. Any thread may call this.

        Args:
            receiver: as for `store`.
            received: as for `store`.
            digest: as for `store`.
            answer: as for `store`.
            on_done: called once with the outcome, in any thread. It must not block.
            waits: whether a sender waits for the outcome. If so, it is refused after `IntakeLimits.wait_s` seconds;
                otherwise the lines are kept until the store takes them.

        Raises:
            Refusal: 503: too much waits for the store.
        """
        if digest is not None:
            with self._lock:
                known = self._recent.find(digest)
            if known is not None:
                self._counters.add("repeated_requests", receiver)
                on_done(Stored(0, 0, known[0], known[1]))
                return
        expires_at = time.monotonic() + self._limits.wait_s if waits else None
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="intake", daemon=True)
                self._thread.start()
        try:
            self._queue.put(QueuedRequest(receiver, received, answer, digest, expires_at, [on_done]))
        except Refusal:
            self._counters.add("refused_requests", receiver)
            raise

    async def find_context(self, receiver: str, source: str, group: str | None = None) -> str:
        """Return the context that the last committed lines of a source left; empty if there is none.

        Raises:
            Refusal: 503, as for `store`.
        """
        name = SourceName(receiver, source, group)
        stream = None if self._streams is None else self._streams.find(name)
        if stream is None:  # no lines: this only opens the stream
            nothing = Received((ReceivedLines(source, group, _EMPTY, 0),))
            await self.store(receiver, nothing, digest=None, answer="")
            stream = None if self._streams is None else self._streams.find(name)
        return "" if stream is None else stream.context

    @property
    def waiting(self) -> tuple[int, int]:
        """How many rows and bytes wait for their commit."""
        return self._queue.size

    def close(self) -> None:
        """Commit what waits, and release the streams and the store. It is OK to close twice."""
        self._queue.close()
        self._stop.set()
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join(self._limits.end_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    # --- in the committing thread

    def _run(self) -> None:
        try:
            while not self._queue.is_over:
                self._commits.refuse_expired()
                max_rows = self._store.full_rows if self._store is not None else 1
                taken = self._queue.take(max_rows, self._limits.batch_bytes, REPORT_S)
                if taken:
                    self._store_all(taken)
                self._report()
        finally:
            self._end()

    def _store_all(self, requests: Sequence[QueuedRequest]) -> None:
        """Commit requests together; one by one if that shows a defect, so that it costs one request only."""
        try:
            committed = self._commits.store(requests, self._open_store)
        except Exception as error:  # noqa: BLE001 - this thread must go on: all receivers of the server need it
            self._forget_streams()
            left = [request for request in requests if not request.is_settled]
            if len(requests) > 1:
                for request in left:
                    self._store_all([request])
                return
            self._counters.add("defects")
            self._say(
                f"internal error: received lines are not stored: {type(error).__name__}: {error}; please report it"
            )
            for request in left:
                self._commits.settle(request, Refusal(500, "internal error"))
            return
        if committed is not None:
            self._note_committed(committed)

    def _forget_streams(self) -> None:
        """Release all streams, because their positions are uncertain."""
        if self._streams is not None:
            with suppress(PuppylogError):  # the store releases the claims of a lost connection
                self._streams.forget(list(self._streams))

    def _open_store(self) -> tuple[Store, ReceivedStreams]:
        if self._store is None or self._streams is None:
            store = self._store = self._connect()
            host = self._host if store.is_shared else ""
            limit = self._limits.streams
            self._streams = ReceivedStreams(store, host, limit=limit, on_full=self._note_full)
        return self._store, self._streams

    def _remember(self, digest: str, answer: str, age_s: float) -> None:
        with self._lock:
            self._recent.add(digest, answer, age_s)

    def _note_committed(self, batch: ReceivedBatch) -> None:
        now = time.monotonic()
        for stream in batch.streams.values():
            if stream.stream_id not in self._reported:
                self._reported.add(stream.stream_id)
                # The first report is due now. Its rate is that of a whole interval, not of a moment.
                self._reporting.begin_stream(stream.stream_id, now - REPORT_S)
        for stream_id, share in batch.shares.items():
            self._reporting.note_read(stream_id, lines=share.records + share.rejects, size_bytes=share.size_bytes)
        self._reporting.note_stored(batch.shares.items(), now)
        for stream_id, name in batch.formats.items():
            self._reporting.note_format(stream_id, name)

    def _report(self) -> None:
        now = time.monotonic()
        if self._store is not None and self._reporting.is_due(now):
            with suppress(PuppylogError):  # the next report says the same
                self._store.report(self._reporting.take_due(now))

    def _note_problem(self, problem: str | None) -> None:
        if problem != self._problem:
            self._say(f"received lines wait: {problem}" if problem is not None else "received lines are stored again")
        self._problem = problem

    def _note_full(self) -> None:
        if not self._has_said_full:
            self._has_said_full = True
            self._say(
                f"there are {self._limits.streams:,} streams of received lines: further sources get none of their own;"
                " their records have the name of the source as an attribute"
            )

    def _end(self) -> None:
        if self._store is None:
            return
        with suppress(PuppylogError):
            self._store.report(self._reporting.end(time.monotonic()))
        self._store.close()


def _resolve(future: "asyncio.Future[Outcome]", outcome: Outcome) -> None:
    if not future.done():  # the client may have gone
        future.set_result(outcome)
