"""What only TimescaleDB does: columnar old chunks, policies that leave dropped records alone, and fallbacks."""

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from puppylog.errors import StoreRefused, UsageError
from puppylog.model.metric import Metric
from puppylog.monitor.levels import read_levels
from puppylog.monitor.metric_reader import MetricReader
from puppylog.monitor.metrics import read_observations
from puppylog.stores.aggregate import sketch_sql
from puppylog.stores.base import Parameters
from puppylog.stores.cancellation import Cancellation
from puppylog.stores.postgres.schema.bootstrap import Lifetimes, bootstrap
from puppylog.stores.postgres.schema.flavour import Flavour
from puppylog.stores.postgres.schema.level_upgrade import renew_levels
from puppylog.stores.postgres.sessions.session import Session
from puppylog.stores.postgres.store import PostgresStore
from support.asking import ask
from support.database_elsewhere import database_elsewhere
from support.embedded import wait_until
from support.lines import Source, records

SERVER = os.environ.get("PUPPYLOG_TEST_TIMESCALEDB")
DAY_S = 86_400

pytestmark = pytest.mark.skipif(
    SERVER is None,
    reason="NOT TESTED: TimescaleDB; set PUPPYLOG_TEST_TIMESCALEDB to the URL of a server, as a superuser",
)


@pytest.fixture
def url() -> Iterator[str]:
    with database_elsewhere(SERVER or "") as url:
        bootstrap(url)
        yield url


@pytest.fixture
def store(url: str) -> Iterator[PostgresStore]:
    with PostgresStore(url) as store:
        yield store


def kinds(url: str) -> dict[str, str]:
    return dict(ask(url, "SELECT name, kind FROM puppylog.metrics"))


def test_an_old_chunk_becomes_columnar_and_accepts_late_lines(url: str, store: PostgresStore) -> None:
    week_ago = datetime.now(UTC) - timedelta(days=7)
    source = Source(store)
    source.append(records(5000, ts=week_ago, step_s=1, request_route="/a/b/c", response_bytes=7))
    store.create_metric(Metric("total", "sum", "response_bytes", 3600))
    (job,) = ask(url, "SELECT job_id FROM timescaledb_information.jobs WHERE proc_name LIKE '%compression%'")[0]
    ask(url, f"CALL run_job({job})")
    assert ask(url, "SELECT count(*) > 0 FROM timescaledb_information.chunks WHERE is_compressed") == [(True,)]
    source.append(records(10, ts=week_ago, start=source.offset, response_bytes=7))
    assert ask(url, "SELECT count(*), count(DISTINCT (file_id, line_offset)) FROM puppylog.log_records") == [
        (5010, 5010)
    ]
    wait_until(lambda: ask(url, "SELECT sum(value) FROM metrics.total") == [(5010 * 7.0,)], what="the correction")


def test_sketch_rows_of_some_buckets_are_planned_without_the_other_chunks(url: str, store: PostgresStore) -> None:
    now = datetime.now(UTC)
    Source(store).append(records(240, ts=now - timedelta(days=9, hours=23), step_s=3600, response_bytes=7))
    metric = Metric("p99", "p99", "response_bytes", 60)
    store.create_metric(metric)
    [(metric_id,)] = ask(url, "SELECT id FROM puppylog.metrics")
    rows = sketch_sql(metric, "postgres", where="ts > now() - INTERVAL '1 hour'")  # as older versions wrote it
    for is_renewed in (False, True):
        if is_renewed:
            ask(url, f"CREATE OR REPLACE VIEW puppylog.sketches_{metric_id} AS {rows}")
            with Session(url) as session, session.transaction():
                renew_levels(session)
        for view in (f"sketches_{metric_id}", f"sketches_{metric_id}_3600"):
            asked = f"SELECT * FROM puppylog.{view} WHERE bucket >= '{now - timedelta(hours=2)}'"
            plan = "\n".join(line for (line,) in ask(url, f"EXPLAIN {asked}"))
            assert len(set(re.findall(r" on (_hyper_1_\d+_chunk) ", plan))) <= 1, plan
        ask(url, "UPDATE puppylog.levels SET watermark = '-infinity'")
        assert ask(url, f"SELECT sum(n), count(DISTINCT bucket) FROM puppylog.sketches_{metric_id}") == [(240, 240)]


