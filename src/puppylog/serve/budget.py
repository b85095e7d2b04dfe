"""The memory that the bodies of all requests may take."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from puppylog.serve.refusal import Refusal

_PIECE_BYTES: Final = 64 << 10
_LARGE_PART: Final = 8  # a body is large if it takes this part of the memory


class Share:
    """One body that arrives, and the memory that it takes."""

    def __init__(self, budget: "Budget") -> None:
        self._budget = budget
        self._on_eviction: Callable[[], None] | None = None
        self._is_evicted = False
        self._pieces: list[bytes] = []  # one long array would be copied, and would leave holes, as it grows
        self._last = bytearray()  # collects small pieces
        self.size_bytes = 0
        self.is_complete = False
        self.started_at = time.monotonic()

    def append(self, piece: bytes) -> None:
        """Take memory for a piece of the body.

        Raises:
            Refusal: 503: other bodies have it, or another body has got that of this one.
        """
        self._check()
        self._take(len(piece))
        self._last += piece
        if len(self._last) >= _PIECE_BYTES:
            self._pieces.append(bytes(self._last))
            self._last.clear()

    def complete(self) -> bytes:
        """Return the body. It keeps its memory until `close`. Raises as `append`."""
        self._check()
        self.is_complete = True
        body = b"".join([*self._pieces, self._last])
        self._forget()
        return body

    def _forget(self) -> None:
        self._pieces.clear()
        self._last.clear()

    def reserve(self, size: int) -> None:
        """Take memory for something else that is made of the body, and keep it until `close`. Raises as `append`."""
        self._take(size)
        self.is_complete = True

    def _take(self, size: int) -> None:
        self._budget.free_memory(size, self)
        self.size_bytes += size
        self._budget.used_bytes += size

    def _check(self) -> None:
        if self._is_evicted:
            raise Refusal(503, "the body came too slowly while others needed its memory")

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
        self._forget()
        self._budget.drop(self)
        if self._on_eviction is not None:
            self._on_eviction()

    def close(self) -> None:
        """Give the memory back."""
        self._budget.drop(self)

    @property
    def rate(self) -> float:
        """The average number of bytes a second so far."""
        return self.size_bytes / max(0.001, time.monotonic() - self.started_at)


class Budget:
    """The memory of all bodies. Used in the server's loop only.

    If it is full, a large body that still arrives gives way: the slowest one, so that clients which stop in the middle
    of large bodies do not keep others out. Its request gets 503, because many senders drop what is answered with 408.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._shares: set[Share] = set()
        self.used_bytes = 0

    def open_share(self) -> Share:
        share = Share(self)
        self._shares.add(share)
        return share

    def free_memory(self, size: int, share: Share) -> None:
        """Take memory from other bodies until ``size`` bytes are free. Raises as `Share.append`."""
        while self.used_bytes + size > self._limit:
            arriving = [other for other in self._shares if not other.is_complete and other.size_bytes]
            large = [other for other in arriving if other.size_bytes >= self._limit // _LARGE_PART]
            if large:
                worst = min(large, key=lambda other: other.rate)
            else:
                worst = max(arriving, key=lambda other: other.size_bytes, default=share)
            if worst is share:
                raise Refusal(503, "the bodies of other requests fill the memory of the server")
            worst.evict()

    def drop(self, share: Share) -> None:
        """Count the memory of a body as free."""
        self._shares.discard(share)
        self.used_bytes -= share.size_bytes
        share.size_bytes = 0
