"""From a metric to SQL: the query that makes (bucket, segment, value) rows of records.

Every store runs the same query. The dialects differ in how they divide time into buckets and in how they read JSON.
"""

from functools import lru_cache
from typing import Literal, TypeAlias

from puppylog.model.expression import render, render_segment
from puppylog.model.metric import Metric, is_name, needs_number, parse_attribute, parse_percentile
from puppylog.stores.sketches import bin_sql

Dialect: TypeAlias = Literal["duckdb", "timescaledb", "postgres"]

_STEP = "INTERVAL '{period_s} seconds'"
_EPOCH = "TIMESTAMPTZ '1970-01-01 00:00:00+00'"
# DuckDB's time_bucket gives the same result in three times the time. This arithmetic rounds down before 1970, too.
_DUCKDB_BUCKET = "make_timestamptz(epoch_us(ts) - ((epoch_us(ts) % {period_us}) + {period_us}) % {period_us})"
# TimescaleDB aligns buckets to Monday, 3 January 2000. A period that divides the time between the epoch and that day
# needs no origin, and before 2.15 a continuous aggregate takes none. Other periods, such as a week or 7 seconds, need
# the epoch as their origin.
_TIMESCALEDB_ORIGIN_S = 946_857_600

_STATISTICS = {
    "count": "count({})",
    "rate": "CAST(count({}) AS DOUBLE PRECISION) / {period_s}",
    "distinct": "count(DISTINCT {})",
    "sum": "sum({})",
    "avg": "avg({})",
    "min": "min({})",
    "max": "max({})",
    "stddev": "stddev_samp({})",
    "variance": "var_samp({})",
}

_PARTS = ("part", "whole")
"""The columns of a ratio in addition to its value: the numbers of the records that match ``of``, and of all records."""


def parts_of(metric: Metric, *, is_typed: bool = False) -> str:
    """Return the further columns of a ratio, with a comma before each; the empty text for other metrics.

    With ``is_typed``, each column is followed by its type, as in ``CREATE TABLE``.
    """
    if metric.statistic != "ratio":
        return ""
    return "".join(f", {name} bigint" if is_typed else f", {name}" for name in _PARTS)


_HIDDEN: dict[str, tuple[tuple[str, str, str], ...]] = {
    "avg": (("weight", "bigint", "count({})"),),
    **dict.fromkeys(
        ("stddev", "variance"),
        (
            ("weight", "bigint", "count({})"),
            ("mean", "double precision", "CAST(avg({}) AS DOUBLE PRECISION)"),
            ("m2", "double precision", "CAST(var_pop({}) AS DOUBLE PRECISION) * count({})"),
        ),
    ),
}
"""The hidden columns of a roll-up by statistic: name, type and SQL of each.

``weight`` is the number of values in the bucket, ``m2`` the sum of the squares of their distances from ``mean``.
"""


def hidden_of(metric: Metric, *, is_typed: bool = False) -> str:
    """Return the hidden columns of the metric's roll-up, with a comma before each; the empty text if it has none.

    With ``is_typed``, each column is followed by its type, as in ``CREATE TABLE``.
    """
    columns = _HIDDEN.get(metric.statistic, ())
    return "".join(f", {name} {type_}" if is_typed else f", {name}" for name, type_, _ in columns)


def aggregate_sql(
    metric: Metric,
    dialect: Dialect,
    *,
    where: str = "true",
    group_id: int | None = None,
    is_counted: bool = False,
    is_hidden_kept: bool = False,
    source: str = "puppylog.log_records",
) -> str:
    """Return the query of a metric's buckets: ``bucket`` (timestamptz), ``segment`` (text), ``value`` (double).

    A bucket has a row if at least one of its records passes the filter. The value is null if the records have too few
    values for the statistic. A ratio also has the columns ``part`` and ``whole``, from which the ratio of several
    buckets or segments is computed.

    Args:
        metric: the definition.
        dialect: the SQL dialect of the store.
        where: a further SQL condition on the records, such as a range of ``ts``. Must not contain a user's text.
        group_id: the log group whose streams are read; None reads all streams.
        is_counted: whether to add a last column, ``n``: the number of records in the bucket.
        is_hidden_kept: whether to add the columns of `hidden_of`, before ``n``.
        source: the relation of the records, with the columns of ``log_records``. Must not contain a user's text.
    """
    head, conditions = _parts(metric, dialect, is_counted=is_counted, is_hidden_kept=is_hidden_kept)
    return _from_records(head, conditions, where, group_id, source, columns=2)


def sketch_sql(
    metric: Metric,
    dialect: Dialect,
    *,
    where: str = "true",
    group_id: int | None = None,
    source: str = "puppylog.log_records",
) -> str:
    """Return the query of the sketch rows of a metric's buckets: ``bucket``, ``segment``, ``bin``, ``n``.

    A metric has them if `has_sketch` is true. The arguments are those of `aggregate_sql`.
    """
    head, conditions = _sketch_parts(metric, dialect)
    return _from_records(head, conditions, where, group_id, source, columns=3)


