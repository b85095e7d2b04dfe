"""Instants as people read them: the time of day, and the date only if it is not today."""

from collections.abc import Sequence
from datetime import date, datetime, tzinfo
from typing import Final

# Not strftime("%b"), which a program that sets a locale changes.
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def format_time(instant: datetime | None, zone: tzinfo | None, now: datetime, *, precision: str = "seconds") -> str:
    """Return an instant as ``14:05:09``, of another day as ``17 May 14:05:09``, of another year with the year.

    In the hour that comes twice when clocks are set back, the name of the offset follows: ``02:30:00 CET``.

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
    if _comes_twice(local, zone):
        of_day += f" {local:%Z}"
    if local.date() == today:
        return of_day
    return f"{format_day(local, with_year=local.year != today.year)} {of_day}"


def _comes_twice(local: datetime, zone: tzinfo | None) -> bool:
    """Return whether clocks in ``zone`` show the time ``local`` twice."""
    if zone is None:  # `local` has a fixed offset; only the system knows the rules of this machine's zone
        naive = local.replace(tzinfo=None)
        return naive.replace(fold=0).timestamp() != naive.replace(fold=1).timestamp()
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


def format_range(first: datetime, last: datetime, zone: tzinfo | None, now: datetime) -> str:
    """Return two instants as ``17 May 14:05 to 14:20``, with both days only if they are different, or as one if equal.

    >>> from datetime import UTC, timedelta
    >>> noon = datetime(2026, 5, 17, 12, tzinfo=UTC)
    >>> format_range(noon, noon + timedelta(hours=13), UTC, now=noon)
    '17 May 12:00 to 18 May 01:00'

    Args:
        first: the first instant.
        last: the last instant.
        zone: the time zone to show them in; None is this machine's.
        now: the current time. The day is left out if both are of today, and the year if both are of this year.
    """
    start, end, today = (localize(instant, zone) for instant in (first, last, now))
    precision = "seconds" if any(one.second or one.microsecond for one in (start, end)) else "minutes"
    from_, to = (one.time().isoformat(timespec=precision) for one in (start, end))
    if start == end:
        return format_time(first, zone, now, precision=precision)
    if start.date() == end.date() == today.date():
        return f"{from_} to {to}"
    with_year = {start.year, end.year} != {today.year}
    end_day = "" if start.date() == end.date() else f"{format_day(end, with_year=with_year)} "
    return f"{format_day(start, with_year=with_year)} {from_} to {end_day}{to}"


def format_day(local: date, *, with_year: bool) -> str:
    """Return a day as ``17 May``, or with the year as ``17 May 2015``."""
    year = f" {local.year}" if with_year else ""
    return f"{local.day} {_MONTHS[local.month - 1]}{year}"


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


def format_instant(instant: datetime, zone: tzinfo | None) -> str:
    """Return an instant with its date and its offset, to the second: ``2026-05-17 14:05:09+00:00``."""
    return localize(instant, zone).isoformat(sep=" ", timespec="seconds")


def localize(instant: datetime, zone: tzinfo | None) -> datetime:
    """Return the instant in the zone; as it is if it is within a day of the first or the last instant of Python."""
    try:
        return instant.astimezone(zone)
    except (OverflowError, ValueError):
        return instant
