"""Instants as people write them: dates, times of day, weekdays, and lengths of time before now."""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from puppylog.errors import UsageError

_UNITS: Final = {
    "s": ("s", "sec", "secs", "second", "seconds"),
    "m": ("m", "min", "mins", "minute", "minutes"),
    "h": ("h", "hr", "hrs", "hour", "hours"),
    "d": ("d", "day", "days"),
    "w": ("w", "week", "weeks"),
}
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_UNIT_OF: Final = {word: unit for unit, words in _UNITS.items() for word in words}
_LENGTH: Final = rf"[0-9]{{1,9}}\s*(?:{'|'.join(sorted(_UNIT_OF, key=len, reverse=True))})"
_PART: Final = re.compile(r"([0-9]+)\s*([a-z]+)")
_RELATIVE: Final = re.compile(rf"(?:now)?(?:\s*(?P<sign>[+-])?\s*(?P<length>{_LENGTH}(?:\s*{_LENGTH})*)(?:\s+ago)?)?")
_DAYS: Final = {"today": 0, "yesterday": -1, "tomorrow": 1}
_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CLOCK: Final = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?"
_DAY: Final = re.compile(rf"(?P<day>{'|'.join((*_DAYS, *_WEEKDAYS))})?\s*(?P<clock>{_CLOCK})?")

INSTANTS: Final = "2h, 1h30m, 02:30, yesterday, monday, now, a date, or a time such as 2015-05-17T10:05:00Z"
"""What `read_instant` accepts, for the advice of an error."""


def is_relative(text: str) -> bool:
    """Return whether the instant depends on the time at which the text is read."""
    word = text.strip().lower()
    return bool(word) and bool(_RELATIVE.fullmatch(word) or _DAY.fullmatch(word))


def read_instant(
    text: str, now: datetime, zone: tzinfo | None, *, after: datetime | None = None
) -> tuple[datetime, datetime]:
    """Return an instant and the end of the time that it names, in UTC: of a whole day for a day, else the instant.

    >>> start, end = read_instant("yesterday", datetime(2026, 3, 1, 12, tzinfo=UTC), UTC)
    >>> start.isoformat(), end.isoformat()
    ('2026-02-28T00:00:00+00:00', '2026-03-01T00:00:00+00:00')

    Args:
        text: ``now``, a length of time before now (``2h``, ``30min``, ``1h30m``, ``2 days ago``), ``now`` plus or minus
            a length of time, ``today``, ``yesterday``, ``tomorrow``, a weekday (the latest one, which may be today), a
            time of day such as ``02:30`` (the latest one that has passed), a day and a time of day, a date, or a date
            and a time.
        now: the present instant, with an offset.
        zone: the zone of times without an offset; None is this machine's own.
        after: a weekday or a time of day is the first one after this instant, not the latest one; None: the latest one.

    Raises:
        ValueError: the text is not an instant.
        OverflowError: the instant is not between the years 1 and 9999.
    """
    word = text.strip().lower()
    if word and (relative := _RELATIVE.fullmatch(word)):
        instant = now.astimezone(UTC) + _read_length(relative["sign"], relative["length"] or "")
        return instant, instant
    if word and (day := _DAY.fullmatch(word)):
        return _read_day(day["day"], day["clock"], now, zone, after=after)
    instant = datetime.fromisoformat(text.strip())
    if re.fullmatch(r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}", word):
        return _whole_day(instant.date(), zone)
    instant = _in_utc(instant, zone)
    return instant, instant


def parse_instant(
    text: str, name: str, *, now: datetime, zone: tzinfo | None, after: datetime | None = None
) -> datetime:
    """Return an instant, in UTC. A day is its first instant.

    >>> parse_instant("2h", "--since", now=datetime(2026, 3, 1, 12, tzinfo=UTC), zone=UTC).isoformat()
    '2026-03-01T10:00:00+00:00'

    Args:
        text: as `read_instant` accepts it.
        name: of the option or parameter, for the error.
        now: the present instant.
        zone: of times without an offset; None is the zone of this machine.
        after: see `read_instant`.

    Raises:
        UsageError: ``text`` is not a time.
    """
    try:
        start, _ = read_instant(text, now, zone, after=after)
    except (ValueError, OverflowError) as error:
        raise UsageError("read", f"{name} {text!r}", advice=f"write {INSTANTS}") from error
    return start


def _read_length(sign: str | None, text: str) -> timedelta:
    seconds = sum(int(count) * _SECONDS[_UNIT_OF[unit]] for count, unit in _PART.findall(text))
    return timedelta(seconds=seconds if sign == "+" else -seconds)


def _read_day(
    name: str | None, clock: str | None, now: datetime, zone: tzinfo | None, *, after: datetime | None
) -> tuple[datetime, datetime]:
    hour, minute, second = map(int, f"{clock or '0:00'}:00".split(":")[:3])
    at = time(hour, minute, second)
    if name in _DAYS:
        day = now.astimezone(zone).date() + timedelta(days=_DAYS[name])
    elif after is None:
        day = _find_latest(name, at, now, zone)
    else:
        day = _find_next(name, at, after, zone)
    if clock is None:
        return _whole_day(day, zone)
    instant = _in_utc(datetime.combine(day, at), zone)
    return instant, instant


def _find_latest(weekday: str | None, at: time, now: datetime, zone: tzinfo | None) -> date:
    """Return the latest day of a weekday, which may be today, or the latest day on which a time of day has passed."""
    today = now.astimezone(zone).date()
    if weekday is not None:
        return today - timedelta(days=(today.weekday() - _WEEKDAYS.index(weekday)) % 7)
    return today - timedelta(days=_in_utc(datetime.combine(today, at), zone) > now)


def _find_next(weekday: str | None, at: time, after: datetime, zone: tzinfo | None) -> date:
    """Return the first day, of a weekday if one is given, on which a time of day is after an instant."""
    day = after.astimezone(zone).date()
    if weekday is not None:
        day += timedelta(days=(_WEEKDAYS.index(weekday) - day.weekday()) % 7)
    has_passed = _in_utc(datetime.combine(day, at), zone) <= after
    return day + timedelta(days=has_passed * (1 if weekday is None else 7))


def _whole_day(day: date, zone: tzinfo | None) -> tuple[datetime, datetime]:
    start = datetime.combine(day, time())
    return _in_utc(start, zone), _in_utc(start + timedelta(days=1), zone)


def _in_utc(instant: datetime, zone: tzinfo | None) -> datetime:
    if instant.tzinfo is None and zone is not None:
        instant = instant.replace(tzinfo=zone)
    return instant.astimezone(UTC)
