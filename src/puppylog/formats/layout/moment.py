"""Assembles the time of a record from its parts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from puppylog.formats.clock import (
    OutOfRange,
    Stamp,
    parse_access,
    parse_epoch,
    parse_iso,
    parse_month,
    parse_zone_m,
    to_epoch_us,
)
from puppylog.formats.layout.program import Day, Kind
from puppylog.formats.rows import NO_TIME


class Malformed(ValueError):
    """The text does not have the form of its kind."""


@dataclass(slots=True)
class Moment:
    """The parts of a time that were read so far. `resolve` checks their ranges."""

    year: int = 0
    month: int = 0
    day: int = 0
    hour: int = 0
    minute: int = 0
    second: int = 0
    half_day: int = -1  # 0 for AM, 1 for PM
    fraction_us: int = 0
    zone_m: int | None = None
    whole: Stamp | None = None

    def read(self, kind: Kind, text: bytes) -> None:
        """Read a part of the time, or a whole time.

        Raises:
            Malformed: the text does not have the form of its kind.
            OutOfRange: there is no such time.
        """
        if kind in _WHOLE:
            stamp = _WHOLE[kind](text.decode("latin-1"))
            if stamp is None:
                raise Malformed
            self.whole = stamp
        else:
            _PARTS[kind](self, text)

    def resolve(self, *, has_parts: bool, is_utc: bool) -> tuple[int, bool]:
        """Return the time in microseconds since the epoch, and whether it is local time because no zone is known.

        Args:
            has_parts: whether the layout has a time in parts.
            is_utc: whether a time without a zone is in UTC.

        Raises:
            OutOfRange: there is no such time.
        """
        if self.whole is not None:
            return self.whole.us + self.fraction_us, self.whole.is_local
        if not has_parts or not self.year:
            return NO_TIME, False
        hour = self.hour
        if self.half_day >= 0:
            if not 1 <= hour <= 12:
                raise OutOfRange
            hour = hour % 12 + 12 * self.half_day
        date, time = (self.year, self.month, self.day), (hour, self.minute, self.second)
        return to_epoch_us(date, time, self.zone_m or 0) + self.fraction_us, self.zone_m is None and not is_utc


def start_moment(day: Day) -> Moment:
    """Return the time of a line before its parts are read: only the day may be known."""
    return Moment(day.year, day.month, day.day)


def _number(text: bytes, *sizes: int) -> int:
    if len(text) not in sizes or not text.isdigit():
        raise Malformed
    return int(text)


def _read_two(name: str) -> Callable[[Moment, bytes], None]:
    def read(moment: Moment, text: bytes) -> None:
        setattr(moment, name, _number(text.replace(b" ", b"0", 1) if text[:1] == b" " else text, 2))

    return read


def _read_year(moment: Moment, text: bytes) -> None:
    moment.year = _number(text, 4)
    if moment.year == 0:
        raise OutOfRange


def _read_year_of_century(moment: Moment, text: bytes) -> None:
    year = _number(text, 2)
    moment.year = year + (1900 if year >= 69 else 2000)


def _read_month_name(moment: Moment, text: bytes) -> None:
    month = parse_month(text[:3].decode("latin-1"))
    if month is None:
        raise Malformed
    moment.month = month


def _read_half_day(moment: Moment, text: bytes) -> None:
    if text.upper() not in {b"AM", b"PM"}:
        raise Malformed
    moment.half_day = text.upper() == b"PM"


def _read_fraction(moment: Moment, text: bytes) -> None:
    if not text.isdigit():
        raise Malformed
    moment.fraction_us = int(text[:6].ljust(6, b"0"))


def _read_zone(moment: Moment, text: bytes) -> None:
    if len(text) != 5 or text[:1] not in {b"+", b"-"}:
        raise Malformed
    moment.zone_m = parse_zone_m(text[:1].decode(), _number(text[1:3], 2), _number(text[3:], 2))


def _read_date(moment: Moment, text: bytes) -> None:
    if len(text) != 10 or text[4:5] != b"-" or text[7:8] != b"-":
        raise Malformed
    month, day = _number(text[5:7], 2), _number(text[8:], 2)
    _read_year(moment, text[:4])
    moment.month, moment.day = month, day


def _read_time(moment: Moment, text: bytes) -> None:
    time, point, fraction = text.partition(b".")
    if len(time) not in {5, 8} or time[2:3] != b":" or (len(time) == 8 and time[5:6] != b":"):
        raise Malformed
    moment.hour, moment.minute = _number(time[:2], 2), _number(time[3:5], 2)
    if len(time) == 8:
        moment.second = _number(time[6:], 2)
    if point:
        _read_fraction(moment, fraction)


_WHOLE: Final = {Kind.ACCESS: parse_access, Kind.ISO: parse_iso, Kind.EPOCH: parse_epoch}
_PARTS: Final[dict[Kind, Callable[[Moment, bytes], None]]] = {
    Kind.YEAR: _read_year,
    Kind.YEAR_OF_CENTURY: _read_year_of_century,
    Kind.MONTH: _read_two("month"),
    Kind.MONTH_NAME: _read_month_name,
    Kind.DAY: _read_two("day"),
    Kind.HOUR: _read_two("hour"),
    Kind.HOUR_OF_TWELVE: _read_two("hour"),
    Kind.HALF_DAY: _read_half_day,
    Kind.MINUTE: _read_two("minute"),
    Kind.SECOND: _read_two("second"),
    Kind.FRACTION: _read_fraction,
    Kind.ZONE: _read_zone,
    Kind.DATE: _read_date,
    Kind.TIME: _read_time,
}
