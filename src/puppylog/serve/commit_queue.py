"""The queue of received requests that wait for their commit."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from puppylog.receive.received import Received
from puppylog.serve.received_streams import SourceName
from puppylog.serve.refusal import Refusal

_FIXED_BYTES: Final = 1_000  # about what a request takes in memory apart from its rows


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a request."""

    records: int
    rejects: int
    answer: str  # what the sender is answered; for a repeated request, the same as before
    repeated_s: float | None = None  # how many seconds ago the identical request was stored; None if it is new


Outcome: TypeAlias = Stored | Refusal
OnDone: TypeAlias = Callable[[Outcome], None]


@dataclass(slots=True, eq=False)
class QueuedRequest:
    """A request that waits for its commit. The committing thread alone uses it after it was taken from the queue."""

    receiver: str
    received: Received
    answer: str
    digest: str | None
    expires_at: float | None  # of time.monotonic; then the sender is refused. None: the request waits as long as needed
    on_done: list[OnDone]  # called with the outcome, from any thread; the queue adds senders of the same request
    names: tuple[SourceName, ...] = ()
    rows: int = 0
    size_bytes: int = 0
    is_settled: bool = False  # whether the outcome is known

    def __post_init__(self) -> None:
        self.names = tuple(SourceName(self.receiver, lines.source, lines.group) for lines in self.received.lines)
        self.rows = self.received.records + self.received.rejects
        self.size_bytes = self.received.size_bytes + _FIXED_BYTES


class CommitQueue:
    """Requests in the order of their arrival, limited in rows and bytes. Safe to use from several threads.

    A request counts until it is settled, so the limits include the requests that are being committed.
    """

    def __init__(self, max_rows: int, max_bytes: int) -> None:
        self._most_rows = max_rows
        self._most_bytes = max_bytes
        self._changed = threading.Condition()
        # All fields below are used under the lock of the condition.
        self._waiting: deque[QueuedRequest] = deque()
        self._by_digest: dict[str, QueuedRequest] = {}  # in the queue or being committed
        self._rows = 0
        self._bytes = 0
        self._is_closed = False

    @property
    def size(self) -> tuple[int, int]:
        """The rows and bytes of all requests that are not settled."""
        with self._changed:
            return self._rows, self._bytes

    def put(self, request: QueuedRequest) -> None:
        """Add a request. If the same request waits already, both get the outcome of that one.

        Raises:
            Refusal: the queue is full or closed.
        """
        with self._changed:
            same = self._by_digest.get(request.digest) if request.digest is not None else None
            if same is not None:
                same.on_done += [_as_repeated(on_done) for on_done in request.on_done]
                same.expires_at = request.expires_at
                return
            if self._is_closed:
                raise Refusal(503, "the server ends")
            is_full = self._rows + request.rows > self._most_rows or self._bytes + request.size_bytes > self._most_bytes
            if is_full and self._bytes:  # a request larger than the limit is taken alone
                raise Refusal(503, "the store is behind: too much waits to be stored", retry_after_s=1)
            self._rows += request.rows
            self._bytes += request.size_bytes
            self._waiting.append(request)
            if request.digest is not None:
                self._by_digest[request.digest] = request
            self._changed.notify()

    def take(self, max_rows: int, max_bytes: int, within_s: float) -> list[QueuedRequest]:
        """Wait for requests; return the first ones that fit the limits together, but at least one.

        Returns an empty list after ``within_s`` seconds, or when the queue is closed and empty.
        """
        with self._changed:
            if not self._waiting and not self._is_closed:
                self._changed.wait(within_s)
            taken: list[QueuedRequest] = []
            rows = size_bytes = 0
            while self._waiting:
                rows += self._waiting[0].rows
                size_bytes += self._waiting[0].size_bytes
                if taken and (rows > max_rows or size_bytes > max_bytes):
                    break
                taken.append(self._waiting.popleft())
            return taken

    def take_expired(self, now: float) -> list[QueuedRequest]:
        """Return and remove the requests whose senders do not wait any longer."""
        with self._changed:
            expired = [one for one in self._waiting if one.expires_at is not None and one.expires_at <= now]
            if expired:
                gone = set(expired)
                self._waiting = deque(one for one in self._waiting if one not in gone)
            return expired

    def settle(self, request: QueuedRequest, outcome: Outcome) -> None:
        """Tell the senders of a request its outcome. It no longer counts. Only the first call has an effect."""
        with self._changed:
            if request.is_settled:
                return
            request.is_settled = True
            self._rows -= request.rows
            self._bytes -= request.size_bytes
            if request.digest is not None:
                self._by_digest.pop(request.digest, None)
        self.tell(request, outcome)

    def tell(self, request: QueuedRequest, outcome: Outcome) -> None:
        """Tell the senders of a request its outcome, but keep the request: its commit may still succeed."""
        with self._changed:
            told, request.on_done = request.on_done, []
        for on_done in told:
            on_done(outcome)

    def close(self) -> None:
        """Refuse further requests. Those that wait can still be taken."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    @property
    def is_over(self) -> bool:
        """Whether the queue is closed and empty."""
        with self._changed:
            return self._is_closed and not self._waiting


def _as_repeated(on_done: OnDone) -> OnDone:
    """Return a function that tells a sender that its request repeats one that was stored just now."""

    def tell(outcome: Outcome) -> None:
        if isinstance(outcome, Stored) and outcome.repeated_s is None:
            outcome = replace(outcome, repeated_s=0.0)
        on_done(outcome)

    return tell
