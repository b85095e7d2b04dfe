"""Reads a time stamp of any style to microseconds since the epoch. ``native/stamp.c`` does the same in C.

Read are ISO 8601, with a T, a blank or other marks between date and time; ``yyyy/mm/dd``, ``dd/Mon/yyyy``,
``dd-Mon-yyyy``, ``dd Mon yyyy``, ``Mon dd yyyy``, the forms of ctime, RFC 2822 and JavaScript; ``dd.mm.yyyy``;
``yy/mm/dd``; ``mm/dd/yyyy``, with AM or PM; ``yymmdd HH:MM:SS``; ``mmdd HH:MM:SS.ffffff``; BSD's ``Mon dd HH:MM:SS``;
``yyyymmdd-H:M:S:ms`` without leading zeros; ``mm.dd HH:MM:SS``; and seconds, milli-, micro- and nanoseconds since the
epoch, from 2001 to 2100, also as the labels of TAI64N, ``@4000…``, and those of OpenLDAP, ``6b056020.075bcd15 0x…``. A
time without a date is not a stamp.

A stamp that could mean several days or times is refused, because a wrong time is worse than none:

- ``03/04/2026`` and ``03.04`` are read only after a stamp of the same file with a number above 12 has shown the order.
- An abbreviation with several meanings, such as CST, is given back in ``zone_name``; the time is then local.
- A stamp without a year gets it from `puppylog.formats.calendar`.
"""

import re
from dataclasses import dataclass
from typing import Final

from puppylog.formats import clock
from puppylog.formats.dating import Dating
from puppylog.formats.stamp_date import (
    full_year,
    read_month_first,
    read_number_first,
    read_year_first,
    settle_short_date,
    size_of_digits,
    skip_weekday,
)
from puppylog.formats.stamp_time import (
    Parts,
    ends_stamp_at,
    read_clock,
    read_compact_clock,
    read_unpadded_clock,
    read_zone,
)


@dataclass(frozen=True, slots=True)
class Found:
    """A stamp in a text."""

    us: int  # microseconds since the epoch
    is_local: bool  # the stamp names no zone, or ``zone_name`` does: ``us`` is local time, counted as if in UTC
    end: int  # the index after the stamp
    zone_name: str = ""  # an abbreviation with several meanings, or Area/City


_BETWEEN = re.compile(r",? at {1,2}|, {0,2}|\]\[|[Tt_:|\-\t]| {1,2}")
_TAI64N = re.compile(r"@(4[0-9a-f]{15})([0-9a-f]{8})(?![0-9A-Za-z])")
_OPENLDAP = re.compile(r"([0-9a-f]{8})\.([0-9a-f]{8})(?= 0x[0-9a-f])")
_LATER_YEAR = re.compile(r" ([0-9]{4})(?![0-9])")
_EPOCH_FRACTION = re.compile(r"\.[0-9]{1,20}")
_EPOCH_GOES_ON = re.compile(r"[0-9A-Za-z_./@+-]")

_SURE_YEARS: Final = range(1970, 2100)
_EPOCH_S: Final = range(1_000_000_000, 4_102_444_800)  # 2001-09-09, when they have ten digits, to 2100-01-01
_EPOCH_UNITS: Final = {10: 1, 13: 1000, 16: 1_000_000, 19: 1_000_000_000}
_TAI64_EPOCH: Final = (1 << 62) + 10  # TAI was ten seconds ahead in 1970; daemontools count no leap second since
_NS: Final = 1_000_000_000
_COMPACT_SIZES: Final = {6, 8, 14}


def read_stamp(text: str, at: int = 0, dating: Dating | None = None, *, is_whole: bool = False) -> Found | None:
    """Return the stamp that begins at the index ``at``; None if there is none, or if it is refused.

    Args:
        text: any text.
        at: the index at which the stamp begins.
        dating: what the stamps before it have shown; is updated. None: nothing, and stamps without a year are refused.
        is_whole: whether the stamp must be all of the text.
    """
    known = dating if dating is not None else Dating()
    parts, order = Parts(text, at, is_whole=is_whole), known.order
    found = _read(parts, known)
    if found is None:
        known.order = order
    return found


def find_stamp(text: str, at: int = 0, dating: Dating | None = None) -> Found | None:
    """Do the same as `read_stamp` after blanks, quotes and opening brackets at the index ``at``."""
    end = len(text)
    while at < end and text[at] in " \t[(<\"'":
        at += 1
    return read_stamp(text, at, dating)


