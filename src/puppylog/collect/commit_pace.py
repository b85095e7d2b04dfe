"""How often a collector commits lines of files that grow slowly.

A commit costs the store about the same for one line as for twenty, so the lines of a file that grows all the time are
gathered. The first lines after a quiet time are committed at once. Full batches do not wait: this limits small ones.
"""

from typing import Final

GATHER_S: Final = 0.9
"""The seconds between two small commits while lines keep coming.

The collector polls again when the next commit is allowed, so a line is visible within a second."""

_AT_ONCE: Final = 4
"""How many commits need not wait after a quiet time. Each one is allowed again after GATHER_S seconds."""


class CommitPace:
    """Decides whether a small batch is committed now. Pure: times are seconds of a clock that never goes back."""

    def __init__(self, now: float) -> None:
        self._free_at = now - _AT_ONCE * GATHER_S  # the time at which all commits so far are paid for

    def may_commit(self, now: float) -> bool:
        """Return whether the next small batch may be committed at this time."""
        return self.wait_s(now) <= 0

    def wait_s(self, now: float) -> float:
        """Return the seconds until the next small commit is allowed; at most 0 if it is allowed now."""
        return self._free_at + GATHER_S - now

    def note_commit(self, now: float) -> None:
        """Note that a batch is committed now."""
        self._free_at = max(self._free_at, now - _AT_ONCE * GATHER_S) + GATHER_S
