"""Reads the date of a time stamp. ``native/stamp_date.c`` does the same in C."""

import re
from typing import Final

from puppylog.formats.dating import Dating, Order
from puppylog.formats.stamp_time import Parts

_DIGITS = re.compile(r"[0-9]{0,20}")
_WEEKDAY = re.compile(
    r"(?:mon(?:day)?|tue(?:sday)?|wed(?:nesday)?|thu(?:rsday)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?)(?![a-z])",
    re.IGNORECASE | re.ASCII,
)
_MONTH = re.compile(
    r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)(?![a-z])",
    re.IGNORECASE | re.ASCII,
)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NUMBER = re.compile(r"[0-9]{1,2}(?![0-9])")
_YEAR = re.compile(r"[0-9]{4}(?![0-9])")
_SIZE_OF_TWO: Final = 5  # of ``11.24``; a version such as ``1.24`` is not a date
_GLOG = re.compile(r" [0-9]{2}:")


def size_of_digits(text: str, at: int) -> int:
    """Return the number of digits at the index ``at``, at most 20."""
    match = _DIGITS.match(text, at)
    return len(match[0]) if match else 0


def skip_weekday(parts: Parts) -> bool:
    """Move after the name of a day, if there is one; return False if something other than a date follows it."""
    match = _WEEKDAY.match(parts.text, parts.at)
    if match is None:
        return True
    at = match.end() + parts.text.startswith(",", match.end())
    parts.at = at + 1
    return parts.text.startswith(" ", at)


def _take_month(parts: Parts) -> bool:
    match = _MONTH.match(parts.text, parts.at)
    if match is None:
        return False
    parts.month, parts.at = _MONTHS.index(match[0][:3].lower()) + 1, match.end()
    return True


def _take_number(parts: Parts) -> int | None:
    match = _NUMBER.match(parts.text, parts.at)
    if match is None:
        return None
    parts.at = match.end()
    return int(match[0])


def _take_year(parts: Parts) -> bool:
    match = _YEAR.match(parts.text, parts.at)
    if match is None:
        return False
    parts.year, parts.at = int(match[0]), match.end()
    return True


def _take(parts: Parts, character: str) -> bool:
    is_there = parts.text.startswith(character, parts.at)
    parts.at += is_there
    return is_there


def _take_optional_year(parts: Parts) -> None:
    """Read `` 2026`` or ``, 2026`` after a day and a month, if it follows."""
    start = parts.at
    _take(parts, ",")
    if not (_take(parts, " ") and _take_year(parts)):
        parts.at = start


def full_year(year: int) -> int:
    """Return the year of the last two digits of a year from 1970 to 2069."""
    return year + (2000 if year < 70 else 1900)


def _set_in_order(parts: Parts, dating: Dating, first: int, second: int) -> bool:
    """Set day and month from two numbers of which one is the month; return False if the order is not known."""
    order = dating.order
    if first > 12 or second > 12:
        order = Order.DAY_FIRST if first > 12 else Order.MONTH_FIRST
        dating.order = order if dating.order in {Order.UNKNOWN, order} else Order.MIXED
    elif first != second and order not in {Order.MONTH_FIRST, Order.DAY_FIRST}:
        return False
    parts.month, parts.day = (second, first) if order is Order.DAY_FIRST else (first, second)
    return True


def _set_short_date(parts: Parts, dating: Dating, numbers: tuple[int, int, int], *, has_dots: bool) -> bool:
    """Set the date from three numbers of at most two digits: by custom yy/mm/dd, yy-mm-dd or dd.mm.yy.

    If the first number can be a month, the last one is the year. A stamp that the other custom puts into the year of
    the file is refused.
    """
    first, second, third = numbers
    if not has_dots and first <= 12:
        parts.year = full_year(third)
        return _set_in_order(parts, dating, first, second)
    year, day = (third, first) if has_dots else (first, third)
    now = dating.calendar.year % 100 if dating.calendar is not None else None
    if now is not None and year != now and day == now:
        return False
    parts.year, parts.month, parts.day = full_year(year), second, day
    return True


def read_year_first(parts: Parts) -> bool:
    """Read a date that begins with four digits; return False if there is none."""
    text, start = parts.text, parts.at
    _take_year(parts)
    if _GLOG.match(text, parts.at):  # mmdd of glog, whose times have six digits of a fraction
        parts.year, parts.month, parts.day = None, int(text[start : start + 2]), int(text[start + 2 : start + 4])
        return True
    between = text[parts.at : parts.at + 1]
    if between not in {"-", "/", ".", ":", " "}:
        return False
    parts.at += 1
    if between in ".:" or not _take_month(parts):
        month = _take_number(parts) if between != " " else None
        if month is None:
            return False
        parts.month = month
    if not _take(parts, between):
        return False
    if between == " ":
        _take(parts, " ")
    day = _take_number(parts)
    parts.day = day or 0
    return day is not None


def read_number_first(parts: Parts, dating: Dating) -> bool:
    """Read a date that begins with one or two digits; return False if there is none."""
    start = parts.at
    first = _take_number(parts) or 0
    between = parts.text[parts.at : parts.at + 1]
    if between not in {"/", "-", ".", " "}:
        return False
    parts.at += 1
    if between != "." and _take_month(parts):
        parts.day = first
        return _read_year_after_name(parts, between)
    second = _take_number(parts) if between != " " else None
    if second is None:
        return False
    parts.month, parts.day = first, second
    if parts.text.startswith(" ", parts.at) and (between != "." or parts.at - start == _SIZE_OF_TWO):
        parts.is_short, parts.is_dashed = True, between == "-"
        return True
    return _take(parts, between) and _read_last_number(parts, dating, first, second, between)


def _read_year_after_name(parts: Parts, between: str) -> bool:
    """Read the year of ``24-Nov-2026`` or ``24 Nov 2026``, which may have no year."""
    if between != " ":
        return _take(parts, between) and _take_any_year(parts)
    _take_optional_year(parts)
    return True


def _read_last_number(parts: Parts, dating: Dating, first: int, second: int, between: str) -> bool:
    """Read the third number of a date: the year, or the day after a short year."""
    if _take_year(parts):
        if between != ".":
            return _set_in_order(parts, dating, first, second)
        parts.month, parts.day = second, first
        return True
    third = _take_number(parts) if size_of_digits(parts.text, parts.at) == 2 else None
    return third is not None and _set_short_date(parts, dating, (first, second, third), has_dots=between == ".")


def _take_any_year(parts: Parts) -> bool:
    """Read a year of four or two digits."""
    if size_of_digits(parts.text, parts.at) == 2:
        parts.year = full_year(_take_number(parts) or 0)
        return True
    return _take_year(parts)


def read_month_first(parts: Parts) -> bool:
    """Read ``Nov 24``, ``Nov 24 2026``, ``November 24, 2026``, ``Nov-24-2026`` or ``Nov-24-26``."""
    if not _take_month(parts):
        return False
    between = parts.text[parts.at : parts.at + 1]
    if between not in {" ", "-", "/"}:
        return False
    parts.at += 1
    if between == " ":
        _take(parts, " ")
    day = _take_number(parts)
    if day is None:
        return False
    parts.day = day
    if between != " ":
        return _take(parts, between) and _take_any_year(parts)
    _take_optional_year(parts)
    return True


def settle_short_date(parts: Parts, dating: Dating) -> bool:
    """Return whether the day of a stamp such as ``11-24 10:00:00.123`` is known.

    Android writes the month first, and three digits of a fraction.
    """
    if parts.is_dashed and parts.fraction_digits == 3:
        return True
    return _set_in_order(parts, dating, parts.month, parts.day)
