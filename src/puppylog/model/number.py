"""Numbers, sizes and durations as people read them."""

import math
from typing import Final

_UNITS: Final = ("B", "kB", "MB", "GB", "TB", "PB")


def format_number(value: float | None) -> str:
    """Return ``value`` as text: whole numbers with thousands separators, others with four significant digits.

    >>> format_number(1234567), format_number(0.123456), format_number(None)
    ('1,234,567', '0.1235', '-')
    """
    if value is None or math.isnan(value):
        return "-"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    if abs(value) >= 10_000:
        return f"{value:,.0f}"
    return f"{value:,.1f}" if abs(value) >= 1000 else f"{value:.4g}"


def format_bytes(size_bytes: float) -> str:
    """Return a size in the largest decimal unit that it reaches: ``1.2 GB``, ``200 MB``, ``512 B``."""
    unit = 0
    while size_bytes >= 999.5 and unit < len(_UNITS) - 1:
        size_bytes, unit = size_bytes / 1000, unit + 1
    number = f"{size_bytes:.0f}" if unit == 0 or size_bytes >= 99.95 else f"{size_bytes:.1f}".removesuffix(".0")
    return f"{number} {_UNITS[unit]}"


def format_duration(seconds: float) -> str:
    """Return a duration in its two largest units: ``0.4 s``, ``41 s``, ``3 min 20 s``, ``2 h 5 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for size, unit, smaller_size, smaller in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // smaller_size} {smaller}"
    return f"{whole} s"