@pytest.mark.parametrize("refreshed_s_ago", [2000, 0])
def test_the_newest_buckets_of_a_new_chunk_are_read_by_its_index(
    url: str, store: PostgresStore, refreshed_s_ago: int
) -> None:
    """Nobody has analyzed a chunk that a backfill fills, so the server must not need statistics to choose the index."""
    now = datetime.now(UTC)
    metric = Metric("per_route", "count", "*", 10, "request_route", refresh_s=3600)
    store.create_metric(metric)
    Source(store).append(records(30_000, ts=now - timedelta(seconds=3000), step_s=0.1, request_route="/a"))
    [(metric_id,)] = ask(url, "SELECT id FROM puppylog.metrics")
    window = ", ".join(f"'{now - timedelta(seconds=ago)}'" for ago in (3000, refreshed_s_ago))
    ask(url, f"CALL refresh_continuous_aggregate('puppylog.continuous_{metric_id}', {window})")
    wait_until(lambda: 60 in read_levels(store)["per_route"].watermarks, what="the levels")
    asked: list[tuple[str, Parameters | None]] = []

    class NotingReader(MetricReader):
        def query(
            self, sql: str, parameters: Parameters | None = None, *, cancellation: Cancellation | None = None
        ) -> pa.Table:
            asked.append((sql, parameters))
            return super().query(sql, parameters, cancellation=cancellation)

    assert len(read_observations(NotingReader(store), metric, buckets=10)) == 10
    sql, parameters = asked[-1]
    with Session(url) as session:
        for setting in ("parallel_setup_cost", "parallel_tuple_cost", "min_parallel_table_scan_size"):
            session.run(f"SET {setting} = 0")  # as if the chunk were large
        plan = "\n".join(row["QUERY PLAN"] for row in session.rows(f"EXPLAIN {sql}", parameters))
    assert "Seq Scan on _hyper_1_" not in plan, plan


def test_every_policy_refreshes_less_than_the_time_that_records_are_kept(url: str, store: PostgresStore) -> None:
    store.create_metric(Metric("quick", "count", "*", 1))
    store.create_metric(Metric("slow", "count", "*", 6 * 3600))
    bootstrap(url, lifetimes=Lifetimes(drop_after_s=2 * DAY_S))
    sql = """
        SELECT CAST(config ->> 'start_offset' AS interval) < interval '2 days' FROM timescaledb_information.jobs
        WHERE proc_name = 'policy_refresh_continuous_aggregate'
    """
    assert ask(url, sql) == [(True,), (True,)]
    assert ask(
        url, "SELECT config ->> 'drop_after' FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention'"
    )
    with PostgresStore(url) as again, pytest.raises(UsageError, match="its period of 1d is too long for a store"):
        again.create_metric(Metric("daily", "count", "*", DAY_S))
    with pytest.raises(UsageError, match="metric 'slow' has a period of 6h"):
        bootstrap(url, lifetimes=Lifetimes(drop_after_s=DAY_S - 3600))


def test_dropping_records_keeps_their_buckets(url: str, store: PostgresStore) -> None:
    month_ago = datetime.now(UTC) - timedelta(days=30)
    source = Source(store)
    source.append(records(10, ts=month_ago, step_s=0), records(5, ts=datetime.now(UTC), step_s=0, start=1000))
    store.create_metric(Metric("total", "count", "*", 60))
    bootstrap(url, lifetimes=Lifetimes(drop_after_s=7 * DAY_S))
    (job,) = ask(url, "SELECT job_id FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention'")[0]
    ask(url, f"CALL run_job({job})")
    assert ask(url, "SELECT count(*) FROM puppylog.log_records") == [(5,)]
    source.append(records(1, ts=month_ago, start=source.offset))  # a late line must not erase the ten
    tables = "(SELECT 1 FROM puppylog.invalidations UNION ALL SELECT 1 FROM puppylog.touched_ranges)"
    wait_until(lambda: ask(url, f"SELECT count(*) FROM {tables} AS left_over") == [(0,)], what="the refresh")
    assert ask(url, "SELECT sum(value) FROM metrics.total") == [(15.0,)]


def test_a_metric_that_timescaledb_refuses_is_a_rollup(url: str, store: PostgresStore) -> None:
    store.create_group("web")
    store.create_metric(Metric("plain", "count", "*", 60))
    store.create_metric(Metric("grouped", "count", "*", 60, group="web"))
    store.create_metric(Metric("share", "ratio", "*", 60, of="status_code >= 500"))
    store.create_metric(Metric("speed", "max", "response_bytes / CAST(attributes ->> 'took' AS DOUBLE PRECISION)", 60))
    store.create_metric(Metric("twice", "derived", "share * 2", 60))
    assert kinds(url) == {
        "plain": "continuous_aggregate",
        "grouped": "rollup",
        "share": "continuous_aggregate",
        "speed": "continuous_aggregate",
        "twice": "derived",
    }
    for name in ("plain", "grouped", "twice", "share", "speed"):
        store.delete_metric(name)
    assert kinds(url) == {}
    left = "relnamespace = 'puppylog'::regnamespace AND relname ~ '^(rollup|continuous)_'"
    assert ask(url, f"SELECT count(*) FROM pg_class WHERE {left}") == [(0,)]


def test_an_owner_gets_timescaledb_and_a_role_that_may_not_create_it_is_refused() -> None:
    with database_elsewhere(SERVER or "") as url:
        name = conninfo_to_dict(url)["dbname"]
        ask(url, f"CREATE ROLE {name} LOGIN")
        try:
            mine = make_conninfo(url, user=name)
            with pytest.raises(StoreRefused, match="let a superuser run CREATE EXTENSION timescaledb"):
                bootstrap(mine)
            ask(url, f"GRANT CREATE ON DATABASE {name} TO {name}")
            assert bootstrap(mine).flavour is Flavour.TIMESCALEDB
        finally:
            ask(url, f"REASSIGN OWNED BY {name} TO CURRENT_USER")
            ask(url, f"DROP OWNED BY {name} CASCADE")
            ask(url, f"DROP ROLE {name}")
