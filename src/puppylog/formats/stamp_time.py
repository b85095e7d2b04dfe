"""Reads the time of a day and the zone of a time stamp. ``native/stamp_time.c`` does the same in C."""

import re
from dataclasses import dataclass
from typing import Final

from puppylog.formats.clock import MAX_ZONE_HOUR
from puppylog.formats.zones import AMBIGUOUS, AREAS, UNIVERSAL, ZONES

_CLOCK = re.compile(r"([0-9]{1,2})([:.-])([0-9]{2})(?![0-9])(?:\2([0-9]{2})(?![0-9]))?")
_COMPACT = re.compile(r"([0-9]{2})([0-9]{2})([0-9]{2})(?![0-9])")
_UNPADDED = re.compile(r"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,3})(?![0-9])")
_FRACTION = re.compile(r"([.,:])([0-9]{1,64})")
_HALF_DAY = re.compile(r"[ \u00a0\u202f]?([aApP])(?:(\.)[ \u00a0\u202f]?)?[mM](?![0-9A-Za-z])")
_OFFSET = re.compile(r"([+-])([0-9]+)(?::([0-9]{2})(?![0-9]))?")
_CITY = re.compile(r"([0-9A-Za-z]+)/([A-Z][0-9A-Za-z_+/-]{0,38})")
_REMARK = re.compile(r" \([A-Z][0-9A-Za-z ]{0,58}\)")
_NAME_WITHIN = re.compile(r" \(([A-Z]+)\)")
_NAME = re.compile(r"(\()?([A-Z]+)(\))?")
_MIN_NAME_LENGTH: Final = 2
_END = re.compile(r"(?![0-9A-Za-z])(?![:./+-][0-9])")


@dataclass(slots=True)
class Parts:
    """The parts of a stamp while it is read."""

    text: str
    at: int  # the index up to which the text was read
    is_whole: bool = False  # the stamp must be all of the text
    year: int | None = None
    month: int = 0
    day: int = 0
    hour: int = 0
    minute: int = 0
    second: int = 0
    fraction_us: int = 0
    fraction_digits: int = 0
    zone_m: int = 0  # minutes east of UTC
    has_zone: bool = False  # the stamp has an offset, or a name with one meaning
    has_dots: bool = False  # between hour, minute and second
    is_short: bool = False  # the date is two numbers only
    is_dashed: bool = False  # there is a dash between the two
    is_wrong: bool = False  # the stamp has the offset of no zone
    zone_name: str = ""


def ends_stamp_at(text: str, at: int) -> bool:
    """Return whether a stamp can end at the index ``at``: no word or number goes on there."""
    return _END.match(text, at) is not None


def read_clock(parts: Parts, *, may_have_no_seconds: bool) -> bool:
    """Read the time of a day and move after it; return False if there is none.

    Args:
        parts: are filled.
        may_have_no_seconds: whether ``10:00`` is a time.
    """
    match = _CLOCK.match(parts.text, parts.at)
    if match is None:
        return False
    parts.hour, parts.minute, parts.has_dots = int(match[1]), int(match[3]), match[2] == "."
    parts.at = match.end()
    if match[4]:
        parts.second = int(match[4])
        read_fraction(parts)
    elif not may_have_no_seconds or match[2] != ":":
        return False
    return _read_half_day(parts)


def read_compact_clock(parts: Parts) -> bool:
    """Read six digits as hour, minute and second; return False if there are no six."""
    match = _COMPACT.match(parts.text, parts.at)
    if match is None:
        return False
    parts.hour, parts.minute, parts.second = map(int, match.groups())
    parts.at = match.end()
    read_fraction(parts)
    return True


def read_unpadded_clock(parts: Parts) -> bool:
    """Read hour, minute, second and milliseconds without leading zeros; return False if there are no four numbers."""
    match = _UNPADDED.match(parts.text, parts.at)
    if match is None:
        return False
    parts.hour, parts.minute, parts.second = int(match[1]), int(match[2]), int(match[3])
    parts.fraction_us, parts.fraction_digits = int(match[4]) * 1000, 3
    parts.at = match.end()
    return True


def read_fraction(parts: Parts) -> None:
    """Read a fraction of a second, if there is one."""
    match = _FRACTION.match(parts.text, parts.at)
    if match is None:
        return
    size, following = len(match[2]), parts.text[match.end() : match.end() + 1]
    if match[1] == ":" and size != 3:
        return
    if match[1] == "," and size not in {3, 6, 9} and following == ",":
        return  # the next field of a line of CSV
    parts.fraction_us, parts.fraction_digits = int(match[2][:6].ljust(6, "0")), size
    parts.at = match.end()


