"""Stamps as microseconds since the epoch. ``native/clock.c`` says the same in C.

A stamp is None where there is no such stamp at all, and raises where there is one that names no instant.
"""

import re
from calendar import timegm
from dataclasses import dataclass
from datetime import datetime
from typing import Final

FIRST_YEAR, LAST_YEAR = 2, 9998
"""A zone may move a time into the next year, and Python knows only 1 to 9999."""

LARGEST_ZONE_HOUR: Final = 14
LARGEST_SECOND: Final = 60  # a leap second

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
    """A stamp that is formed as it should, and names a day or a time that there is not."""


@dataclass(frozen=True, slots=True)
class Stamp:
    us: int  # microseconds since the epoch
    is_local: bool = False  # it names no zone: ``us`` is what the clock on the wall showed


def parse_access(text: str) -> Stamp | None:
    """Parse ``dd/Mon/yyyy:HH:MM:SS +zzzz``, all of ``text``."""
    match = _ACCESS.fullmatch(text)
    if match is None or match[2] not in _MONTHS:
        return None
    day, year, hour, minute, second = map(int, match.group(1, 3, 4, 5, 6))
    zone_m = parse_zone_m(match[7], int(match[8]), int(match[9]))
    return Stamp(to_epoch_us((year, _MONTHS[match[2]], day), (hour, minute, second), zone_m))


def parse_iso(text: str) -> Stamp | None:
    """Parse ``yyyy-mm-ddTHH:MM:SS``, all of ``text``.

    A blank may stand for the T, slashes for the dashes; a fraction of seconds may follow, after a point or a comma, and
    a zone: Z, or a sign and hh, hhmm or hh:mm, with or without a blank before. What is below microseconds is dropped.
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
    """Parse digits, and perhaps a point and more: a number of seconds, milli-, micro- or nanoseconds since the epoch.

    Up to 10^11 it is seconds, which reach to the year 5138; then the smaller units take over, a thousandfold each.
    """
    match = _EPOCH.fullmatch(text)
    if match is None:
        return None
    whole = int(match[1])
    digits = next(digits for limit, digits in ((11, 9), (14, 6), (17, 3), (20, 0)) if whole < 10**limit)
    fraction_ns = int((match[2] or "")[:digits].ljust(digits, "0") or "0")
    return Stamp((whole * 10**digits + fraction_ns) // 1000)


def parse_month(name: str) -> int | None:
    """Return 1 to 12 for Jan to Dec."""
    return _MONTHS.get(name)


def parse_zone_m(sign: str, hour: int, minute: int) -> int:
    """Return the minutes that a zone is east of Greenwich.

    Raises:
        OutOfRange: there is no such zone.
    """
    if hour > LARGEST_ZONE_HOUR or minute > 59:
        raise OutOfRange
    return (hour * 60 + minute) * (-1 if sign == "-" else 1)


def to_epoch_us(date: tuple[int, int, int], time: tuple[int, int, int], zone_m: int) -> int:
    """Return the instant in microseconds since the epoch.

    Args:
        date: year, month and day.
        time: hour, minute and second.
        zone_m: the zone, in minutes east of Greenwich.

    Raises:
        OutOfRange: there is no such day or time.
    """
    (year, month, day), (hour, minute, second) = date, time
    if not FIRST_YEAR <= year <= LAST_YEAR or second > LARGEST_SECOND:
        raise OutOfRange
    try:
        moment = datetime(year, month, day, hour, minute)  # noqa: DTZ001 - only a day that there is, and its time
    except ValueError:
        raise OutOfRange from None
    return (timegm(moment.timetuple()) - zone_m * 60 + second) * 1_000_000
