"""Levels: the roll-ups of a metric at 1 minute, 1 hour and 1 day, and SQL that merges buckets into longer ones.

A row of a level has the columns of the metric's own roll-up: ``bucket``, ``segment``, ``value``, the parts of a ratio,
and the hidden columns of `hidden_of`, which make a mean or a variance of several buckets exact. ``buckets`` is the
number of the metric's own buckets in the row. Percentiles and numbers of distinct values are computed from sketch rows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from puppylog.model.metric import Metric, parse_percentile
from puppylog.stores.aggregate import hidden_of, parts_of
from puppylog.stores.queries import load_queries
from puppylog.stores.sketches import has_sketch, merged_n_sql, value_sql

LEVEL_SCHEMAS: Final = {60: "metrics_1m", 3600: "metrics_1h", 86_400: "metrics_1d"}
"""The levels by their seconds, and the SQL schema of each, which has a view for each metric."""

_MIN_FACTOR: Final = 4
"""How many times as long as the metric's own a level's buckets are, at least; else it would save too little."""

_QUERIES = load_queries("puppylog.stores", "levels.sql")

_MERGED: Final = {
    "count": "sum(value) AS value",
    "sum": "sum(value) AS value",
    "rate": "sum(value) / {step_s} AS value",
    "min": "min(value) AS value",
    "max": "max(value) AS value",
    "avg": "sum(value * weight) / nullif(sum(weight), 0) AS value, CAST(sum(weight) AS BIGINT) AS weight",
    "ratio": "CAST(sum(part) AS DOUBLE PRECISION) / CAST(sum(whole) AS DOUBLE PRECISION) AS value, "
    "CAST(sum(part) AS BIGINT) AS part, CAST(sum(whole) AS BIGINT) AS whole",
}
_RECORDS: Final = {"count": "value", "rate": "round(value * {step_s})", "ratio": "whole"}
_VARIANCE: Final = "CASE WHEN weight > 1 THEN greatest(m2, 0) / (weight - 1) END"
_MOMENTS: Final = {
    "variance": f"coalesce({_VARIANCE}, mean_value)",
    "stddev": f"coalesce(sqrt({_VARIANCE}), mean_value)",
}

# Buckets that were stored before there were hidden columns weigh as one value each.
_READ: Final = {
    "rate": "round(value * {step_s}) AS value",  # a number of records, which adds up
    "avg": "value, coalesce(weight, CASE WHEN value IS NULL THEN 0 ELSE 1 END) AS weight",
}


def list_levels(period_s: int) -> list[int]:
    """Return the levels of a metric in seconds, the finest first.

    >>> list_levels(10), list_levels(60), list_levels(7)
    ([60, 3600, 86400], [3600, 86400], [])
    """
    return [step_s for step_s in LEVEL_SCHEMAS if step_s % period_s == 0 and step_s >= _MIN_FACTOR * period_s]


@dataclass(frozen=True, slots=True)
class Part:
    """Buckets of one level in a range of time, as SQL."""

    relation: str  # of the buckets
    step_s: int  # the seconds in a bucket
    sketches: str | None = None  # the relation of the sketch rows, if the metric has sketches
    where: str = "true"  # a condition on bucket and segment
    is_level: bool = False  # whether the relation has the column `buckets`; in the metric's own, each row is one


def columns_of(metric: Metric) -> str:
    """Return the columns of a roll-up after ``bucket`` and ``segment``."""
    return f"value{parts_of(metric)}{hidden_of(metric)}"


def merge_sql(metric: Metric, step_s: int | str, parts: Sequence[Part]) -> str:
    """Return the query of the buckets of ``step_s`` seconds: bucket, segment, the columns of the metric, ``buckets``.

    Args:
        metric: a metric that is not derived.
        step_s: the seconds in a bucket, a multiple of those of each part; or SQL that is a parameter with this number.
        parts: where the buckets are read. They must not overlap. A part whose buckets have ``step_s`` seconds has no
            bucket that another part reaches into.
    """
    if has_sketch(metric):
        return _merge_sketched(metric, step_s, parts)
    step = _step(step_s)
    union = _union(_read(metric, part) for part in parts)
    if metric.statistic in _MOMENTS:
        return _QUERIES["merged_moments"].format(step=step, value=_MOMENTS[metric.statistic], parts=union)
    return _QUERIES["merged"].format(step=step, columns=_MERGED[metric.statistic].format(step_s=step_s), parts=union)


def rows_sql(metric: Metric, parts: Sequence[Part]) -> str:
    """Return the query of the rows of all parts, not merged: bucket, segment, the columns of the metric, ``buckets``.

    The value of a rate is a number of records, so that the values of rows with buckets of different lengths add up.
    """
    return _union(_read(metric, part) for part in parts)


def merge_sketches_sql(metric: Metric, step_s: int | str, parts: Sequence[Part]) -> str:
    """Return the query of the sketch rows of buckets of ``step_s`` seconds: ``bucket``, ``segment``, ``bin``, ``n``."""
    read = _union(
        _QUERIES["sketch_part"].format(relation=part.sketches, where=part.where) for part in parts if part.sketches
    )
    return _QUERIES["merged_sketches"].format(step=_step(step_s), n=merged_n_sql(metric), parts=read)


def _merge_sketched(metric: Metric, step_s: int | str, parts: Sequence[Part]) -> str:
    """Return the query of `merge_sql`. Buckets that are as long as a step have their values already."""
    ready = [_read(metric, part) for part in parts if part.step_s == step_s]
    merged = [part for part in parts if part.step_s != step_s]
    if merged:
        sketched = value_sql(metric, merge_sketches_sql(metric, step_s, merged))
        value = "avg(value)" if parse_percentile(metric.statistic) is not None else "max(value)"
        union = _union(_read(metric, part) for part in merged)
        ready.append(
            _QUERIES["merged_values"].format(step=_step(step_s), value=value, parts=union, sketched=sketched),
        )
    return f"SELECT bucket, segment, value, buckets FROM ({_union(ready)}) AS buckets"


def _read(metric: Metric, part: Part) -> str:
    read = _READ.get(metric.statistic, columns_of(metric)).format(step_s=part.step_s)
    buckets = "buckets" if part.is_level else "1"
    return _QUERIES["part"].format(columns=read, buckets=buckets, relation=part.relation, where=part.where)


def _union(queries: Iterable[str]) -> str:
    return " UNION ALL ".join(queries)


def _step(step_s: int | str) -> str:
    return _QUERIES["step"].format(step_s=step_s)


def records_sql(statistic: str, step_s: int) -> str | None:
    """Return the SQL for the number of records in a bucket of this length; None if the statistic has none."""
    records = _RECORDS.get(statistic)
    return None if records is None else records.format(step_s=step_s)
