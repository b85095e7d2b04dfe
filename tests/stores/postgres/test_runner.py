"""Running the jobs from a client: one at a time, and not without a last round."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from puppylog.model.metric import Metric
from puppylog.stores.postgres.runner import JobRunner
from puppylog.stores.postgres.store import PostgresStore
from support.embedded import wait_until
from support.lines import Source, records


def ask(url: str, sql: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(sql.encode()).fetchall()


def test_who_stores_old_lines_and_leaves_leaves_metrics_that_know_them(postgres_store_url: str) -> None:
    with PostgresStore(postgres_store_url) as store:
        store.create_metric(Metric("total", "count", "*", 60, refresh_s=3600))
    with PostgresStore(postgres_store_url) as store:
        Source(store).append(records(100, ts=datetime.now(UTC) - timedelta(days=3)))
    assert ask(postgres_store_url, "SELECT sum(value) FROM metrics.total") == [(100.0,)]


def test_one_client_leads_and_the_next_takes_over(postgres_store_url: str) -> None:
    leaders = (
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND (classid, objid) = (1885697639, 6)"
    )
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'puppylog-jobs'"
    here = f"{leaders} AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    with JobRunner(postgres_store_url) as first:
        wait_until(lambda: ask(postgres_store_url, here) == [(1,)], what="leading")
        with JobRunner(postgres_store_url):
            wait_until(lambda: ask(postgres_store_url, f"{waiting} AND datname = current_database()") == [(2,)])
            assert ask(postgres_store_url, here) == [(1,)]
            first.close()
            wait_until(lambda: ask(postgres_store_url, here) == [(1,)], what="taking over")
    assert ask(postgres_store_url, here) == [(0,)]
