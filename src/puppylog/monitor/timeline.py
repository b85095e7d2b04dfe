"""The steps of time in which a report counts records: round lengths, and not more steps than a screen has columns."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

MAX_STEPS: Final = 120
"""The most steps of a timeline. A narrow terminal joins some of them."""

_STEPS_S: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)
_DAY_S: Final = 86_400
_NEARLY_ALL: Final = 0.99
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Timeline:
    """The steps of a histogram. Steps of a day or less are aligned to the epoch, longer ones to their first day."""

    start: datetime  # of the first step, UTC
    step_s: int
    steps: int

    @property
    def end(self) -> datetime:
        """The end of the last step, or the greatest time that Python has."""
        try:
            return self.start + timedelta(seconds=self.step_s * self.steps)
        except OverflowError:
            return datetime.max.replace(tzinfo=UTC)


def plan_timeline(first_at: datetime, last_at: datetime) -> Timeline:
    """Return at most `MAX_STEPS` steps of a round length that reach from the first to the last record.

    >>> plan_timeline(datetime(2026, 3, 1, 12, 0, 7, tzinfo=UTC), datetime(2026, 3, 1, 12, 4, tzinfo=UTC)).step_s
    2
    """
    first, last = math.floor(first_at.timestamp()), math.floor(last_at.timestamp())
    start, step_s = next(
        (start, step_s)
        for step_s in _iter_steps_s()
        if last - (start := first // min(step_s, _DAY_S) * min(step_s, _DAY_S)) < step_s * MAX_STEPS
    )
    return Timeline(EPOCH + timedelta(seconds=start), step_s, (last - start) // step_s + 1)


def find_dense_part(counts: Sequence[int], small: int = 20) -> tuple[int, int] | None:
    """Return the first step and the end of the shortest part that has nearly all records, if it is a small part.

    A part is small if it has at most one of ``small`` steps.

    >>> find_dense_part([1, *[0] * 97, 500, 500]), find_dense_part([10] * 100)
    ((98, 100), None)
    """
    wanted = _NEARLY_ALL * sum(counts)
    best, start, within = (0, len(counts)), 0, 0
    for end, count in enumerate(counts, start=1):
        within += count
        while within - counts[start] >= wanted:
            within -= counts[start]
            start += 1
        if within >= wanted and end - start < best[1] - best[0]:
            best = (start, end)
    return best if (best[1] - best[0]) * small <= len(counts) else None


def plan_part(timeline: Timeline, start: int, end: int) -> Timeline:
    """Return a timeline of the steps from ``start`` to ``end``, which is excluded, with shorter steps."""
    first_at = timeline.start + timedelta(seconds=timeline.step_s * start)
    return plan_timeline(first_at, first_at + timedelta(seconds=timeline.step_s * (end - start) - 1))


def _iter_steps_s() -> Iterator[int]:
    yield from _STEPS_S
    days = 2
    while True:
        yield days * _DAY_S
        days *= 2
