"""Compares the levels of a metric with the metric's own buckets."""

from collections.abc import Mapping
from typing import Any, Final

from puppylog.model.finding import Finding, Health
from puppylog.model.period import format_period
from puppylog.stores.base import RecordReader
from puppylog.stores.levels import list_levels
from puppylog.stores.queries import load_queries
from puppylog.stores.rows import metric_of

_QUERIES = load_queries("puppylog.stores.duckdb", "doctor.sql")

_RECORDS: Final = {"count": "value", "rate": "round(value * {step_s})", "ratio": "whole"}
"""SQL: the number of records in a bucket, for the statistics that tell it. The buckets of the others are counted."""


def find_wrong_level(reader: RecordReader, row: Mapping[str, Any]) -> Finding | None:
    """Return the finding about the finest level that does not add up to the metric's own buckets; None if all do.

    A metric of an earlier version has no levels until the engine has added them.

    Args:
        reader: the store.
        row: the metric, a row of the query ``metric_ages``.
    """
    metric = metric_of(row)
    for step_s in list_levels(metric.period_s) if row["has_levels"] else ():
        records = _RECORDS.get(metric.statistic)
        sql = _QUERIES["compare_level"].format(
            id=row["id"],
            step_s=step_s,
            in_level="buckets" if records is None else records.format(step_s=step_s),
            own="1" if records is None else records.format(step_s=metric.period_s),
        )
        (sums,) = reader.query(sql).to_pylist()
        if sums["stored"] != sums["expected"]:
            what = "buckets" if records is None else "records"
            found = f"its level of {format_period(step_s)} holds {sums['stored']:.0f} of {sums['expected']:.0f} {what}"
            advice = "delete the metric and create it again: the store then computes it from the records"
            return Finding(f"metric {metric.name}", Health.WRONG, found, advice)
    return None
