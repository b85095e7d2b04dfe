"""The expected values of a metric: its statistic over the records, in SQL that every store understands."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypeAlias

from puppylog.stores.base import Store

Observations: TypeAlias = Mapping[tuple[datetime, str | None], float | None]
"""Values by bucket and segment."""

# Written by hand, so that the code under test is not compared with itself.
STATISTICS = {
    "count": "count(response_bytes)",
    "sum": "sum(response_bytes)",
    "avg": "avg(response_bytes)",
    "min": "min(response_bytes)",
    "max": "max(response_bytes)",
    "stddev": "stddev_samp(response_bytes)",
    "variance": "var_samp(response_bytes)",
    "distinct": "count(DISTINCT response_bytes)",
    "p50": "percentile_cont(0.5) WITHIN GROUP (ORDER BY response_bytes)",
    "p99": "percentile_cont(0.99) WITHIN GROUP (ORDER BY response_bytes)",
    "p99.9": "percentile_cont(0.999) WITHIN GROUP (ORDER BY response_bytes)",
}
SECTION = "split_part(request_route, '/', 2)"


def points(store: Store, name: str) -> Observations:
    """Return the observations of a metric in the store."""
    found = store.query(f"SELECT bucket, segment, value FROM metrics.{name}").to_pylist()
    keyed = {(row["bucket"].astimezone(UTC), row["segment"]): row["value"] for row in found}
    assert len(keyed) == len(found), "a bucket occurs twice"
    return keyed


def raw(store: Store, value: str, period_s: int, segment: str | None = None, where: str = "true") -> Observations:
    """Return the expected observations. ``value`` is one of STATISTICS; ``segment`` and ``where`` are SQL."""
    sql = f"""
        SELECT to_timestamp(floor(extract(epoch FROM ts) / {period_s}) * {period_s}) AS bucket,
               {segment or "CAST(NULL AS TEXT)"} AS segment, CAST({value} AS DOUBLE PRECISION) AS value
        FROM puppylog.log_records WHERE {where} GROUP BY 1, 2
    """
    return {(row["bucket"].astimezone(UTC), row["segment"]): row["value"] for row in store.query(sql).to_pylist()}


def assert_same(found: Observations, expected: Observations) -> None:
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        other = found[key]
        if value is None or other is None:
            assert value is other, key
        else:
            assert math.isclose(value, other, rel_tol=1e-9, abs_tol=1e-9), (key, value, other)