def _read_half_day(parts: Parts) -> bool:
    """Read AM or PM, if it follows; return False if there is no such hour."""
    match = _HALF_DAY.match(parts.text, parts.at)
    if match is None:
        return True
    is_afternoon = match[1] in "pP"
    parts.at = match.end() + bool(match[2] and parts.text.startswith(".", match.end()))
    if parts.hour > 12:
        return is_afternoon
    if parts.hour == 0:
        return not is_afternoon
    parts.hour = parts.hour % 12 + (12 if is_afternoon else 0)
    return True


def read_zone(parts: Parts) -> None:
    """Read a zone, if there is one: Z, an offset, an abbreviation, or Area/City; with or without a blank before."""
    text, at = parts.text, parts.at
    if text[at : at + 1] in {"Z", "z"} and ends_stamp_at(text, at + 1):
        _set_zone(parts, _skip_repeated(text, at + 1, has_name=False), 0)
        return
    has_blank = text.startswith(" ", at)
    at += has_blank
    offset = _read_offset(parts, at, 3 if has_blank else 2)
    if offset is not None:
        _set_zone(parts, _skip_repeated(text, offset[0], has_name=False), offset[1])
    else:
        _read_name(parts, at)


def _set_zone(parts: Parts, end: int, zone_m: int) -> None:
    parts.at, parts.has_zone, parts.zone_m = end, True, zone_m


def _read_offset(parts: Parts, at: int, min_digits: int) -> tuple[int, int] | None:
    """Return the index after the offset at ``at`` and its minutes; None if there is none."""
    match = _OFFSET.match(parts.text, at)
    if match is None:
        return None
    digits, end, minute = match[2], match.end(), 0
    size = len(digits)
    if size <= 2 and match[3] is not None:
        minute = int(match[3])
    else:
        end = match.end(2)
    if size == 4:
        hour, minute = int(digits[:2]), int(digits[2:])
    elif size == 2 or (size == 1 and min_digits == 1):
        if end == match.end(2) and size < min_digits:
            return None
        hour = int(digits)
    elif size == 3 and min_digits == 2:  # DB2 writes minutes; others mean nothing known
        parts.is_wrong |= not parts.has_dots
        hour, minute = divmod(int(digits), 60)
    else:
        return None
    if not ends_stamp_at(parts.text, end):
        return None
    parts.is_wrong |= hour > MAX_ZONE_HOUR or minute > 59
    return end, (hour * 60 + minute) * (-1 if match[1] == "-" else 1)


def _read_city(text: str, at: int) -> int | None:
    """Return the index after a name such as Europe/Berlin at ``at``; None if there is none."""
    match = _CITY.match(text, at)
    if match is None or match[1] not in AREAS:
        return None
    end = match.start(2) + len(match[2].rstrip("_+/-"))
    return end if ends_word_at(text, end) else None


def ends_word_at(text: str, at: int) -> bool:
    """Return whether no ASCII letter or digit is at the index ``at``."""
    following = text[at : at + 1]
    return not (following.isascii() and following.isalnum())


def _skip_repeated(text: str, at: int, *, has_name: bool) -> int:
    """Return the index after what may repeat the zone: `` CET``, `` (CET)`` or ``[Europe/Berlin]``.

    After a name and an offset, which JavaScript writes, that may also be `` (Central European Time)``.
    """
    if text.startswith("[", at):
        city = _read_city(text, at + 1)
        return city + 1 if city is not None and text.startswith("]", city) else at
    remark = _REMARK.match(text, at) if has_name else None
    if remark is not None:
        return remark.end()
    within = _NAME_WITHIN.match(text, at)
    if within is not None:
        return within.end() if within[1] in ZONES or within[1] in AMBIGUOUS else at
    name = _NAME.match(text, at + 1) if text.startswith(" ", at) else None
    if name is None or name[1] or len(name[2]) < _MIN_NAME_LENGTH or not ends_stamp_at(text, name.end(2)):
        return at
    return name.end(2) if name[2] in ZONES or name[2] in AMBIGUOUS else at


def _read_name(parts: Parts, at: int) -> None:
    """Read the name of a zone at ``at``, in parentheses or without."""
    text = parts.text
    match = _NAME.match(text, at)
    if match is None or (match[1] and not match[3]):
        return
    name, end = match[2], match.end() if match[1] else match.end(2)
    if not match[1] and not ends_word_at(text, end):
        city = _read_city(text, at)
        if city is not None:
            parts.zone_name, parts.at = text[at:city], city
        return
    if name in ZONES:
        offset = _read_offset(parts, end, 1) if name in UNIVERSAL and not match[1] else None
        if offset is not None:
            _set_zone(parts, _skip_repeated(text, offset[0], has_name=True), offset[1])
        elif ends_stamp_at(text, end):
            _set_zone(parts, end, ZONES[name])
    elif ends_stamp_at(text, end) and name in AMBIGUOUS:
        parts.zone_name, parts.at = name, end
