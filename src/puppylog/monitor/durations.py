"""Which attribute of a store's records is a duration, and in which unit.

Logs name durations in many ways, and few names have a unit. A unit is taken from the name's ending, or from the server
that is known to write the name. Where neither tells the unit, the numbers are shown as they are in the log.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from puppylog.model.expression import render
from puppylog.model.expression.term import Dialect

_STEMS: Final = (
    "duration",
    "requesttime",
    "responsetime",
    "timetaken",
    "latency",
    "elapsed",
    "elapsedtime",
    "processingtime",
    "took",
    "totaltime",
)
"""Names of durations, the best first, without case, ``_`` and ``-``."""

_UNITS: Final[Mapping[str, float]] = {
    "nanoseconds": 1e-9,
    "nanos": 1e-9,
    "ns": 1e-9,
    "microseconds": 1e-6,
    "micros": 1e-6,
    "us": 1e-6,
    "milliseconds": 1e-3,
    "millis": 1e-3,
    "ms": 1e-3,
    "seconds": 1.0,
    "secs": 1.0,
    "sec": 1.0,
    "s": 1.0,
}
"""Endings of names, and their units in seconds."""


@dataclass(frozen=True, slots=True)
class Duration:
    """An attribute that is a duration."""

    attribute: str
    unit_s: float | None  # how many seconds 1 is; None: neither the name nor the log tells

    def render(self, dialect: Dialect) -> str:
        """Return the SQL of the duration as a number; null for a text that is not a number."""
        key = self.attribute.replace("'", "''")
        return render(f"CAST(attributes ->> '{key}' AS DOUBLE PRECISION)", dialect)


def find_duration(attributes: Mapping[str, str]) -> Duration | None:
    """Return the duration among a store's attributes, which are given with an example each.

    >>> find_duration({"user": "ann", "duration_ms": "12"})
    Duration(attribute='duration_ms', unit_s=0.001)
    >>> find_duration({"duration": "17"})
    Duration(attribute='duration', unit_s=None)
    """
    found: list[tuple[int, Duration]] = []
    for name, example in attributes.items():
        normal = name.lower().replace("_", "").replace("-", "")
        for rank, stem in enumerate(_STEMS):
            ending = normal.removeprefix(stem)
            if normal.startswith(stem) and _is_number(example) and (ending in _UNITS or not ending):
                unit_s = _UNITS[ending] if ending else _unit_of(stem, example)
                found.append((rank, Duration(name, unit_s)))
    return min(found, key=lambda pair: (pair[1].unit_s is None, pair[0]))[1] if found else None


def _unit_of(stem: str, example: str) -> float | None:
    is_whole = example.strip().isdigit()
    match stem:
        case "requesttime":  # nginx
            return 1.0
        case "timetaken":  # whole milliseconds in IIS, seconds with a fraction in the W3C's format and in CloudFront
            return 1e-3 if is_whole else 1.0
        case "duration" if not is_whole:  # Caddy and zap
            return 1.0
        case _:
            return None


def _is_number(example: str) -> bool:
    try:
        float(example)
    except ValueError:
        return False
    return True
