"""Resolves stamps without a zone in the hour that clocks show twice when they are set back.

Such a stamp means one of two instants, and the order of the lines decides which. Lines are written in order of time,
with little disorder. So a stamp is taken to be of the first hour, unless it is then earlier than the stamp before by
more than the disorder: such a stamp is of the second hour. The last stamp is kept in the parser's context, so that a
parser that is opened within the hour decides in the same way.

Messages from the network come from many clocks, in no order, and arrive soon after they were sent. Their time of
arrival decides (`HourOfArrival`).
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
"""A stamp that is earlier than the stamp before by at most this much is of the same hour.

With a larger value, logs with few lines would miss the start of the second hour.
"""


class RepeatedHour:
    """The last local stamp of a file, if it is in the repeated hour."""

    def __init__(self, last_us: int | None = None) -> None:
        self._last_us = last_us

    @classmethod
    def open(cls, context: str) -> tuple[str, Self]:
        """Return a parser's context without the part that `extend` added, and the object that this part describes."""
        match = _CONTEXT.fullmatch(context)
        assert match is not None  # noqa: S101 - the expression matches every text
        return match[1], cls(None if match[2] is None else int(match[2]))

    def extend(self, context: str) -> str:
        """Return the context with the last stamp added; outside the repeated hour that is the context itself."""
        return context if self._last_us is None else f"{context}\nfold {self._last_us}"

    def resolve(self, wall_us: pa.Array, zone: ZoneInfo) -> pa.Array:
        """Return the instants of local times as int64: microseconds since the epoch.

        Args:
            wall_us: int64: local times in the order of the file, in microseconds counted as if they were in UTC.
            zone: the time zone of the local times.
        """
        first, second = (_assume(wall_us, zone, which) for which in ("earliest", "latest"))
        if not len(wall_us):
            return first
        is_ambiguous = pc.not_equal(first, second)
        if not pc.any(is_ambiguous).as_py():
            self._last_us = None
            return first
        instants = self._choose(view_integers(first), view_integers(second))
        self._last_us = instants[-1] if is_ambiguous[-1].as_py() else None
        return pa.array(instants, pa.int64())

    def _choose(self, first: Sequence[int], second: Sequence[int]) -> list[int]:
        """Return the instant of each stamp: its value in ``first`` or its value in ``second``.

        The difference to the stamp before, both taken to be of the first hour, decides. If it is negative by more than
        the disorder, the stamp is of the second hour. If it is about an hour or more, the stamp is of the first hour.
        Otherwise the stamp is of the hour of the stamp before, or of the first hour if that stamp is not ambiguous.

        Args:
            first: the instants if all stamps are of the first hour, in microseconds since the epoch.
            second: the instants if all stamps are of the second hour. Stamps outside the repeated hour have the same
                value in both.
        """
        instants = []
        before = first[0] if self._last_us is None else self._last_us
        is_known = True  # whether the stamp before means one instant only, or is the remembered stamp
        is_second = False
        for early, late in zip(first, second, strict=True):
            is_back = early - before < -_DISORDER_US
            if is_back or is_known or early - before >= late - early - _DISORDER_US:
                is_second = is_back
            instants.append(late if is_second else early)
            before, is_known = early, early == late
        return instants


class HourOfArrival:
    """Resolves the stamps of messages that arrived at one time: each stamp means the instant nearest to that time."""

    def __init__(self, arrived_at_us: int) -> None:
        self._arrived_at = pa.scalar(arrived_at_us, pa.int64())

    def resolve(self, wall_us: pa.Array, zone: ZoneInfo) -> pa.Array:
        """Return the instants of local times; see `RepeatedHour.resolve`."""
        first, second = (_assume(wall_us, zone, which) for which in ("earliest", "latest"))
        to_first, to_second = (pc.abs(pc.subtract(instants, self._arrived_at)) for instants in (first, second))
        return pc.if_else(pc.less_equal(to_first, to_second), first, second)


def _assume(wall_us: pa.Array, zone: ZoneInfo, which: str) -> pa.Array:
    wall = wall_us.view(pa.timestamp("us"))
    return pc.assume_timezone(wall, zone.key, ambiguous=which, nonexistent="earliest").view(pa.int64())
