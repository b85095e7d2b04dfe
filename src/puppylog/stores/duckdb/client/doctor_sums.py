"""Compares a rollup with the records: day by day, the newest day first, for a limited time.

Buckets whose records were dropped are not compared.
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from puppylog.model.finding import Finding, Health
from puppylog.model.metric import Metric
from puppylog.stores.base import RecordReader
from puppylog.stores.doctor import COMPARED_S, ComparedDay, judge_difference
from puppylog.stores.queries import load_queries
from puppylog.stores.rows import metric_of

_QUERIES = load_queries("puppylog.stores.duckdb", "doctor.sql")

_DAY_US: Final = 86_400_000_000
_BEGINNING_US: Final = -62_200_000_000_000_000

_RECORDS: Final = {"count": "value", "rate": "round(value * {period_s})", "ratio": "whole"}
"""SQL: the number of records in a bucket, for the statistics that tell it."""


def compare_sums(reader: RecordReader, row: Mapping[str, Any], limit_s: float = COMPARED_S) -> Finding:
    """Return the finding about the comparison of a metric's rollup with the records.

    For statistics that tell the number of records, the sums of these numbers are compared. For other statistics only
    the numbers of buckets are compared.

    Args:
        reader: the store.
        row: the metric, a row of the query ``metric_ages``.
        limit_s: the seconds after which no further day is compared.
    """
    metric = metric_of(row)
    subject, deadline = f"metric {metric.name}", time.monotonic() + limit_s
    before = "infinity"
    period_us = metric.period_s * 1_000_000
    dropped_us = reader.query(_QUERIES["dropped_before"])["before_us"][0].as_py()
    first_us = _BEGINNING_US if dropped_us is None else -(-dropped_us // period_us) * period_us
    while True:
        values = {"id": row["id"], "period_s": metric.period_s, "before": before, "since_us": first_us}
        until_us = reader.query(_QUERIES["newest_day"], values)["until_us"][0].as_py()
        if until_us is None:
            kept = (
                "" if dropped_us is None else f" since {_text(first_us)}; older buckets keep the records that are gone"
            )
            return Finding(subject, Health.OK, f"its buckets hold all records{kept}")
        if time.monotonic() >= deadline:
            found = "no bucket" if before == "infinity" else f"no bucket before {before}"
            return Finding(subject, Health.OK, f"{found} was compared with the records within {limit_s:.2g} s")
        since_us = max(min((until_us - _DAY_US) // period_us * period_us, until_us - period_us), first_us)
        stored, expected = _count_day(reader, row, metric, since_us, until_us)
        if stored != expected:
            asked = reader.query(_QUERIES["is_being_checked"], {"id": row["id"]})
            return judge_difference(
                metric.name,
                ComparedDay(_text(since_us), _text(until_us), stored, expected),
                "records" if metric.statistic in _RECORDS else "buckets",
                is_being_checked=asked["is_being_checked"][0].as_py(),
                advice="delete the metric and create it again: the store then computes it from the records",
            )
        before = _text(since_us)


def _count_day(
    reader: RecordReader, row: Mapping[str, Any], metric: Metric, since_us: int, until_us: int
) -> tuple[int, int]:
    """Return the numbers, of records or of buckets, that the rollup stores and that the records give."""
    from puppylog.stores.aggregate import aggregate_sql  # noqa: PLC0415 - a client that does not compare needs no parser

    bounds: dict[str, Any] = {"since_us": since_us, "until_us": until_us}
    where = _QUERIES["in_range"].format(**bounds)
    aggregate = aggregate_sql(metric, "duckdb", group_id=row["group_id"], where=where)
    records = _RECORDS.get(metric.statistic, "NULL").format(period_s=metric.period_s)
    sql = _QUERIES["compare_day"].format(id=row["id"], aggregate=aggregate, records=records, **bounds)
    (counts,) = reader.query(sql).to_pylist()
    kind = "total" if metric.statistic in _RECORDS else "buckets"
    return int(counts[f"stored_{kind}"]), int(counts[f"expected_{kind}"])


def _text(instant_us: int) -> str:
    return datetime.fromtimestamp(instant_us / 1e6, UTC).isoformat()
