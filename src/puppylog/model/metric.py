"""A metric: a statistic of a property of the records, per period and segment. The store keeps it up to date.

A bucket is half-open, ``[bucket, bucket + period)``, aligned to the epoch in UTC. An empty bucket has no row. Values
are double precision on every store. ``stddev`` and ``variance`` are those of a sample, and null below two records.
``rate`` is the count divided by the seconds of the period. ``ratio`` is the number of records that match ``of``,
divided by the number of all records of the bucket: 0 to 1.
"""

import re
from dataclasses import dataclass, replace
from decimal import Decimal

from puppylog.errors import UsageError
from puppylog.model.record import ALIASES, COLUMNS, NUMERIC_COLUMNS
from puppylog.model.severity import renew_patterns

STATISTICS = ("count", "rate", "ratio", "sum", "avg", "min", "max", "stddev", "variance", "distinct")
"""The statistics with a fixed name. Percentiles, ``pNN`` with 0 < NN < 100, are statistics too: ``p50``, ``p99.9``."""

COUNTING_STATISTICS = frozenset({"count", "rate"})
"""The statistics whose missing bucket is an observation of zero, because no record came."""

ADDITIVE_STATISTICS = frozenset({"count", "rate", "sum"})
"""The statistics of which the sum over all segments of a bucket is the observation of a metric without segments."""

# These statistics take any column; all others need a numeric one.
_ANY_COLUMN = COUNTING_STATISTICS | {"distinct"}
# These statistics can take whole records.
_WHOLE_RECORDS = COUNTING_STATISTICS | {"ratio"}
_PERCENTILE = re.compile(r"p([0-9]{1,2}(?:\.[0-9]{1,6})?)")
_ATTRIBUTE = re.compile(r"attributes\.([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)")


@dataclass(frozen=True, slots=True)
class Metric:
    """The definition of a metric: a row of the table ``metrics``. The store makes views and jobs from it.

    >>> errors = Metric("errors", parse_statistic("COUNT"), "*", period_s=60, filter="status_code >= 500")
    >>> errors.statistic, errors.period_s, errors.refresh_s
    ('count', 60, 10)
    """

    name: str
    statistic: str  # one of STATISTICS, pNN, or "derived"
    property: (
        str  # "*", a column, attributes.<key>, or the canonical text of an expression or of a derived one's formula
    )
    period_s: int  # length of a bucket
    segment: str | None = None  # a scalar expression over the columns, as canonical text
    filter: str | None = None  # a condition over the columns, as canonical text
    refresh_s: int = 10  # time between two materializations
    group: str | None = None  # the log group whose records it takes; None for all records
    of: str | None = None  # the condition of the records that a ratio is the share of, as canonical text


def renewed(metric: Metric) -> Metric:
    """Return a stored metric as this version would define it; see `puppylog.model.severity.renew_patterns`."""
    filter_, of = (None if text is None else renew_patterns(text) for text in (metric.filter, metric.of))
    return replace(metric, filter=filter_, of=of)


def parse_percentile(statistic: str) -> float | None:
    """Return the fraction of a percentile (0.999 for ``p99.9``), or None if ``statistic`` is not a percentile."""
    match = _PERCENTILE.fullmatch(statistic)
    if match is None:
        return None
    percent = float(match[1])
    return round(percent / 100, 8) if 0 < percent < 100 else None


def parse_statistic(text: str) -> str:
    """Return the statistic that ``text`` names, in lower case; a percentile without trailing zeros.

    Raises:
        UsageError: no statistic has that name.

    >>> parse_statistic("P99.0")
    'p99'
    """
    statistic = text.strip().lower()
    if statistic in STATISTICS:
        return statistic
    if parse_percentile(statistic) is not None:
        return f"p{Decimal(statistic[1:]).normalize():f}"
    raise UsageError("use", f"statistic {text!r}", advice=f"known are {', '.join(STATISTICS)} and pNN, such as p99")


def is_name(property_: str) -> bool:
    """Return whether a property is ``*``, a column or ``attributes.<key>``. Other properties are expressions."""
    return property_ == "*" or property_ in COLUMNS - {"attributes"} or _ATTRIBUTE.fullmatch(property_) is not None


def parse_property(text: str, statistic: str) -> str:
    """Return the property that ``statistic`` is taken of, if it is a name: ``*``, a column, or ``attributes.<key>``.

    Raises:
        UsageError: there is no such column, or the statistic needs a number and the column is not one.
    """
    name = ALIASES.get(text.strip(), text.strip())
    if name == "*":
        if statistic not in _WHOLE_RECORDS:
            raise UsageError(
                "take",
                f"{statistic} of '*'",
                "only count, rate and ratio take whole records",
                advice="name a column with -p",
            )
        return name
    if statistic == "ratio":
        raise UsageError("take", f"ratio of {text!r}", "a ratio takes whole records", advice="leave out -p")
    if _ATTRIBUTE.fullmatch(name):
        return name
    if name not in COLUMNS or name == "attributes":
        known = ", ".join(sorted(COLUMNS - {"attributes"}))
        raise UsageError(
            "use", f"property {text!r}", "no such column", advice=f"known are {known} and attributes.<key>"
        )
    if needs_number(statistic) and name not in NUMERIC_COLUMNS:
        raise UsageError("take", f"{statistic} of {name}", "it is not a number")
    return name


def needs_number(statistic: str) -> bool:
    """Return whether the statistic is taken of numbers. The others take any property."""
    return statistic not in _ANY_COLUMN


def parse_attribute(property_: str) -> str | None:
    """Return ``key`` of ``attributes.key``, or None for ``*`` and columns. Dots in the key name nested objects."""
    match = _ATTRIBUTE.fullmatch(property_)
    return match[1] if match else None
