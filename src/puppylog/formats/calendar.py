"""Finds the year of stamps that have no year.

The first stamp gets the latest year in which the stamp is not after the day when the file was last modified, because a
line is not written before its time. Each further stamp gets the year in which its month is nearest to the month of the
stamp before: January after December is in the next year, and a late line of December is in the old year. If two years
are equally near, the stamp gets the year of the stamp before.

The calendar keeps only the year and the month. So the context, which is stored with every position, changes seldom.

Messages from the network come from many clocks, and arrive soon after they were sent. So their calendar is fixed: each
stamp gets the latest year in which the stamp is not after the day of arrival, regardless of the stamp before.
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
    """The date from which a stamp without a year gets its year."""

    year: int
    month: int
    day: int = 0
    """Before the first stamp: year, month and day are the latest date of that stamp. After a stamp: 0."""
    is_fixed: bool = False
    """Whether year, month and day stay the latest date of every stamp."""

    @classmethod
    def open(cls, context: str, year: int | None, modified_at_us: int | None) -> Self:
        """Return a calendar that continues after the lines of ``context``, or that begins with the first stamp.

        Args:
            context: the context of another calendar. An invalid context counts as none.
            year: the year of the first stamp, or None.
            modified_at_us: the time when the file was last modified, in microseconds since the epoch; None for now. If
                ``year`` is None, the first stamp is at most one day after this time.
        """
        match = _CONTEXT.fullmatch(context)
        if match is not None and FIRST_YEAR <= int(match[1]) <= LAST_YEAR:
            return cls(int(match[1]), int(match[2]))
        if year is not None:
            return cls(year, 12, 31)
        latest = _read_instant(modified_at_us) + _SLACK
        return cls(latest.year, latest.month, latest.day)

    @classmethod
    def open_at_arrival(cls, arrived_at_us: int) -> Self:
        """Return the fixed calendar of messages that arrived at this time, in microseconds since the epoch."""
        latest = _read_instant(arrived_at_us) + _SLACK
        return cls(latest.year, latest.month, latest.day, is_fixed=True)

    @property
    def context(self) -> str:
        return "" if self.day else f"{self.year:04}-{self.month:02}"

    def find_year(self, month: int, day: int) -> int:
        """Return the year of a stamp with this month and day."""
        if self.day:
            return self.year - ((month, day) > (self.month, self.day))
        ahead = month - self.month
        return self.year + (ahead < -6) - (ahead > 6)

    def remember(self, year: int, month: int) -> None:
        """Keep the year and the month of the stamp that was read last, unless the calendar is fixed."""
        if self.is_fixed:
            return
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
