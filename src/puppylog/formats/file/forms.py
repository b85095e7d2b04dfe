"""Forms of time stamps, written with the directives of strftime, and read for a whole column of stamps at once.

A form becomes a regular expression, and the parts that it finds become numbers in Arrow arrays.
"""

import re
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.calendar import Calendar
from puppylog.formats.clock import FIRST_YEAR, LAST_YEAR, MAX_SECOND, MAX_ZONE_HOUR
from puppylog.formats.dating import Dating
from puppylog.formats.zones import ZONES

_DIRECTIVE: Final = re.compile(r"%[-EO]?(.?)|( +)|([^% ]+)", re.DOTALL)
_SHORT: Final = {"T": "%H:%M:%S", "R": "%H:%M", "D": "%m/%d/%y", "F": "%Y-%m-%d", "r": "%I:%M:%S %p"}
_PARTS: Final = {
    "Y": ("year", "[0-9]{4}"),
    "y": ("short_year", "[0-9]{2}"),
    "m": ("month", "[0-9]{1,2}"),
    "b": ("month_name", "[A-Za-z]{3}"),
    "h": ("month_name", "[A-Za-z]{3}"),
    "B": ("month_name", "[A-Za-z]{3,9}"),
    "d": ("day", " ?[0-9]{1,2}"),
    "e": ("day", " ?[0-9]{1,2}"),
    "H": ("hour", " ?[0-9]{1,2}"),
    "k": ("hour", " ?[0-9]{1,2}"),
    "I": ("hour12", " ?[0-9]{1,2}"),
    "l": ("hour12", " ?[0-9]{1,2}"),
    "M": ("minute", "[0-9]{1,2}"),
    "S": ("second", "[0-9]{1,2}"),
    "f": ("fraction", "[0-9]{1,9}"),
    "p": ("half", "[AaPp]\\.?[Mm]\\.?"),
    "z": ("zone", "Z|z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?"),
    "Z": ("zone_name", "[A-Za-z]{1,5}"),
    "s": ("epoch", "[0-9]{1,11}"),
}
_SKIPPED: Final = {"a": "[A-Za-z]{2,4}", "A": "[A-Za-z]{2,12}", "%": "%", "t": "\t"}
KNOWN: Final = tuple(sorted([*_SHORT, *_PARTS, *_SKIPPED]))

_MONTHS: Final = pa.array(
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], pa.string()
)
_DAYS: Final = pa.array([0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], pa.int64())
_DAY_US: Final = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Form:
    """A form of time stamps."""

    written: str
    regex: str
    parts: frozenset[str]


@dataclass(frozen=True, slots=True)
class Stamps:
    """What a column of stamps means; each array has one value for each stamp."""

    us: pa.Array  # int64: microseconds since the epoch; null where the stamp is not of the form, or out of range
    is_local: pa.Array  # bool: the stamp names no zone, and ``us`` is local time, counted as if in UTC
    is_out_of_range: pa.Array  # bool: the stamp has the form, but there is no such day or time
    zone_names: pa.Array | None = None  # strings: abbreviations with several meanings, or nulls


def compile_form(written: str) -> Form:
    """Return a form.

    Args:
        written: text with directives of strftime; ``%f`` is a fraction of a second of up to 9 digits. A blank stands
            for one or more blanks.

    Raises:
        ValueError: a directive is unknown or given twice, or the form has no day; the message is the cause.
    """
    parts: list[str] = []
    regex = "^" + "".join(_iter_regex(written, parts)) + "$"
    twice = next((part for part in parts if parts.count(part) > 1), None)
    if twice is not None:
        raise ValueError(f"{twice.replace('_', ' ')} is given twice")
    found = frozenset(parts)
    has_date = "day" in found and found & {"month", "month_name"}
    if not has_date and "epoch" not in found:
        raise ValueError("it has no day and month, so it is not a time")
    if "epoch" not in found and not found & {"hour", "hour12"}:
        raise ValueError("it has no hour (%H or %I)")
    return Form(written, regex, found)


