"""The levels of a metric in PostgreSQL hold the same as the metric's own buckets, whatever statistic it has."""

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from puppylog.model.metric import Metric
from puppylog.stores.postgres.schema.flavour import Flavour
from puppylog.stores.postgres.schema.level_upgrade import add_levels
from puppylog.stores.postgres.schema.migrations import iter_migrations, split_statements
from puppylog.stores.postgres.sessions.session import Session
from puppylog.stores.postgres.store import PostgresStore
from support.lines import Source, rows

pytestmark = pytest.mark.sampled

NOON = datetime(2026, 5, 17, 12, tzinfo=UTC)
SIZES = [(at_s, size) for at_s, size in zip(range(0, 7200, 37), [1, 1000, 30, 7, 250_000, 12] * 40, strict=False)]


@pytest.fixture
def store(postgres_store_url: str) -> Iterator[PostgresStore]:
    with PostgresStore(postgres_store_url) as store:
        source = Source(store)
        source.append(rows([_record(at_s, size) for at_s, size in SIZES]))
        yield store


def _record(at_s: int, size: int) -> dict[str, Any]:
    return {
        "ts": NOON + timedelta(seconds=at_s),
        "response_bytes": size,
        "request_method": "GET" if size > 9 else "PUT",
    }


def _ask(store: PostgresStore, sql: str) -> Sequence[dict[str, Any]]:
    return store.query(sql).to_pylist()


