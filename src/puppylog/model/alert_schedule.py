"""When an alert is evaluated: what is due, and how much of a long absence is caught up.

Pure; it exists once more in SQL. Evaluations that were missed are caught up in order, but not without end: a clock that
was set forward by a year would make millions of them. What is skipped is noted with the alert.
"""

from dataclasses import dataclass
from typing import Final

MOST_SEGMENTS: Final = 20_000
"""So many segments an alert judges one by one. Those with a state come first, then those that are seen first."""

CATCH_UP_S: Final = 7 * 86_400
"""Missed evaluations that are older than this are skipped."""

MOST_JUDGEMENTS: Final = 2_000_000
"""So many segments times missed evaluations are caught up; the oldest evaluations are skipped."""

# What one call may look at: evaluations, and observations in the windows of all segments together.
_MOST_EVALUATIONS: Final = 2_000
_MOST_OBSERVATIONS: Final = 5_000_000
_US_PER_S: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Due:
    """The evaluations of one call, at ``first_us`` and every ``period_us`` after it."""

    first_us: int
    evaluations: int
    period_us: int
    skipped: int  # missed evaluations right before the first one that are not caught up

    @property
    def last_us(self) -> int:
        return self.first_us + (self.evaluations - 1) * self.period_us


def count_due(evaluated_us: int, now_us: int, period_s: int) -> int:
    """Return how many evaluations, aligned to the epoch, come after the last one and up to now."""
    period_us = period_s * _US_PER_S
    return max(0, now_us // period_us - evaluated_us // period_us)


def plan(evaluated_us: int, now_us: int, period_s: int, *, segments: int, buckets: int) -> Due | None:
    """Return what one call evaluates, None if nothing is due.

    Args:
        evaluated_us: the last evaluation that is done.
        now_us: no evaluation after this one.
        period_s: of the alert.
        segments: how many it judges one by one; 1 if together.
        buckets: how many buckets of its metric a window has.
    """
    due, period_us = count_due(evaluated_us, now_us, period_s), period_s * _US_PER_S
    if not due:
        return None
    segments = max(1, segments)
    caught_up = min(due, max(1, CATCH_UP_S // period_s), max(1, MOST_JUDGEMENTS // segments))
    first_us = (now_us // period_us - caught_up + 1) * period_us
    at_once = min(caught_up, _MOST_EVALUATIONS, max(1, _MOST_OBSERVATIONS // (segments * buckets)))
    return Due(first_us, at_once, period_us, due - caught_up)