def _iter_regex(written: str, parts: list[str]) -> list[str]:
    """Return the regular expressions of the pieces of a form, and append the names of its parts."""
    pieces: list[str] = []
    for match in _DIRECTIVE.finditer(written):
        letter, blank, text = match.groups()
        if blank:
            pieces.append(" +")
        elif text:
            pieces.append(re.escape(text))
        elif letter in _SHORT:
            pieces += _iter_regex(_SHORT[letter], parts)
        elif letter in _SKIPPED:
            pieces.append(_SKIPPED[letter])
        elif letter in _PARTS:
            name, regex = _PARTS[letter]
            parts.append(name)
            pieces.append(f"(?P<{name}>{regex})")
        else:
            raise ValueError(f"%{letter} is unknown; known are %{' %'.join(KNOWN)}")
    return pieces


def read_form(stamps: pa.Array, form: Form, dating: Dating) -> Stamps:
    """Return the times of stamps of one form.

    Args:
        stamps: strings without nulls.
        form: how the stamps are written.
        dating: gives the year of stamps without a year, in the order of the stamps, and is updated.
    """
    found = pc.extract_regex(stamps, form.regex)
    has_form = found.is_valid()
    part = _Parts(found, form)
    valid = has_form
    if "epoch" in form.parts:
        us = pc.multiply(part.number("epoch"), 1_000_000)
    else:
        year, month, day, is_day = _read_date(part, form, dating)
        seconds, is_time = _read_time(part, form)
        valid = pc.and_(valid, pc.and_(is_day, is_time).fill_null(False))
        us = pc.add(pc.multiply(_count_days(year, month, day), _DAY_US), pc.multiply(seconds, 1_000_000))
    if "fraction" in form.parts:
        us = pc.add(us, part.fraction_us())
    is_local = pa.repeat("epoch" not in form.parts, len(stamps))
    if "zone" in form.parts:
        zone_us, is_zone = _read_zone(part.texts("zone"))
        us, valid, is_local = pc.subtract(us, zone_us), pc.and_(valid, is_zone), pa.repeat(False, len(stamps))
    names = None
    if "zone_name" in form.parts:
        offsets_us, names = _read_zone_names(part.texts("zone_name"))
        us, is_local = pc.subtract(us, offsets_us), names.is_valid()
    nothing = pa.scalar(None, pa.int64())
    return Stamps(pc.if_else(valid, us, nothing), is_local, pc.and_not(has_form, valid), names)


class _Parts:
    """The parts of stamps; a part of a stamp that does not have the form is null."""

    def __init__(self, found: pa.Array, form: Form) -> None:
        self._has_form = found.is_valid()
        self._found = {name: pc.struct_field(found, name) for name in form.parts}

    def texts(self, name: str) -> pa.Array:
        return pc.if_else(self._has_form, self._found[name], pa.scalar(None, pa.string()))

    def number(self, name: str, default: int = 0) -> pa.Array:
        if name not in self._found:
            return pa.repeat(pa.scalar(default, pa.int64()), len(self._has_form))
        return pc.ascii_ltrim(self.texts(name), " ").cast(pa.int64())

    def fraction_us(self) -> pa.Array:
        return pc.utf8_slice_codeunits(pc.ascii_rpad(self.texts("fraction"), 6, "0"), 0, 6).cast(pa.int64())


def _read_date(part: _Parts, form: Form, dating: Dating) -> tuple[pa.Array, pa.Array, pa.Array, pa.Array]:
    """Return year, month and day, and whether there is such a day."""
    day = part.number("day")
    if "month_name" in form.parts:
        name = pc.utf8_slice_codeunits(pc.ascii_lower(part.texts("month_name")), 0, 3)
        month = pc.add(pc.index_in(name, value_set=_MONTHS).cast(pa.int64()), 1)
    else:
        month = part.number("month")
    is_month = pc.and_(pc.greater_equal(month, 1), pc.less_equal(month, 12)).fill_null(False)
    month = pc.if_else(is_month, month, 1)
    is_day = pc.and_(pc.greater_equal(day, 1), pc.less_equal(day, _DAYS.take(month))).fill_null(False)
    is_day = pc.and_(is_month, is_day)
    if "year" in form.parts:
        year = part.number("year")
    elif "short_year" in form.parts:
        short = part.number("short_year")
        year = pc.add(short, pc.if_else(pc.greater_equal(short, 69), 1900, 2000))
    else:
        year = _find_years(month, day, is_day, dating.calendar)
    in_range = pc.and_(pc.greater_equal(year, FIRST_YEAR), pc.less_equal(year, LAST_YEAR))
    is_leap_day = pc.and_(pc.equal(month, 2), pc.equal(day, 29))
    exists = pc.or_(pc.invert(is_leap_day), _is_leap(year)).fill_null(False)
    is_day = pc.and_(pc.and_(is_day, in_range.fill_null(False)), exists)
    return year, month, day, is_day


