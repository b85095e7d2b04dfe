"""The time in brackets: ``[dd/Mon/yyyy:HH:MM:SS +zzzz]``, as microseconds since the epoch in UTC.

Neighbouring lines mostly carry the same stamp. The 32 characters around it are compared with those of the line before,
and only the first of a run is parsed: as four words a line, in which every part has its fixed place.
"""

import numpy as np
import numpy.typing as npt

from puppylog.formats.access.reason import Reason, Reasons, judge
from puppylog.formats.words import Bytes, Positions, Words, over_nine, word

LEAD = 30
"""Characters from the blank before the bracket to the opening quote."""

# 0 is a digit, m the month, s a sign; ? is the request's first character and counts for nothing
_SHAPE = np.frombuffer(b' [00/mmm/0000:00:00:00 s0000] "?', np.uint8)
_PAIRS = [2, 9, 11, 14, 17, 20, 24, 26]  # where day, century, year, hour, minute, second and the zone's two parts start
_MONTH, _SIGN = 5, 23
_PLUS, _MINUS = 43, 45


def _select(characters: str, yes: npt.ArrayLike, no: npt.ArrayLike) -> Words:
    """Return four words with ``yes`` where the shape has one of ``characters``, and ``no`` elsewhere."""
    chosen = np.where(np.isin(_SHAPE, list(characters.encode())), yes, no)
    return chosen.astype(np.uint8).view("<u8")


_MATTERS = _select("?", 0, 0xFF)
_FIXED = _select("0ms?", 0, _SHAPE)
_FIXED_MASK = _select("0ms?", 0, 0xFF)
_ZEROS = _select("0", _SHAPE, 0)
_DIGITS = _select("0", 0xFF, 0)

_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = np.array([word(name) for name in _MONTH_NAMES])
_MONTH_ORDER = np.argsort(_MONTHS)
_SORTED_MONTHS = _MONTHS[_MONTH_ORDER]

_FIRST_YEAR, _LAST_YEAR = 2, 9998  # a zone may move a time into the next year, and Python knows only 1 to 9999
_MONTH_STARTS = np.arange(f"{_FIRST_YEAR:04}-01", f"{_LAST_YEAR + 1:04}-02", dtype="datetime64[M]")
_MONTH_START_DAYS = _MONTH_STARTS.astype("datetime64[D]").astype(np.int64)
_MONTH_DAYS = np.diff(_MONTH_START_DAYS)
_LARGEST_ZONE_HOUR = 14
_LARGEST_SECOND = 60  # a leap second

_SECOND_US = 1_000_000


def read_times(text: Bytes, opening: Positions) -> tuple[Positions, Reasons]:
    """Return the instant before each opening quote in microseconds, and why there is none."""
    windows = np.ndarray((text.size - _SHAPE.size + 1,), f"V{_SHAPE.size}", text, strides=(1,))
    stamps = windows[opening - LEAD].view("<u8").reshape(-1, _MATTERS.size) & _MATTERS
    is_head = np.ones(len(stamps), np.bool_)
    is_head[1:] = stamps[1:, 0] != stamps[:-1, 0]
    for place in range(1, _MATTERS.size):
        is_head[1:] |= stamps[1:, place] != stamps[:-1, place]
    heads = np.flatnonzero(is_head)
    runs = np.diff(heads, append=len(stamps))
    instants, reasons = _parse_stamps(stamps[heads])
    return np.repeat(instants, runs), np.repeat(reasons, runs)


def _parse_stamps(stamps: Words) -> tuple[Positions, Reasons]:
    """Parse stamps of four words each."""
    digits = (stamps ^ _ZEROS) & _DIGITS
    faults = over_nine(digits) | ((stamps & _FIXED_MASK) ^ _FIXED)
    sign = stamps.view(np.uint8)[:, _SIGN]
    month, is_month = _parse_months(stamps)
    is_formed = is_month & ((sign == _PLUS) | (sign == _MINUS)) & (np.bitwise_or.reduce(faults, axis=1) == 0)

    pairs = (digits * 10 + (digits >> 8)).view(np.uint8)  # at a digit: it and the next one
    day, century, year, hour, minute, second, zone_hour, zone_minute = pairs[:, _PAIRS].T.astype(np.int64, order="C")
    year += century * 100
    is_in_range = (year >= _FIRST_YEAR) & (year <= _LAST_YEAR)
    month = np.where(is_in_range & is_formed, (year - _FIRST_YEAR) * 12 + month, 0)
    is_in_range &= (day >= 1) & (day <= _MONTH_DAYS[month])
    is_in_range &= (hour < 24) & (minute < 60) & (second <= _LARGEST_SECOND)
    is_in_range &= (zone_hour <= _LARGEST_ZONE_HOUR) & (zone_minute < 60)

    days = _MONTH_START_DAYS[month] + day - 1
    zone_m = (zone_hour * 60 + zone_minute) * np.where(sign == _MINUS, -1, 1)
    instants = (((days * 24 + hour) * 60 + minute - zone_m) * 60 + second) * _SECOND_US
    return instants, judge((~is_formed, Reason.TIME_FORM), (~is_in_range, Reason.TIME_RANGE))


def _parse_months(stamps: Words) -> tuple[Positions, npt.NDArray[np.bool_]]:
    """Return the months, 0 to 11, and which are months at all."""
    names = stamps[:, _MONTH // 8] >> (_MONTH % 8 * 8)
    place = np.minimum(np.searchsorted(_SORTED_MONTHS, names), _MONTHS.size - 1)
    return _MONTH_ORDER[place], _SORTED_MONTHS[place] == names
