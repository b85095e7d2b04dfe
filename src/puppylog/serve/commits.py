"""Commits received requests, each one once, although the store may be unavailable, or may have some of them already.

A commit that fails because of the store is repeated. A sender is refused when it has waited long enough. The commit
goes on if it may already have succeeded: when the sender repeats its request, the digest tells whether it is stored.
"""

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from puppylog.errors import PuppylogError, RequestRepeated, StoreFull, StreamBusy
from puppylog.serve.commit_queue import CommitQueue, Outcome, QueuedRequest, Stored
from puppylog.serve.counters import Counters
from puppylog.serve.received_batch import ReceivedBatch
from puppylog.serve.received_streams import ReceivedStream, ReceivedStreams, SourceName
from puppylog.serve.refusal import Refusal, refuse
from puppylog.stores.base import Appended, Store

_FIRST_RETRY_S: Final = 0.1
_LAST_RETRY_S: Final = 5.0
_MAX_RERUNS: Final = 3  # how often a batch is built again at once, without the requests that the store has
_UNAVAILABLE: Final = "the store is not available"

OpenStore: TypeAlias = Callable[[], tuple[Store, ReceivedStreams]]
"""Returns the store and the open streams, the same at each call. It connects first if there is no connection."""


class Commits:
    """Commits batch after batch. Used in the committing thread."""

    def __init__(
        self,
        queue: CommitQueue,
        on_stored: Callable[[str, str, float], None],
        counters: Counters,
        stop: threading.Event,
        on_problem: Callable[[str | None], None],
    ) -> None:
        """Start without a store.

        Args:
            queue: gets the outcomes.
            on_stored: called with the digest, the answer and the age in seconds of each stored request.
            counters: gets the numbers of what is stored and refused.
            stop: when set, a commit that fails is repeated once at most.
            on_problem: called with the cause when the store cannot store, and with None when it can again.
        """
        self._queue = queue
        self._on_stored = on_stored
        self._counters = counters
        self._stop = stop
        self._on_problem = on_problem

    def store(self, requests: Sequence[QueuedRequest], open_store: OpenStore) -> ReceivedBatch | None:
        """Commit requests in one transaction and settle them; return what was committed, or None.

        A request that the store has already, or that cannot be stored, is settled, and the others are committed.
        """
        attempt = _Attempt(self, open_store, list(requests))
        retry_s = _FIRST_RETRY_S
        while attempt.requests:
            was_stopped = self._stop.is_set()
            try:
                committed = attempt.run()
            except PuppylogError as error:
                if attempt.may_run_again(error):
                    continue
                is_transient = error.transient or isinstance(error, StoreFull | RequestRepeated)
                if was_stopped or not is_transient:
                    attempt.give_up(_refuse(error))
                    return None
                self._on_problem(error.message)
                self._pause(retry_s * random.uniform(0.5, 1.0), attempt)  # noqa: S311 - not used as a secret
                retry_s = min(2 * retry_s, _LAST_RETRY_S)
                continue
            self._on_problem(None)
            return committed
        return None

    def commit(self, batch: ReceivedBatch) -> Appended:
        """Commit a batch, and count how long that took."""
        started = time.monotonic()
        appended = batch.commit()
        self._counters.add_commit("receivers", time.monotonic() - started)
        return appended

    def settle(self, request: QueuedRequest, outcome: Outcome) -> None:
        """Tell the senders of a request its outcome, and count it."""
        if isinstance(outcome, Stored):
            if request.digest is not None:
                self._on_stored(request.digest, outcome.answer, outcome.repeated_s or 0.0)
            if outcome.repeated_s is None:
                if request.rows or request.digest is not None:  # the others only open a stream
                    self._counters.add("requests", request.receiver)
                self._counters.add("records", request.receiver, outcome.records)
                self._counters.add("rejected_lines", request.receiver, outcome.rejects)
            else:
                self._counters.add("repeated_requests", request.receiver)
        else:
            self._counters.add("refused_requests", request.receiver)
        self._queue.settle(request, outcome)

    def tell(self, request: QueuedRequest, refusal: Refusal) -> None:
        """Refuse the senders of a request whose commit may still succeed."""
        self._counters.add("refused_requests", request.receiver)
        self._queue.tell(request, refusal)

    def refuse_expired(self, cause: str = _UNAVAILABLE) -> None:
        """Refuse the requests in the queue whose senders have waited long enough."""
        for request in self._queue.take_expired(time.monotonic()):
            self.settle(request, Refusal(503, cause))

    def _pause(self, pause_s: float, attempt: "_Attempt") -> None:
        end = time.monotonic() + pause_s
        while (left_s := end - time.monotonic()) > 0 and not self._stop.is_set():
            self._stop.wait(min(left_s, 0.5))
            self.refuse_expired()
            attempt.refuse_expired()
            if not attempt.requests:
                return