def _read(parts: Parts, dating: Dating) -> Found | None:
    text, at = parts.text, parts.at
    label = _TAI64N.match(text, at) or _OPENLDAP.match(text, at)
    if label is not None:
        return _read_label(label, parts, _TAI64_EPOCH if text[at] == "@" else 0)
    if not size_of_digits(text, at) and not skip_weekday(parts):
        return None
    digits = size_of_digits(text, parts.at)
    if digits in _EPOCH_UNITS:
        return _read_epoch(parts, digits) if parts.at == at else None
    return _finish(parts, dating) if _read_parts(parts, dating, digits) else None


def _read_parts(parts: Parts, dating: Dating, digits: int) -> bool:
    """Read the date and the time of day; ``digits`` is the number of digits at the start."""
    if digits in _COMPACT_SIZES:
        return _read_compact(parts, digits)
    if digits == 0:
        is_read = read_month_first(parts)
    elif digits <= 2:
        is_read = read_number_first(parts, dating)
    else:
        is_read = digits == 4 and read_year_first(parts)
    may_have_no_seconds = parts.year is not None and parts.text.startswith(("T", "t", " ", ","), parts.at)
    if not is_read or not _skip_between(parts) or not read_clock(parts, may_have_no_seconds=may_have_no_seconds):
        return False
    if parts.is_short:
        return settle_short_date(parts, dating)
    return digits != 4 or parts.year is not None or parts.fraction_digits == 6


def _skip_between(parts: Parts) -> bool:
    """Move from the date to the time."""
    match = _BETWEEN.match(parts.text, parts.at)
    if match is None:
        return False
    parts.at = match.end()
    return True


def _read_compact(parts: Parts, size: int) -> bool:
    """Read ``yyyymmdd``, ``yyyymmddHHMMSS`` or ``yymmdd``, and the time after it."""
    text, start = parts.text, parts.at
    at = start + (2 if size == 6 else 4)
    parts.year = full_year(int(text[start:at])) if size == 6 else int(text[start:at])
    if parts.year not in _SURE_YEARS:
        return False
    parts.month, parts.day, parts.at = int(text[at : at + 2]), int(text[at + 2 : at + 4]), at + 4
    if size == 14:
        return read_compact_clock(parts)
    if not _skip_between(parts):
        return False
    return (
        read_compact_clock(parts)
        or (text[parts.at - 1] == "-" and read_unpadded_clock(parts))
        or read_clock(parts, may_have_no_seconds=False)
    )


def _read_epoch(parts: Parts, size: int) -> Found | None:
    """Read the seconds, milli-, micro- or nanoseconds since the epoch."""
    text, at = parts.text, parts.at
    end = at + size
    if int(text[at:end]) // _EPOCH_UNITS[size] not in _EPOCH_S:
        return None
    fraction = _EPOCH_FRACTION.match(text, end)
    if fraction is not None:
        end = fraction.end()
    if _EPOCH_GOES_ON.match(text, end) or (fraction is None and text.startswith(":", end)):
        return None
    if parts.is_whole and end < len(text):
        return None
    stamp = clock.parse_epoch(text[at:end])
    return Found(stamp.us, False, end) if stamp is not None else None


def _read_label(label: re.Match[str], parts: Parts, epoch: int) -> Found | None:
    """Read the seconds after the epoch and the nanoseconds, both in hexadecimal digits."""
    seconds, ns = int(label[1], 16) - epoch, int(label[2], 16)
    if seconds not in _EPOCH_S or ns >= _NS or (parts.is_whole and label.end() < len(parts.text)):
        return None
    return Found(seconds * 1_000_000 + ns // 1000, False, label.end())


def _finish(parts: Parts, dating: Dating) -> Found | None:
    """Read what follows the time, and return the stamp."""
    read_zone(parts)
    if parts.year is None:
        _read_later_year(parts)
    if parts.is_wrong or not ends_stamp_at(parts.text, parts.at) or (parts.is_whole and parts.at < len(parts.text)):
        return None
    if parts.has_dots and 0 < parts.fraction_digits < 4:
        return None  # 10.20.30.40 is an address
    calendar = dating.calendar if parts.year is None else None
    year = calendar.find_year(parts.month, parts.day) if calendar is not None else parts.year
    if year is None:
        return None
    try:
        us = clock.to_epoch_us((year, parts.month, parts.day), (parts.hour, parts.minute, parts.second), parts.zone_m)
    except clock.OutOfRange:
        return None
    if calendar is not None:
        calendar.remember(year, parts.month)
    return Found(us + parts.fraction_us, not parts.has_zone, parts.at, parts.zone_name)


def _read_later_year(parts: Parts) -> None:
    """Read the year after the time, and a zone after it."""
    match = _LATER_YEAR.match(parts.text, parts.at)
    if match is None or not ends_stamp_at(parts.text, match.end()) or int(match[1]) not in range(1900, 2100):
        return
    parts.year, parts.at = int(match[1]), match.end()
    if not parts.has_zone and not parts.zone_name:
        read_zone(parts)
