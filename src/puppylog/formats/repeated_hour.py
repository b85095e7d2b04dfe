"""The hour that clocks show twice when they are set back, for stamps that name no zone.

Such a stamp may mean two instants. The order of the file decides. Lines follow one another in time, so the first hour
is meant unless that goes back behind the stamp before by more than lines are out of order: then the second hour has
come. What was decided last is remembered, also in the parser's context: a restart within the hour decides alike.
"""

import re
from collections.abc import Sequence
from typing import Final, Self
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.integers import view_integers

_CONTEXT: Final = re.compile(r"(.*?)(?:\nfold (-?[0-9]{1,18}))?", re.DOTALL)

_DISORDER_US: Final = 15 * 60 * 1_000_000
"""A line so far behind the one before is of the same hour. If it were more, quiet logs would miss the second hour."""


class RepeatedHour:
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

    def resolve(self, wall_us: pa.Array, zone: ZoneInfo) -> pa.Array:
        """Return the instants that were meant: int64, microseconds since the epoch.

        Args:
            wall_us: int64: what the clock on the wall showed, in the order of the file.
            zone: where the clock hung.
        """
        first, second = (_assume(wall_us, zone, which) for which in ("earliest", "latest"))
        if not len(wall_us):
            return first
        is_twice = pc.not_equal(first, second)
        if not pc.any(is_twice).as_py():
            self._last_us = None
            return first
        instants = self._choose(view_integers(first), view_integers(second))
        self._last_us = instants[-1] if is_twice[-1].as_py() else None
        return pa.array(instants, pa.int64())

    def _choose(self, first: Sequence[int], second: Sequence[int]) -> list[int]:
        """Return the instant of each stamp, which differ where the clock showed the stamp twice.

        The step from the stamp before, as if both were of the first hour, decides where the step goes back, or forward
        by about an hour. Another step decides nothing: the stamp is of the same hour as the one before.
        """
        instants = []
        before = first[0] if self._last_us is None else self._last_us
        is_known = True  # the stamp before meant one instant, or is remembered
        is_second = False
        for early, late in zip(first, second, strict=True):
            is_back = early - before < -_DISORDER_US
            if is_back or is_known or early - before >= late - early - _DISORDER_US:
                is_second = is_back
            instants.append(late if is_second else early)
            before, is_known = early, early == late
        return instants


def _assume(wall_us: pa.Array, zone: ZoneInfo, which: str) -> pa.Array:
    wall = wall_us.view(pa.timestamp("us"))
    return pc.assume_timezone(wall, zone.key, ambiguous=which, nonexistent="earliest").view(pa.int64())
