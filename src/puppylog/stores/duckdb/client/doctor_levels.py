"""Compares the levels of a metric with the metric's own buckets."""

from collections.abc import Mapping
from typing import Any

from puppylog.model.finding import Finding
from puppylog.stores.base import RecordReader
from puppylog.stores.doctor import judge_level
from puppylog.stores.levels import list_levels, records_sql
from puppylog.stores.queries import load_queries
from puppylog.stores.rows import metric_of

_QUERIES = load_queries("puppylog.stores.duckdb", "doctor.sql")


def find_wrong_level(reader: RecordReader, row: Mapping[str, Any]) -> Finding | None:
    """Return the finding about the finest level that does not add up to the metric's own buckets; None if all do.

    A metric of an earlier version has no levels until the engine has added them.

    Args:
        reader: the store.
        row: the metric, a row of the query ``metric_ages``.
    """
    metric = metric_of(row)
    for step_s in list_levels(metric.period_s) if row["has_levels"] else ():
        records = records_sql(metric.statistic, step_s)
        sql = _QUERIES["compare_level"].format(
            id=row["id"],
            step_s=step_s,
            in_level=records or "buckets",
            own=records_sql(metric.statistic, metric.period_s) or "1",
        )
        (sums,) = reader.query(sql).to_pylist()
        if sums["stored"] != sums["expected"]:
            what = "buckets" if records is None else "records"
            advice = "delete the metric and create it again: the store then computes it from the records"
            return judge_level(metric.name, step_s, sums, what, advice=advice)
    return None
