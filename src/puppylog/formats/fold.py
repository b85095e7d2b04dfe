"""The hour that clocks show twice when they are set back, for stamps that name no zone.

Such a stamp may mean two instants. The order of the file decides. Lines follow one another in time, so the first hour
is meant unless that goes back behind the stamp before by more than lines are out of order: then the second hour has
come. What was decided last is remembered, also in the parser's context: a restart within the hour decides alike.
"""

import re
from typing import Final, Self
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.words import Flags, Positions

_CONTEXT: Final = re.compile(r"(.*?)(?:\nfold (-?[0-9]{1,18}))?", re.DOTALL)

_DISORDER_US: Final = 15 * 60 * 1_000_000
"""A line so far behind the one before is of the same hour. If it were more, quiet logs would miss the second hour."""


class Fold:
    """The last local stamp of a file, if it was one of the hour that comes twice."""

    def __init__(self, last_us: int | None = None) -> None:
        self._last_us = last_us

    @classmethod
    def open(cls, context: str) -> tuple[str, Self]:
        """Return the rest of a parser's context, and what `extend` has added to it."""
        match = _CONTEXT.fullmatch(context)
        assert match is not None  # noqa: S101 - the expression matches every text
        return match[1], cls(None if match[2] is None else int(match[2]))

    def extend(self, context: str) -> str:
        """Return the context with what is remembered here; mostly it is nothing."""
        return context if self._last_us is None else f"{context}\nfold {self._last_us}"

    def resolve(self, wall_us: Positions, zone: ZoneInfo) -> Positions:
        """Return the instants that were meant, in microseconds since the epoch.

        Args:
            wall_us: what the clock on the wall showed, in the order of the file.
            zone: where the clock hung.
        """
        first, second = (_assume(wall_us, zone, which) for which in ("earliest", "latest"))
        is_twice = first != second
        if not wall_us.size:
            return first
        is_second = self._choose(first, second, is_twice) if is_twice.any() else is_twice
        instants: Positions = np.where(is_second, second, first)
        self._last_us = int(instants[-1]) if is_twice[-1] else None
        return instants

    def _choose(self, first: Positions, second: Positions, is_twice: Flags) -> Flags:
        """Return which stamps are of the second hour.

        The step from the stamp before, as if both were of the first hour, says it where it goes back, or on by about an
        hour. A step that says nothing leaves it as it was.
        """
        before = np.concatenate([[first[0] if self._last_us is None else self._last_us], first[:-1]])
        step = first - before
        is_back = step < -_DISORDER_US
        is_known = ~np.concatenate([[False], is_twice[:-1]])  # the stamp before meant one instant, or is remembered
        is_decided = is_back | is_known | (step >= second - first - _DISORDER_US)
        decided = np.where(is_decided, np.arange(first.size), 0)
        at: Positions = np.maximum.accumulate(decided)
        chosen: Flags = is_twice & is_back[at]
        return chosen


def _assume(wall_us: Positions, zone: ZoneInfo, which: str) -> Positions:
    wall = pa.array(wall_us).view(pa.timestamp("us"))
    zoned = pc.assume_timezone(wall, zone.key, ambiguous=which, nonexistent="earliest")
    return np.asarray(zoned.view(pa.int64()))