class _Attempt:
    """The requests of one transaction, until they are settled."""

    def __init__(self, commits: Commits, open_store: OpenStore, requests: list[QueuedRequest]) -> None:
        self._commits = commits
        self._open_store = open_store
        self.requests = requests
        self._batch: ReceivedBatch | None = None  # None: no commit of the requests was tried, or all tries have failed
        self._must_ask = False  # whether the store may have some of the requests
        self._reruns = 0

    def run(self) -> ReceivedBatch | None:
        """Commit the requests and settle them. It is OK to call this again after a transient error.

        Returns None if no request was left to commit.
        """
        if self._batch is None:
            store, streams = self._open_store()
            self._settle_stored(store)
            opened = self._open(streams)
            if not self.requests:
                return None
            self._batch = ReceivedBatch.build(store.appender(), self.requests, opened)
        batch = self._batch
        appended = Appended(0, 0) if batch.is_empty else self._commits.commit(batch)
        batch.advance(appended)
        for request in self.requests:
            received = request.received
            self._commits.settle(request, Stored(received.records, received.rejects, request.answer))
        self.requests = []
        return batch

    def may_run_again(self, error: PuppylogError) -> bool:
        """Prepare another `run` after an error; return whether it may follow at once."""
        if self._batch is None or not isinstance(error, RequestRepeated | StreamBusy):
            return False
        # The store has a request from another commit; or another server has moved a position, perhaps after an earlier
        # commit of this batch whose answer was lost.
        self._drop_batch()
        self._must_ask = True
        self._reruns += 1
        return self._reruns <= _MAX_RERUNS

    def refuse_expired(self) -> None:
        """Refuse the senders that have waited long enough. Their requests are given up unless they may be stored."""
        now = time.monotonic()
        for request in [one for one in self.requests if one.expires_at is not None and one.expires_at <= now]:
            refusal = Refusal(503, _UNAVAILABLE)
            if self._batch is None:
                self._commits.settle(request, refusal)
                self.requests.remove(request)
            else:
                self._commits.tell(request, refusal)

    def give_up(self, refusal: Refusal) -> None:
        """Refuse all requests."""
        self._drop_batch()
        for request in self.requests:
            self._commits.settle(request, refusal)
        self.requests = []

    def _open(self, streams: ReceivedStreams) -> Mapping[SourceName, ReceivedStream]:
        """Open the streams of the requests; refuse the requests with a stream that another client follows."""
        opened = streams.open(name for request in self.requests for name in request.names)
        for request in list(self.requests):
            busy = next((opened.busy[name] for name in request.names if name in opened.busy), None)
            if busy is not None:
                self._commits.settle(request, _refuse(busy))
                self.requests.remove(request)
        return opened.streams

    def _settle_stored(self, store: Store) -> None:
        """Answer the requests that the store has already as they were answered before."""
        if not self._must_ask:
            return
        found = store.find_requests([one.digest for one in self.requests if one.digest is not None])
        self._must_ask = False
        for request in list(self.requests):
            stored = found.get(request.digest or "")
            if stored is not None:
                self._commits.settle(request, Stored(0, 0, stored.answer, stored.age_s))
                self.requests.remove(request)

    def _drop_batch(self) -> None:
        """Give up the batch. The positions of its streams are read again before the next commit."""
        if self._batch is not None:
            self._batch.appender.discard()
            self._open_store()[1].forget(self._batch.streams.values())
            self._batch = None


def _refuse(error: PuppylogError) -> Refusal:
    """Return how a request is refused. Another server may end, so what it follows may be free later."""
    is_passing = error.transient or isinstance(error, StreamBusy | RequestRepeated | StoreFull)
    return Refusal(503, error.message, error=error) if is_passing else refuse(error)
