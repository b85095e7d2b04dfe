"""The doctor compares the rollups of an embedded store with the records."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from puppylog.model.finding import Finding, Health
from puppylog.model.metric import Metric
from puppylog.stores.base import Store
from puppylog.stores.duckdb.client.doctor_sums import compare_sums
from puppylog.stores.queries import load_queries
from support.embedded import EmbeddedStore, wait_until
from support.lines import Source, records

pytestmark = pytest.mark.sampled

_QUERIES = load_queries("puppylog.stores.duckdb", "doctor.sql")


class WithoutABucket:
    """A store whose rollups have no buckets before yesterday."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def query(self, sql: str, parameters: Any = None) -> pa.Table:
        """Run the query without the rollups' buckets before yesterday."""
        return self._store.query(
            sql.replace("WHERE bucket >=", "WHERE bucket > now() - INTERVAL 1 DAY AND bucket >="), parameters
        )


@pytest.fixture
def store(server: EmbeddedStore) -> Store:
    """A store with records of three days and two refreshed metrics."""
    store = server.connect()
    source = Source(store)
    for days in (3, 2, 1):
        ts = datetime.now(UTC) - timedelta(days=days, hours=2)
        source.append(records(10, ts=ts, start=source.offset, response_bytes=5))
    store.create_metric(Metric("hits", "count", "*", 1, refresh_s=1))
    store.create_metric(Metric("size", "avg", "response_bytes", 60, refresh_s=1))
    wait_until(lambda: server.is_settled(store), what="the refresh")
    return store


def compare(store: Any, limit_s: float = 60) -> dict[str, Finding]:
    rows = store.query(_QUERIES["metric_ages"]).to_pylist()
    return {row["name"]: compare_sums(store, row, limit_s) for row in rows}


def test_complete_metrics_hold_all_records(store: Store) -> None:
    assert {finding.state for finding in compare(store).values()} == {Health.OK}
    assert compare(store)["hits"].found == "its buckets hold all records"


def test_buckets_that_are_lost_are_found(store: Store) -> None:
    found = compare(WithoutABucket(store))
    assert {finding.state for finding in found.values()} == {Health.WRONG}
    assert "it holds 0 of 10 records" in found["hits"].found
    assert "buckets" in found["size"].found


def test_the_finding_says_that_no_bucket_was_compared_in_time(store: Store) -> None:
    assert compare(store, 0)["hits"].found == "no bucket was compared with the records within 0 s"
