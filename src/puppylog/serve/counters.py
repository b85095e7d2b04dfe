"""Numbers of what the server has done since its start."""

import threading
from collections import Counter
from collections.abc import Mapping


class Counters:
    """Counts by name and receiver. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()  # under the lock

    def add(self, name: str, receiver: str = "", count: int = 1) -> None:
        """Add to a number, such as ``repeated_requests`` of the receiver ``otlp``."""
        with self._lock:
            self._counts[name, receiver] += count

    def read(self) -> Mapping[tuple[str, str], int]:
        """Return all numbers, by name and receiver."""
        with self._lock:
            return dict(self._counts)
