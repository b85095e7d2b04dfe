"""Instants as people write them in a query: dates, times, and times relative to now."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

_RELATIVE: Final = re.compile(r"(?:now)?(?:(?P<sign>[+-]?)(?P<count>[0-9]{1,9})\s*(?P<unit>[smhdw]))?", re.IGNORECASE)
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DAYS: Final = {"today": 0, "yesterday": -1, "tomorrow": 1}


def is_relative(text: str) -> bool:
    """Whether the instant depends on when the query is read."""
    return text.lower() in _DAYS or bool(text and _RELATIVE.fullmatch(text))


def read_instant(text: str, now: datetime, zone: tzinfo | None) -> tuple[datetime, datetime]:
    """Return the instant, and the end of what it names: a day for a date, otherwise the instant itself.

    Args:
        text: ``now``, ``now-2h``, ``2h`` (ago), ``today``, ``yesterday``, a date, or a date and a time.
        now: the instant from which relative ones are counted, with an offset.
        zone: of times without an offset; None is this machine's own.

    Raises:
        ValueError: it is no instant.
        OverflowError: it is beyond the years that there are.
    """
    word = text.lower()
    if word in _DAYS:
        return _day(now.astimezone(zone) + timedelta(days=_DAYS[word]))
    if text and (relative := _RELATIVE.fullmatch(text)):
        instant = now.astimezone(UTC)
        if relative["count"]:
            is_later = relative["sign"] == "+"
            length = timedelta(**{_UNITS[relative["unit"].lower()]: int(relative["count"])})
            instant += length if is_later else -length
        return instant, instant
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None and zone is not None:
        instant = instant.replace(tzinfo=zone)
    if re.fullmatch(r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}", text):
        return _day(instant)
    instant = instant.astimezone(UTC)
    return instant, instant


def _day(instant: datetime) -> tuple[datetime, datetime]:
    start = instant.replace(hour=0, minute=0, second=0, microsecond=0)
    return start.astimezone(UTC), (start + timedelta(days=1)).astimezone(UTC)
