"""Lengths of time as users write them: ``90``, ``10s``, ``5m``, ``2h``, ``1d``. Elsewhere they are whole seconds."""

import re

from puppylog.errors import UsageError

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_PERIOD = re.compile(r"([0-9]{1,12})\s*([smhdw]?)")
# Stores keep lengths of time in seconds as 32-bit integers. This is the limit in whole days, 68 years.
MAX_PERIOD_S = 24855 * 86400


def parse_period(text: str, what: str = "period", *, min_s: int = 1) -> int:
    """Return the length of time in ``text``, in seconds. A number without a unit is in seconds.

    Args:
        text: such as ``90`` or ``5m``.
        what: the kind of length, for the message of an error.
        min_s: the shortest length that is accepted.

    Raises:
        UsageError: ``text`` is not a length of time, or is shorter than ``min_s`` or longer than `MAX_PERIOD_S`.
    """
    match = _PERIOD.fullmatch(text.strip())
    if match is None:
        raise UsageError(
            "read", f"{what} {text!r}", advice="write seconds, or a number with s, m, h, d or w, such as 10s"
        )
    seconds = int(match[1]) * _UNITS_S[match[2] or "s"]
    if seconds < min_s:
        raise UsageError("use", f"{what} {text!r}", f"it must be at least {format_period(min_s)}")
    if seconds > MAX_PERIOD_S:
        raise UsageError("use", f"{what} {text!r}", f"it must be at most {format_period(MAX_PERIOD_S)}")
    return seconds


def format_period(seconds: int) -> str:
    """Return ``seconds`` in the largest unit that divides it: ``2m`` for 120, ``90s`` for 90."""
    for unit in ("w", "d", "h", "m"):
        if seconds and seconds % _UNITS_S[unit] == 0:
            return f"{seconds // _UNITS_S[unit]}{unit}"
    return f"{seconds}s"