def _refresh(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT puppylog.take_invalidations()")
        connection.execute("SELECT puppylog.refresh_rollup(id) FROM puppylog.metrics")


HOURS = """
    SELECT {expected} AS expected, found.value
    FROM metrics_1h.{name} AS found
    JOIN puppylog.log_records ON date_trunc('hour', ts, 'UTC') = found.bucket
    GROUP BY found.bucket, found.value
"""

COLUMNS = """
    SELECT attname, attnum FROM pg_attribute
    WHERE CAST(attrelid::regclass AS text) LIKE 'puppylog.rollup_%' AND attnum > 0
"""

EXACT = {
    "count": "CAST(count(*) AS double precision)",
    "rate": "count(*) / 3600.0",
    "sum": "CAST(sum(response_bytes) AS double precision)",
    "avg": "CAST(avg(response_bytes) AS double precision)",
    "min": "CAST(min(response_bytes) AS double precision)",
    "max": "CAST(max(response_bytes) AS double precision)",
    "stddev": "CAST(stddev_samp(response_bytes) AS double precision)",
    "variance": "CAST(var_samp(response_bytes) AS double precision)",
    "distinct": "CAST(count(DISTINCT response_bytes) AS double precision)",
    "p50": "percentile_cont(0.5) WITHIN GROUP (ORDER BY response_bytes)",
    "p99": "percentile_cont(0.99) WITHIN GROUP (ORDER BY response_bytes)",
}


def test_an_hour_has_the_value_of_all_its_records(store: PostgresStore, postgres_store_url: str) -> None:
    for number, statistic in enumerate(EXACT):
        store.create_metric(_metric(f"m{number}", statistic))
    _check_hours(store)
    Source(store, "file:///late.log").append(rows([_record(90, 500_000)]))
    _refresh(postgres_store_url)
    _check_hours(store)


def _metric(name: str, statistic: str, segment: str | None = None) -> Metric:
    """Return a metric that the store's jobs do not refresh: they would fill levels while a test lowers them."""
    property_ = "*" if statistic in {"count", "rate"} else "response_bytes"
    return Metric(name, statistic, property_, 10, segment, refresh_s=3600)


def _check_hours(store: PostgresStore) -> None:
    for number, (statistic, expected) in enumerate(EXACT.items()):
        found = _ask(store, HOURS.format(name=f"m{number}", expected=expected))
        assert len(found) == 2, statistic
        for row in found:
            assert float(row["value"]) == pytest.approx(float(row["expected"]), rel=0.01), statistic
    filled = "SELECT step_s, count(*) AS metrics FROM puppylog.levels WHERE watermark > '2026-05-18' GROUP BY 1"
    levels = {row["step_s"]: row["metrics"] for row in _ask(store, filled)}
    assert levels == dict.fromkeys((60, 3600, 86_400), len(EXACT))


def test_steps_are_read_from_the_coarsest_level_that_fits(store: PostgresStore) -> None:
    store.create_metric(Metric("m", "count", "*", 1, segment="request_method"))
    for step_s, steps in ((1, 195), (7, 195), (60, 120), (300, 24), (5400, 2), (90_000, 1)):
        read = f"puppylog.read_metric('m', '{NOON}', '{NOON + timedelta(days=1)}', {step_s})"
        (row,) = _ask(
            store, f"SELECT count(DISTINCT bucket) AS steps, CAST(sum(value) AS integer) AS records FROM {read}"
        )
        assert row["records"] == len(SIZES)
        assert row["steps"] <= steps


def test_steps_are_the_same_wherever_the_levels_end(store: PostgresStore) -> None:
    for number, statistic in enumerate(EXACT):
        store.create_metric(_metric(f"m{number}", statistic, "request_method"))
    spans = [(NOON, NOON + timedelta(days=1)), (NOON + timedelta(minutes=20), NOON + timedelta(minutes=95))]
    steps = [
        (f"m{number}", step_s, *span)
        for number, _ in enumerate(EXACT)
        for step_s in (60, 300, 3600, 7200, 86_400)
        for span in spans
    ]
    before = [_read_steps(store, *step) for step in steps]
    assert all(before)
    for minute in (90, 47, 0, -1):
        _ask(store, f"SELECT puppylog.lower_levels(id, '{NOON + timedelta(minutes=minute)}') FROM puppylog.metrics")
        for step, expected in zip(steps, before, strict=True):
            found = _read_steps(store, *step)
            assert found.keys() == expected.keys(), step
            assert list(found.values()) == pytest.approx(list(expected.values()), rel=1e-9, nan_ok=True), step


def _read_steps(
    store: PostgresStore, name: str, step_s: int, since: datetime, until: datetime
) -> dict[tuple[datetime, str], float]:
    sql = f"SELECT * FROM puppylog.read_metric('{name}', '{since}', '{until}', {step_s}) ORDER BY bucket, segment"
    return {
        (row["bucket"], row["segment"]): math.nan if row["value"] is None else row["value"] for row in _ask(store, sql)
    }


def test_a_metric_that_is_deleted_leaves_no_level(store: PostgresStore) -> None:
    before = _list_relations(store)
    for statistic in ("p99", "variance", "count"):
        store.create_metric(Metric("m", statistic, "*" if statistic == "count" else "response_bytes", 10))
        store.delete_metric("m")
    assert _list_relations(store) == before


def test_a_rollup_of_an_older_version_gets_hidden_columns_and_levels(
    store: PostgresStore, postgres_store_url: str
) -> None:
    store.create_metric(Metric("m", "avg", "response_bytes", 10))
    fresh = [row["attname"] for row in _ask(store, f"{COLUMNS} ORDER BY attnum")]
    (metric,) = _ask(store, "SELECT id, query FROM puppylog.metrics")
    with Session(postgres_store_url, application="test") as session:
        for step, level in ((86_400, "1d"), (3600, "1h"), (60, "1m")):
            session.run(f"DROP VIEW metrics_{level}.m")
            session.run(f"DROP VIEW puppylog.buckets_{metric['id']}_{step}")
            session.run(f"DROP TABLE puppylog.level_{metric['id']}_{step}")
        session.run(f"DROP VIEW puppylog.buckets_{metric['id']}")
        session.run(f"ALTER TABLE puppylog.rollup_{metric['id']} DROP COLUMN weight")
        session.run("DELETE FROM puppylog.levels")
        session.run("UPDATE puppylog.metrics SET steps = NULL")
        with session.transaction():
            add_levels(session)
    upgraded = [row["attname"] for row in _ask(store, f"{COLUMNS} AND NOT attisdropped ORDER BY attnum")]
    assert upgraded == fresh
    assert _ask(store, "SELECT query FROM puppylog.metrics") == [{"query": metric["query"]}]
    Source(store, "file:///late.log").append(rows([_record(90, 500_000)]))
    _refresh(postgres_store_url)
    assert len(_ask(store, "SELECT * FROM metrics_1h.m")) == 2


def test_an_upgrade_counts_the_buckets_of_older_levels(store: PostgresStore, postgres_store_url: str) -> None:
    store.create_metric(Metric("m", "count", "*", 10, segment="request_method"))
    sizes = "SELECT step_s, bucket, buckets FROM puppylog.level_sizes ORDER BY 1, 2"
    before = _ask(store, sizes)
    assert {row["step_s"] for row in before} == {60, 3600, 86_400}
    with Session(postgres_store_url, application="test") as session, session.transaction():
        session.run("DROP TABLE puppylog.level_sizes")
        [(_, migration)] = [found for found in iter_migrations(Flavour.PLAIN, 8) if found[0] == 9]
        for statement in split_statements(migration):
            session.run(statement)
    assert _ask(store, sizes) == before


def _list_relations(store: PostgresStore) -> Sequence[dict[str, Any]]:
    return _ask(
        store,
        "SELECT CAST(oid::regclass AS text) AS name FROM pg_class WHERE relkind IN ('r', 'v', 'i') "
        "AND CAST(relnamespace::regnamespace AS text) ~ '^(puppylog|metrics.*)$' ORDER BY 1",
    )
