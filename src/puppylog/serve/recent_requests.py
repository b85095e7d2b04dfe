"""The requests that this server has stored lately, so that most repeated requests need no question to the store."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from puppylog.model.request import KEPT_S

_MOST: Final = 50_000  # requests; a digest and a short answer take about 300 bytes


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """A request that was committed."""

    answer: str
    stored_at: float  # of the clock


class RecentRequests:
    """The newest stored requests by digest. The caller ensures that one thread at a time uses it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, most: int = _MOST) -> None:
        self._clock = clock
        self._most = most
        self._by_digest: OrderedDict[str, StoredRequest] = OrderedDict()  # the oldest first

    def add(self, digest: str, answer: str, age_s: float = 0.0) -> None:
        """Note a request that was committed ``age_s`` seconds ago."""
        self._by_digest[digest] = StoredRequest(answer, self._clock() - age_s)
        while len(self._by_digest) > self._most:
            self._by_digest.popitem(last=False)

    def find(self, digest: str) -> tuple[str, float] | None:
        """Return the answer of the request and its age in seconds; None if the request is unknown or too old."""
        found = self._by_digest.get(digest)
        if found is None:
            return None
        age_s = self._clock() - found.stored_at
        if age_s >= KEPT_S:
            del self._by_digest[digest]
            return None
        return found.answer, age_s
