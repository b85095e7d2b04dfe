"""Numbers of what the server has done since its start."""

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

BOUNDS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Durations are counted up to each of these, in seconds."""


@dataclass(slots=True)
class Durations:
    """How often something was done, and how long it took."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_S) + 1))  # by bound; the last one is above all
    sum_s: float = 0.0


class Counters:
    """Counts by name and receiver. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # The fields below are used under the lock.
        self._counts: Counter[tuple[str, str]] = Counter()
        self._responses: Counter[tuple[str, int]] = Counter()
        self._commits: dict[str, Durations] = {}

    def add(self, name: str, receiver: str = "", count: int = 1) -> None:
        """Add to a number, such as ``repeated_requests`` of the receiver ``otlp``."""
        with self._lock:
            self._counts[name, receiver] += count

    def add_response(self, receiver: str, status: int) -> None:
        """Count an answer with this status of HTTP."""
        with self._lock:
            self._responses[receiver, status] += 1

    def add_commit(self, origin: str, duration_s: float) -> None:
        """Count a transaction of lines that was committed.

        Args:
            origin: where its lines come from: ``receivers``, ``collector`` or ``remote``.
            duration_s: how long the commit took, in seconds.
        """
        with self._lock:
            durations = self._commits.setdefault(origin, Durations())
            durations.counts[bisect_left(BOUNDS_S, duration_s)] += 1
            durations.sum_s += duration_s

    def read(self) -> Mapping[tuple[str, str], int]:
        """Return all numbers, by name and receiver."""
        with self._lock:
            return dict(self._counts)

    def read_responses(self) -> Mapping[tuple[str, int], int]:
        """Return the numbers of answers, by receiver and status."""
        with self._lock:
            return dict(self._responses)

    def read_commits(self) -> Mapping[str, Durations]:
        """Return the durations of commits, by origin."""
        with self._lock:
            return {origin: Durations(list(found.counts), found.sum_s) for origin, found in self._commits.items()}
