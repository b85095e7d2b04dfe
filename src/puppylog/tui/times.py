"""Instants as people read them: the time of day, and the date only if it is not today."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Final

# Not strftime("%b"), which a program that sets a locale changes.
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def format_time(instant: datetime | None, zone: tzinfo | None, now: datetime, *, precision: str = "seconds") -> str:
    """Return an instant as ``14:05:09``, of another day as ``17 May 14:05:09``, of another year with the year.

    >>> from datetime import UTC
    >>> now = datetime(2026, 5, 18, tzinfo=UTC)
    >>> format_time(datetime(2026, 5, 17, 14, 5, 9, tzinfo=UTC), UTC, now)
    '17 May 14:05:09'

    Args:
        instant: an aware time; None becomes ``-``.
        zone: the time zone to show it in; None is this machine's.
        now: the current time, which decides what today is.
        precision: minutes, seconds or milliseconds, as `datetime.isoformat` has them.
    """
    if instant is None:
        return "-"
    try:
        local, today = instant.astimezone(zone), now.astimezone(zone).date()
    except (OverflowError, ValueError):  # within a day of the first or last instant that Python has
        return instant.isoformat()
    of_day = local.time().isoformat(timespec=precision)
    if local.date() == today:
        return of_day
    year = "" if local.year == today.year else f" {local.year}"
    return f"{local.day} {_MONTHS[local.month - 1]}{year} {of_day}"


def format_times(
    instants: Sequence[datetime | None], zone: tzinfo | None, now: datetime, *, fractions: bool = False
) -> list[str]:
    """Return instants that stand below each other, all with the same precision.

    Seconds are left out if each instant is a full minute. Milliseconds are shown only with ``fractions``, and only if
    an instant has some.
    """
    known = [instant for instant in instants if instant is not None]
    precision = "seconds" if any(instant.second or instant.microsecond for instant in known) else "minutes"
    if fractions and any(instant.microsecond for instant in known):
        precision = "milliseconds"
    return [format_time(instant, zone, now, precision=precision) for instant in instants]
