"""Lengths of time as people write them: ``90``, ``10s``, ``5m``, ``2h``, ``1d``. Whole seconds everywhere else."""

import re

from puppylog.errors import UsageError

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_PERIOD = re.compile(r"([0-9]{1,12})\s*([smhdw]?)")
# Stores keep lengths of time as 32-bit numbers of seconds; 68 years, in whole days.
MOST_S = 24855 * 86400


def parse_period(text: str, what: str = "period", *, least_s: int = 1) -> int:
    """Return the seconds in ``text``; a bare number means seconds.

    Raises:
        UsageError: it is not a length of time, or shorter than ``least_s``, or longer than `MOST_S`.
    """
    match = _PERIOD.fullmatch(text.strip())
    if match is None:
        raise UsageError(
            "read", f"{what} {text!r}", advice="write seconds, or a number with s, m, h, d or w, such as 10s"
        )
    seconds = int(match[1]) * _UNITS_S[match[2] or "s"]
    if seconds < least_s:
        raise UsageError("use", f"{what} {text!r}", f"it must be at least {format_period(least_s)}")
    if seconds > MOST_S:
        raise UsageError("use", f"{what} {text!r}", f"it must be at most {format_period(MOST_S)}")
    return seconds


def format_period(seconds: int) -> str:
    """Return ``seconds`` in the largest unit that divides it: 120 becomes ``2m``, 90 stays ``90s``."""
    for unit in ("w", "d", "h", "m"):
        if seconds and seconds % _UNITS_S[unit] == 0:
            return f"{seconds // _UNITS_S[unit]}{unit}"
    return f"{seconds}s"
