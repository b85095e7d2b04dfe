"""The memory that the bodies of all requests may take."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from puppylog.serve.refusal import Refusal


class Share:
    """The memory of one body."""

    def __init__(self, budget: "Budget") -> None:
        self._budget = budget
        self._on_eviction: Callable[[], None] | None = None
        self._is_evicted = False
        self.size_bytes = 0
        self.is_complete = False
        self.started_at = time.monotonic()

    def grow(self, size: int) -> None:
        """Take more memory.

        Raises:
            Refusal: 503: other bodies have it, and are not slower than this one; 408: another body has the memory of
                this one.
        """
        if self._is_evicted:
            raise Refusal(408, "the body came too slowly while others needed its memory")
        self._budget.make_place(size, self)
        self.size_bytes += size
        self._budget.used_bytes += size

    @contextmanager
    def evictable(self, on_eviction: Callable[[], None]) -> Iterator[None]:
        """Call ``on_eviction`` if another body gets the memory of this one during the block."""
        self._on_eviction = on_eviction
        try:
            yield
        finally:
            self._on_eviction = None

    def evict(self) -> None:
        """Give the memory to another body."""
        self._is_evicted = True
        self._budget.drop(self)
        if self._on_eviction is not None:
            self._on_eviction()

    def complete(self) -> None:
        """Note that the body is complete: it keeps its memory until `close`."""
        self.is_complete = True

    def close(self) -> None:
        """Give the memory back."""
        self._budget.drop(self)

    @property
    def rate(self) -> float:
        """The average number of bytes a second so far."""
        return self.size_bytes / max(0.001, time.monotonic() - self.started_at)


class Budget:
    """The memory of all bodies. Used in the server's loop only.

    If it is full, the body that arrives slowest gives way, so that clients which stop in the middle of large bodies
    do not keep others out.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._shares: set[Share] = set()
        self.used_bytes = 0

    def open_share(self) -> Share:
        share = Share(self)
        self._shares.add(share)
        return share

    def make_place(self, size: int, share: Share) -> None:
        """Take memory from slower bodies until ``size`` bytes are free. Raises as `Share.grow`."""
        while self.used_bytes + size > self._limit:
            arriving = [other for other in self._shares if not other.is_complete and other.size_bytes]
            slowest = min(arriving, key=lambda other: other.rate, default=None)
            if slowest is None or slowest is share:
                raise Refusal(503, "the bodies of other requests fill the memory of the server")
            slowest.evict()

    def drop(self, share: Share) -> None:
        """Count the memory of a body as free."""
        self._shares.discard(share)
        self.used_bytes -= share.size_bytes
        share.size_bytes = 0