def _from_records(
    head: str, conditions: tuple[str, ...], where: str, group_id: int | None, source: str, *, columns: int
) -> str:
    """Return the query of the records, grouped by the first ``columns`` columns."""
    if group_id is not None:
        conditions = (*conditions, f"stream_id IN (SELECT id FROM puppylog.log_streams WHERE group_id = {group_id:d})")
    groups = ", ".join(str(no) for no in range(1, columns + 1))
    return f"{head}\nFROM {source}\nWHERE {' AND '.join((f'({where})', *conditions))}\nGROUP BY {groups}"


@lru_cache(maxsize=1024)  # each refresh needs it, every second, and parsing an expression takes a millisecond
def _parts(metric: Metric, dialect: Dialect, *, is_counted: bool, is_hidden_kept: bool) -> tuple[str, tuple[str, ...]]:
    """Return the query up to FROM, and the conditions that the metric's definition gives."""
    sql = _sql(dialect)
    bucket, segment = _bucket_and_segment(metric, dialect)
    if metric.of is None:
        value = f"CAST({_value(metric, dialect)} AS DOUBLE PRECISION) AS value"
    else:
        part = f"count(CASE WHEN {render(metric.of, sql)} THEN 1 END)"
        value = f"CAST({part} AS DOUBLE PRECISION) / count(*) AS value, {part} AS part, count(*) AS whole"
    counted = ", count(*) AS n" if is_counted else ""
    hidden = ""
    if is_hidden_kept:
        operand = operand_sql(metric, dialect)
        columns = _HIDDEN.get(metric.statistic, ())
        hidden = "".join(f", {kept.replace('{}', operand)} AS {name}" for name, _, kept in columns)
    head = f"SELECT {bucket} AS bucket, {segment} AS segment, {value}{hidden}{counted}"
    return head, _filter(metric, dialect)


@lru_cache(maxsize=1024)
def _sketch_parts(metric: Metric, dialect: Dialect) -> tuple[str, tuple[str, ...]]:
    """Return the query of sketch rows up to FROM, and its conditions."""
    bucket, segment = _bucket_and_segment(metric, dialect)
    operand = operand_sql(metric, dialect)
    bin_, n = bin_sql(metric, operand, is_duckdb=dialect == "duckdb")
    head = f"SELECT {bucket} AS bucket, {segment} AS segment, {bin_} AS bin, {n} AS n"
    return head, (*_filter(metric, dialect), f"({operand}) IS NOT NULL")


def _bucket_and_segment(metric: Metric, dialect: Dialect) -> tuple[str, str]:
    segment = "CAST(NULL AS TEXT)" if metric.segment is None else render_segment(metric.segment, _sql(dialect))
    return bucket_sql(metric.period_s, dialect), segment


def _filter(metric: Metric, dialect: Dialect) -> tuple[str, ...]:
    return () if metric.filter is None else (render(metric.filter, _sql(dialect)),)


def bucket_sql(period_s: int, dialect: Dialect) -> str:
    """Return the SQL of the start of a record's bucket. Buckets are aligned to the epoch."""
    step = _STEP.format(period_s=period_s)
    if dialect == "duckdb":
        return _DUCKDB_BUCKET.format(period_us=period_s * 1_000_000)
    if dialect == "postgres":
        return f"date_bin({step}, ts, {_EPOCH})"
    origin = f", {_EPOCH}" if needs_origin(period_s) else ""
    return f"time_bucket({step}, ts{origin})"


def needs_origin(period_s: int) -> bool:
    """Return whether TimescaleDB aligns buckets of this period to the epoch only if the query says so."""
    return _TIMESCALEDB_ORIGIN_S % period_s != 0


def _value(metric: Metric, dialect: Dialect) -> str:
    operand = operand_sql(metric, dialect)
    fraction = parse_percentile(metric.statistic)
    if fraction is not None:
        return f"percentile_cont({fraction}) WITHIN GROUP (ORDER BY {operand})"
    return _STATISTICS[metric.statistic].format(operand, period_s=metric.period_s)


def operand_sql(metric: Metric, dialect: Dialect) -> str:
    """Return the SQL of the property, cast to a number if the statistic needs numbers. An expression has the cast."""
    if not is_name(metric.property):
        return render(metric.property, _sql(dialect))
    key = parse_attribute(metric.property)
    if key is None:
        return metric.property
    *objects, last = (f"'{part}'" for part in key.split("."))
    text = f"{' -> '.join(['attributes', *objects])} ->> {last}"
    return render(f"CAST({text} AS DOUBLE PRECISION)" if needs_number(metric.statistic) else text, _sql(dialect))


def _sql(dialect: Dialect) -> Literal["duckdb", "postgres"]:
    return "duckdb" if dialect == "duckdb" else "postgres"
