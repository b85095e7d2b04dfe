"""The year of stamps that name none.

The first one is given the latest year that does not put it after the day when its file was last changed: what is
written is past. From then on the months decide: each stamp is given the year that brings it nearest to the month of the
one before, so that January after December is the next year's, and a line that is a little late still the old year's.
Half a year away, it stays in the same year.

Only the month is remembered. So the context, which is kept with every position, seldom changes.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from puppylog.formats.clock import FIRST_YEAR, LAST_YEAR

_CONTEXT = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SLACK = timedelta(days=1)  # zones are up to 14 hours apart, and clocks differ


@dataclass(slots=True)
class Calendar:
    year: int
    month: int
    day: int = 0
    """The first stamp's latest day; 0 when there was one: year and month are then those of the stamp before."""

    @classmethod
    def open(cls, context: str, year: int | None, modified_at_us: int | None) -> Self:
        """Begin where ``context`` says; without one, with ``year``, or at the latest a day after ``modified_at_us``.

        Args:
            context: that of another calendar; one that is not understood counts as none.
            year: of the first stamp, or None.
            modified_at_us: microseconds since the epoch, or None for now.
        """
        match = _CONTEXT.fullmatch(context)
        if match is not None and FIRST_YEAR <= int(match[1]) <= LAST_YEAR:
            return cls(int(match[1]), int(match[2]))
        if year is not None:
            return cls(year, 12, 31)
        latest = _read_instant(modified_at_us) + _SLACK
        return cls(latest.year, latest.month, latest.day)

    @property
    def context(self) -> str:
        return "" if self.day else f"{self.year:04}-{self.month:02}"

    def find_year(self, month: int, day: int) -> int:
        """Return the year of a stamp."""
        if self.day:
            return self.year - ((month, day) > (self.month, self.day))
        ahead = month - self.month
        return self.year + (ahead < -6) - (ahead > 6)

    def remember(self, year: int, month: int) -> None:
        """Remember the stamp that was read last."""
        self.year, self.month, self.day = year, month, 0


def _read_instant(modified_at_us: int | None) -> datetime:
    now = datetime.now(UTC)
    if modified_at_us is None:
        return now
    try:
        about = _EPOCH + timedelta(microseconds=modified_at_us)
    except OverflowError:
        return now
    return about if FIRST_YEAR <= about.year <= LAST_YEAR else now
