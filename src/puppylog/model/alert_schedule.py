"""Which evaluations of an alert are due, and how many missed ones are caught up. Pure functions.

PostgreSQL has the same schedule in SQL. Missed evaluations are caught up in order, up to a limit: a clock that is set
forward by a year would cause millions of them. The store records with the alert which evaluations were skipped.
"""

from dataclasses import dataclass
from typing import Final

MAX_SEGMENTS: Final = 20_000
"""How many segments an alert judges one by one: first those that have a state, then new ones in order of appearance."""

CATCH_UP_S: Final = 7 * 86_400
"""Missed evaluations that are older than this are skipped."""

MAX_JUDGEMENTS: Final = 2_000_000
"""The largest product of segments and caught-up evaluations. The oldest evaluations beyond it are skipped."""

# Limits of one call: evaluations, and observations in the windows of all segments together.
_MAX_EVALUATIONS: Final = 2_000
_MAX_OBSERVATIONS: Final = 5_000_000
_US_PER_S: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Due:
    """The evaluations of one call: at ``first_us`` and every ``period_us`` after it, in µs since the epoch."""

    first_us: int
    evaluations: int
    period_us: int
    skipped: int  # missed evaluations before ``first_us`` that are never caught up

    @property
    def last_us(self) -> int:
        return self.first_us + (self.evaluations - 1) * self.period_us


def count_due(evaluated_us: int, now_us: int, period_s: int) -> int:
    """Return how many evaluations, aligned to the epoch, fall after ``evaluated_us`` and not after ``now_us``."""
    period_us = period_s * _US_PER_S
    return max(0, now_us // period_us - evaluated_us // period_us)


def plan(evaluated_us: int, now_us: int, period_s: int, *, segments: int, buckets: int) -> Due | None:
    """Return the evaluations of one call; None if none is due.

    Args:
        evaluated_us: the last evaluation that took place, in microseconds since the epoch.
        now_us: the present, in microseconds since the epoch.
        period_s: of the alert, in seconds.
        segments: how many segments the alert judges one by one; 1 if it judges them together.
        buckets: how many buckets of the metric a window has.
    """
    due, period_us = count_due(evaluated_us, now_us, period_s), period_s * _US_PER_S
    if not due:
        return None
    segments = max(1, segments)
    caught_up = min(due, max(1, CATCH_UP_S // period_s), max(1, MAX_JUDGEMENTS // segments))
    first_us = (now_us // period_us - caught_up + 1) * period_us
    at_once = min(caught_up, _MAX_EVALUATIONS, max(1, _MAX_OBSERVATIONS // (segments * buckets)))
    return Due(first_us, at_once, period_us, due - caught_up)
