"""The time at the start of a message, in the form of BSD's syslog or of ISO 8601.

[Www ][yyyy ]Mmm dd [yyyy ]HH:MM:SS[.fraction][ yyyy]
yyyy-mm-ddTHH:MM:SS[.fraction][zone]

A later year before a tab is of a table that another program writes.
"""

import re
from dataclasses import dataclass

from puppylog.formats import clock
from puppylog.formats.calendar import Calendar

_BSD = re.compile(
    r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) )?(?:([0-9]{4}) )?"
    r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) {1,2}([0-9]{1,2}) "
    r"(?:([0-9]{4}) )?([0-9]{2}):([0-9]{2}):([0-9]{2})(?:[.,]([0-9]+))?(?=[ :]|\Z)(?! [0-9]{4}\t)"
)
_LATER_YEAR = re.compile(r" ((?:19|20)[0-9]{2})(?=:?(?: |\Z))")


@dataclass(frozen=True, slots=True)
class FoundStamp:
    """A stamp in a text."""

    us: int  # microseconds since the epoch
    is_local: bool  # the stamp names no zone: ``us`` is local time, counted as if in UTC
    is_iso: bool
    end: int  # the index after the stamp


def find_stamp(text: str, at: int, calendar: Calendar) -> FoundStamp | None:
    """Return the stamp at the index ``at``, before a blank, a colon or the end of the text; None if there is no stamp.

    Args:
        text: the message.
        at: the index at which the stamp starts.
        calendar: gives the year of a stamp without a year, and is updated.

    Raises:
        puppylog.formats.clock.OutOfRange: there is a stamp, but no such day or time.
    """
    match = _BSD.match(text, at)
    if match is not None:
        return _read_bsd(text, match, calendar)
    blank = text.find(" ", at)
    word = text[at:] if blank < 0 else text[at:blank]
    stamp = clock.parse_iso(word.removesuffix(":"))
    return None if stamp is None else FoundStamp(stamp.us, stamp.is_local, True, at + len(word.removesuffix(":")))


def _read_bsd(text: str, match: re.Match[str], calendar: Calendar) -> FoundStamp:
    end, named_year = match.end(), match[1] or match[4]
    later = None if named_year else _LATER_YEAR.match(text, end)
    if later is not None:
        end, named_year = later.end(), later[1]
    month, day = clock.parse_month(match[2]) or 0, int(match[3])
    hour, minute, second = map(int, match.group(5, 6, 7))
    year = int(named_year) if named_year else calendar.find_year(month, day)
    us = clock.to_epoch_us((year, month, day), (hour, minute, second), 0) + int((match[8] or "")[:6].ljust(6, "0"))
    if not named_year:
        calendar.remember(year, month)
    return FoundStamp(us, True, False, end)
