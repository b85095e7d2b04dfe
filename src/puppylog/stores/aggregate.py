"""From a metric to SQL: the query that makes (bucket, segment, value) rows of records.

Every store asks the same query; dialects differ in how they cut time into buckets and in how JSON is read.
"""

from functools import lru_cache
from typing import Literal, TypeAlias

from puppylog.model.expression import render, render_segment
from puppylog.model.metric import Metric, parse_attribute, parse_percentile

Dialect: TypeAlias = Literal["duckdb", "timescaledb", "postgres"]

# The first two have a default origin other than the epoch, which shows with periods such as a week or 7 seconds.
_BUCKETS: dict[Dialect, str] = {
    "duckdb": "time_bucket(INTERVAL '{period_s} seconds', ts, TIMESTAMPTZ '1970-01-01 00:00:00+00')",
    "timescaledb": "time_bucket(INTERVAL '{period_s} seconds', ts, TIMESTAMPTZ '1970-01-01 00:00:00+00')",
    "postgres": "date_bin(INTERVAL '{period_s} seconds', ts, TIMESTAMPTZ '1970-01-01 00:00:00+00')",
}

_STATISTICS = {
    "count": "count({})",
    "distinct": "count(DISTINCT {})",
    "sum": "sum({})",
    "avg": "avg({})",
    "min": "min({})",
    "max": "max({})",
    "stddev": "stddev_samp({})",
    "variance": "var_samp({})",
}

_NEEDS_NO_NUMBER = frozenset({"count", "distinct"})


def aggregate_sql(metric: Metric, dialect: Dialect, *, where: str = "true", group_id: int | None = None) -> str:
    """Return the query of a metric's buckets: ``bucket`` (timestamptz), ``segment`` (text), ``value`` (double).

    A bucket has a row when at least one record passes the filter; its value is null when the statistic of no value, or
    of too few, is.

    Args:
        metric: the definition.
        dialect: of which store.
        where: SQL of our own making that limits the records besides the filter, such as a range of ``ts``.
        group_id: only records of the streams in this log group.
    """
    head, conditions = _parts(metric, dialect)
    if group_id is not None:
        conditions = (*conditions, f"stream_id IN (SELECT id FROM puppylog.log_streams WHERE group_id = {group_id:d})")
    return f"{head}\nWHERE {' AND '.join((f'({where})', *conditions))}\nGROUP BY 1, 2"


@lru_cache(maxsize=1024)  # a refresh asks every second, and parsing an expression takes a millisecond
def _parts(metric: Metric, dialect: Dialect) -> tuple[str, tuple[str, ...]]:
    """Return the query up to its conditions, and the conditions of the metric itself."""
    sql = _sql(dialect)
    bucket = _BUCKETS[dialect].format(period_s=metric.period_s)
    segment = "CAST(NULL AS TEXT)" if metric.segment is None else render_segment(metric.segment, sql)
    head = (
        f"SELECT {bucket} AS bucket, {segment} AS segment, CAST({_value(metric, dialect)} AS DOUBLE PRECISION) AS value\n"
        "FROM puppylog.log_records"
    )
    return head, (() if metric.filter is None else (render(metric.filter, sql),))


def _value(metric: Metric, dialect: Dialect) -> str:
    operand = _operand(metric, dialect)
    fraction = parse_percentile(metric.statistic)
    if fraction is not None:
        return f"percentile_cont({fraction}) WITHIN GROUP (ORDER BY {operand})"
    return _STATISTICS[metric.statistic].format(operand)


def _operand(metric: Metric, dialect: Dialect) -> str:
    """Return the SQL of the property: as it is, or as a number where the statistic needs one."""
    key = parse_attribute(metric.property)
    if key is None:
        return metric.property
    is_text = metric.statistic in _NEEDS_NO_NUMBER
    return render(f"attributes.{key}" if is_text else f"CAST(attributes.{key} AS DOUBLE PRECISION)", _sql(dialect))


def _sql(dialect: Dialect) -> Literal["duckdb", "postgres"]:
    return "duckdb" if dialect == "duckdb" else "postgres"