def _find_years(month: pa.Array, day: pa.Array, is_day: pa.Array, calendar: Calendar | None) -> pa.Array:
    """Return the years of stamps without a year. Python code runs once for each run of stamps of one day."""
    code = pc.if_else(is_day, pc.add(pc.multiply(month, 100), day), 0)
    runs = pc.run_end_encode(code.cast(pa.int64()))
    years: list[int] = []
    for value in runs.values.to_pylist():
        if value == 0 or calendar is None:
            years.append(0)
            continue
        year = calendar.find_year(value // 100, value % 100)
        calendar.remember(year, value // 100)
        years.append(year)
    return pc.run_end_decode(pa.RunEndEncodedArray.from_arrays(runs.run_ends, pa.array(years, pa.int64())))


def _read_time(part: _Parts, form: Form) -> tuple[pa.Array, pa.Array]:
    """Return the second of the day, and whether there is such a time."""
    minute, second = part.number("minute"), part.number("second")
    if "hour12" in form.parts:
        hour = part.number("hour12")
        is_time = pc.and_(pc.greater_equal(hour, 1), pc.less_equal(hour, 12))
        hour = pc.if_else(pc.equal(hour, 12), 0, hour)
        if "half" in form.parts:
            is_late = pc.equal(pc.utf8_slice_codeunits(pc.ascii_lower(part.texts("half")), 0, 1), "p")
            hour = pc.add(hour, pc.if_else(is_late, 12, 0))
    else:
        hour = part.number("hour")
        is_time = pc.less(hour, 24)
    is_time = pc.and_(is_time, pc.and_(pc.less(minute, 60), pc.less_equal(second, MAX_SECOND)))
    return pc.add(pc.add(pc.multiply(hour, 3600), pc.multiply(minute, 60)), second), is_time


def _read_zone(zones: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Return the offsets of zones from UTC in microseconds, positive in the east, and whether there are such zones."""
    encoded = zones.dictionary_encode()
    offsets: list[int | None] = []
    for zone in encoded.dictionary.to_pylist():
        digits = zone[1:].replace(":", "").ljust(4, "0")
        if zone[0] not in "+-":
            offsets.append(0)
        elif int(digits[:2]) > MAX_ZONE_HOUR or int(digits[2:]) > 59:
            offsets.append(None)
        else:
            offsets.append((int(digits[:2]) * 60 + int(digits[2:])) * 60_000_000 * (-1 if zone[0] == "-" else 1))
    us = pa.array(offsets, pa.int64()).take(encoded.indices)
    return us.fill_null(0), us.is_valid()


def _read_zone_names(names: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Return the offsets of zones from UTC in microseconds, 0 if unknown, and the names with several meanings."""
    known = pa.array(list(ZONES), pa.string())
    place = pc.index_in(names, value_set=known)
    minutes = pa.array(list(ZONES.values()), pa.int64()).take(place).fill_null(0)
    return pc.multiply(minutes, 60_000_000), pc.if_else(place.is_valid(), pa.scalar(None, pa.string()), names)


def _is_leap(year: pa.Array) -> pa.Array:
    return pc.and_(_divides(year, 4), pc.or_(pc.invert(_divides(year, 100)), _divides(year, 400)))


def _divides(year: pa.Array, by: int) -> pa.Array:
    return pc.equal(pc.multiply(pc.divide(year, by), by), year)


def _count_days(year: pa.Array, month: pa.Array, day: pa.Array) -> pa.Array:
    """Return the numbers of days since the epoch, in the Gregorian calendar. Years are positive."""
    is_early = pc.less_equal(month, 2)  # counted as the end of the year before, so that a leap day is the last day
    year = pc.subtract(year, pc.if_else(is_early, 1, 0))
    month = pc.add(month, pc.if_else(is_early, 9, -3))
    leap_days = pc.add(pc.subtract(pc.divide(year, 4), pc.divide(year, 100)), pc.divide(year, 400))
    of_months = pc.divide(pc.add(pc.multiply(month, 153), 2), 5)
    days = pc.add(pc.add(pc.multiply(year, 365), leap_days), pc.add(of_months, day))
    return pc.subtract(days, 719_469)
