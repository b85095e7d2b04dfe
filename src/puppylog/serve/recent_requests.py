"""The requests that this server has stored recently, so that most repeated requests need no question to the store."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from puppylog.model.request import KEPT_S

_MAX_BYTES: Final = 32 << 20
_FIXED_BYTES: Final = 300  # about what a request takes without its answer


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """A request that was committed."""

    answer: str
    stored_at: float  # of the clock


class RecentRequests:
    """The newest stored requests by digest. The caller ensures that one thread at a time uses it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, max_bytes: int = _MAX_BYTES) -> None:
        self._clock = clock
        self._most_bytes = max_bytes
        self._bytes = 0
        self._by_digest: OrderedDict[str, StoredRequest] = OrderedDict()  # the oldest first

    def add(self, digest: str, answer: str, age_s: float = 0.0) -> None:
        """Note a request that was committed ``age_s`` seconds ago. One with a very long answer is left to the store."""
        self._drop(digest)
        if len(answer) > self._most_bytes // 10:
            return
        self._by_digest[digest] = StoredRequest(answer, self._clock() - age_s)
        self._bytes += _FIXED_BYTES + len(answer)
        while self._bytes > self._most_bytes:
            self._drop(next(iter(self._by_digest)))

    def find(self, digest: str) -> tuple[str, float] | None:
        """Return the answer of the request and its age in seconds; None if the request is unknown or too old."""
        found = self._by_digest.get(digest)
        if found is None:
            return None
        age_s = self._clock() - found.stored_at
        if age_s >= KEPT_S:
            self._drop(digest)
            return None
        return found.answer, age_s

    def _drop(self, digest: str) -> None:
        dropped = self._by_digest.pop(digest, None)
        if dropped is not None:
            self._bytes -= _FIXED_BYTES + len(dropped.answer)
