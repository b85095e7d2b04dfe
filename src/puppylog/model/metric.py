"""A metric: ``statistic x property x period x segment x filter``, kept up to date by the store.

A bucket is half-open, ``[bucket, bucket + period)``, aligned to the epoch in UTC. An empty bucket has no row. Values
are double precision on every store; ``stddev`` and ``variance`` are those of a sample and null below two rows.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from puppylog.errors import UsageError
from puppylog.model.record import ALIASES, COLUMNS, NUMERIC_COLUMNS

STATISTICS = ("count", "sum", "avg", "min", "max", "stddev", "variance", "distinct")
"""Besides these, ``pNN`` with 0 < NN < 100: ``p50``, ``p99``, ``p99.9``."""

# These may judge any column; all others need a number.
_ANY_COLUMN = frozenset({"count", "distinct"})
# The observations of all segments of a bucket add up to the observation without segments.
ADDITIVE_STATISTICS = frozenset({"count", "sum"})
_PERCENTILE = re.compile(r"p([0-9]{1,2}(?:\.[0-9]{1,6})?)")
_ATTRIBUTE = re.compile(r"attributes\.([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)")


@dataclass(frozen=True, slots=True)
class Metric:
    """The definition of a metric, as its row in ``metrics`` has it. Everything else is made from it."""

    name: str
    statistic: str
    property: str  # "*", a column, or attributes.<key>
    period_s: int
    segment: str | None = None  # a scalar SQL expression over the columns, canonical text
    filter: str | None = None  # a boolean one
    refresh_s: int = 10
    group: str | None = None  # only records of this log group


def parse_percentile(statistic: str) -> float | None:
    """Return the fraction that ``pNN`` stands for (``p99.9`` is 0.999), or None if it is no percentile."""
    match = _PERCENTILE.fullmatch(statistic)
    if match is None:
        return None
    percent = float(match[1])
    return round(percent / 100, 8) if 0 < percent < 100 else None


def parse_statistic(text: str) -> str:
    """Return the statistic named by ``text``; a percentile in its shortest spelling, ``p99`` for ``p99.0``.

    Raises:
        UsageError: there is none of that name.
    """
    statistic = text.strip().lower()
    if statistic in STATISTICS:
        return statistic
    if parse_percentile(statistic) is not None:
        return f"p{Decimal(statistic[1:]).normalize():f}"
    raise UsageError("use", f"statistic {text!r}", advice=f"known are {', '.join(STATISTICS)} and pNN, such as p99")


def parse_property(text: str, statistic: str) -> str:
    """Return the property that ``statistic`` is taken of: ``*``, a column, or ``attributes.<key>``.

    Raises:
        UsageError: an unknown column, or one that the statistic cannot be taken of.
    """
    name = ALIASES.get(text.strip(), text.strip())
    if name == "*":
        if statistic != "count":
            raise UsageError(
                "take", f"{statistic} of '*'", "only count takes whole records", advice="name a column with -p"
            )
        return name
    if _ATTRIBUTE.fullmatch(name):
        return name
    if name not in COLUMNS or name == "attributes":
        known = ", ".join(sorted(COLUMNS - {"attributes"}))
        raise UsageError(
            "use", f"property {text!r}", "no such column", advice=f"known are {known} and attributes.<key>"
        )
    if statistic not in _ANY_COLUMN and name not in NUMERIC_COLUMNS:
        raise UsageError("take", f"{statistic} of {name}", "it is not a number")
    return name


def parse_attribute(property_: str) -> str | None:
    """Return ``key`` of ``attributes.key`` (dots reach into nested objects), or None for ``*`` and columns."""
    match = _ATTRIBUTE.fullmatch(property_)
    return match[1] if match else None
