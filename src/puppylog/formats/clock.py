"""Parses time stamps to microseconds since the epoch. ``native/clock.c`` does the same in C.

A function returns None if the text does not have the form of the stamp. It raises `OutOfRange` if the text has the form
but names a day or a time that does not exist.
"""

import re
from calendar import timegm
from dataclasses import dataclass
from datetime import datetime
from typing import Final

FIRST_YEAR, LAST_YEAR = 2, 9998
"""The first and last year that are read: a zone may move a time into the next year, and Python has years 1 to 9999."""

MAX_ZONE_HOUR: Final = 14
MAX_SECOND: Final = 60  # a leap second

_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}
_ACCESS = re.compile(
    r"([0-9]{2})/([A-Z][a-z]{2})/([0-9]{4}):([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-])([0-9]{2})([0-9]{2})"
)
_ISO = re.compile(
    r"([0-9]{4})([-/])([0-9]{2})\2([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:[.,]([0-9]+))?"
    r"(?:([Zz])| ?([+-])([0-9]{2})(?::?([0-9]{2}))?)?"
)
_EPOCH = re.compile(r"([0-9]{1,19})(?:\.([0-9]+))?")


class OutOfRange(ValueError):
    """The stamp has the right form but names a day or a time that does not exist."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """An instant, or a local time whose zone is unknown."""

    us: int  # microseconds since the epoch
    is_local: bool = False  # the stamp names no zone: ``us`` is local time, counted as if in UTC


def parse_access(text: str) -> Stamp | None:
    """Return the instant of ``dd/Mon/yyyy:HH:MM:SS +zzzz``; None if ``text`` as a whole does not have this form.

    Raises:
        OutOfRange: there is no such day, time or zone.
    """
    match = _ACCESS.fullmatch(text)
    if match is None or match[2] not in _MONTHS:
        return None
    day, year, hour, minute, second = map(int, match.group(1, 3, 4, 5, 6))
    zone_m = parse_zone_m(match[7], int(match[8]), int(match[9]))
    return Stamp(to_epoch_us((year, _MONTHS[match[2]], day), (hour, minute, second), zone_m))


def parse_iso(text: str) -> Stamp | None:
    """Return the instant of ``yyyy-mm-ddTHH:MM:SS``; None if ``text`` as a whole does not have this form.

    There may be a blank instead of the T, and slashes instead of the dashes. A fraction of a second may follow, after a
    point or a comma; digits below microseconds are ignored. A zone may follow, with or without a blank before: Z, or a
    sign and hh, hhmm or hh:mm.

    Raises:
        OutOfRange: there is no such day, time or zone.
    """
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = map(int, match.group(1, 3, 4, 5, 6, 7))
    fraction_us = int((match[8] or "")[:6].ljust(6, "0"))
    zone_m = parse_zone_m(match[10], int(match[11]), int(match[12] or 0)) if match[10] else 0
    us = to_epoch_us((year, month, day), (hour, minute, second), zone_m) + fraction_us
    return Stamp(us, is_local=not (match[9] or match[10]))


def parse_epoch(text: str) -> Stamp | None:
    """Return the instant of a number of seconds, milli-, micro- or nanoseconds since the epoch; None for other texts.

    The number has digits, and may have a point and more digits. Its size tells the unit: seconds below 10^11 (the year
    5138), milliseconds below 10^14, microseconds below 10^17, otherwise nanoseconds.
    """
    match = _EPOCH.fullmatch(text)
    if match is None:
        return None
    whole = int(match[1])
    digits = next(digits for limit, digits in ((11, 9), (14, 6), (17, 3), (20, 0)) if whole < 10**limit)
    fraction_ns = int((match[2] or "")[:digits].ljust(digits, "0") or "0")
    return Stamp((whole * 10**digits + fraction_ns) // 1000)


def parse_month(name: str) -> int | None:
    """Return 1 to 12 for Jan to Dec, None for other names."""
    return _MONTHS.get(name)


def parse_zone_m(sign: str, hour: int, minute: int) -> int:
    """Return the offset of a zone from UTC in minutes, positive in the east.

    Raises:
        OutOfRange: there is no such zone.
    """
    if hour > MAX_ZONE_HOUR or minute > 59:
        raise OutOfRange
    return (hour * 60 + minute) * (-1 if sign == "-" else 1)


def to_epoch_us(date: tuple[int, int, int], time: tuple[int, int, int], zone_m: int) -> int:
    """Return the instant in microseconds since the epoch.

    Args:
        date: year, month and day.
        time: hour, minute and second.
        zone_m: the offset of the zone from UTC, in minutes.

    Raises:
        OutOfRange: there is no such day or time.
    """
    (year, month, day), (hour, minute, second) = date, time
    if not FIRST_YEAR <= year <= LAST_YEAR or second > MAX_SECOND:
        raise OutOfRange
    try:
        moment = datetime(year, month, day, hour, minute)  # noqa: DTZ001 - only to check the day and the time
    except ValueError:
        raise OutOfRange from None
    return (timegm(moment.timetuple()) - zone_m * 60 + second) * 1_000_000
