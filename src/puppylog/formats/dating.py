"""What the time stamps of a file say about each other: the year, and the order of day and month."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from puppylog.formats.calendar import Calendar


class Order(IntEnum):
    """Which number of ``03/04/2026`` is the month, as far as the stamps before have shown it."""

    UNKNOWN = 0
    MONTH_FIRST = 1
    DAY_FIRST = 2
    MIXED = 3


class Heads(IntEnum):
    """Where the first record with a time has its stamp. Files with stamps at the start have none after ids."""

    UNKNOWN = 0
    AT_START = 1
    BEHIND_IDS = 2


@dataclass(slots=True)
class Dating:
    """What the stamps of a file say about each other."""

    calendar: Calendar | None = None
    """Gives the year of stamps without a year, and is updated; None: such stamps are refused."""
    order: Order = Order.UNKNOWN
    heads: Heads = Heads.UNKNOWN

    @classmethod
    def open(cls, context: str, year: int | None, modified_at_us: int | None) -> Self:
        """Return the dating that continues after the lines of ``context``; see `Calendar.open` for the arguments."""
        rest, _, numbers = context.partition("/")
        order, _, heads = numbers.partition("/")
        known = Order(int(order)) if order in {"1", "2", "3"} else Order.UNKNOWN
        place = Heads(int(heads)) if heads in {"1", "2"} else Heads.UNKNOWN
        return cls(Calendar.open(rest, year, modified_at_us), known, place)

    def for_native(self) -> tuple[int, int, int, bool, int]:
        """Return what native readers take: year, month, day and whether the calendar is fixed, and the order."""
        known = self.calendar
        date = (0, 0, 0, False) if known is None else (known.year, known.month, known.day, known.is_fixed)
        return *date, int(self.order)

    def take(self, year: int, month: int, day: int, order: int) -> None:
        """Take what a native reader returns: the calendar and the order after its stamps."""
        if self.calendar is not None:
            self.calendar.year, self.calendar.month, self.calendar.day = year, month, day
        self.order = Order(order)

    @property
    def context(self) -> str:
        """What a parser must keep to continue after the stamps so far."""
        kept = self.calendar.context if self.calendar is not None else ""
        if self.heads:
            return f"{kept}/{int(self.order)}/{int(self.heads)}"
        return f"{kept}/{int(self.order)}" if self.order else kept
