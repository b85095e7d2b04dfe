"""Running the jobs in a client: one client at a time, with a last round at its end."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from puppylog.model.metric import Metric
from puppylog.stores.postgres import runner
from puppylog.stores.postgres import store as store_module
from puppylog.stores.postgres.runner import JobRunner
from puppylog.stores.postgres.sessions.session import Session
from puppylog.stores.postgres.store import PostgresStore
from support.alert_tables import ALERT
from support.asking import ask
from support.embedded import wait_until
from support.lines import Source, records


def test_a_client_that_stores_old_lines_refreshes_the_metrics_before_it_ends(postgres_store_url: str) -> None:
    with PostgresStore(postgres_store_url) as store:
        store.create_metric(Metric("total", "count", "*", 60, refresh_s=3600))
    with PostgresStore(postgres_store_url) as store:
        Source(store).append(records(100, ts=datetime.now(UTC) - timedelta(days=3)))
    assert ask(postgres_store_url, "SELECT sum(value) FROM metrics.total") == [(100.0,)]


def test_one_client_runs_the_jobs_and_the_next_client_takes_over(postgres_store_url: str) -> None:
    leaders = """
        SELECT pid FROM pg_locks
        WHERE locktype = 'advisory' AND granted AND (classid, objid) = (1885697639, 6)
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    """

    def find_leaders() -> list[tuple[Any, ...]]:
        return ask(postgres_store_url, leaders)

    with JobRunner(postgres_store_url) as first:
        wait_until(lambda: len(find_leaders()) == 1, what="leading")
        before = find_leaders()
        with JobRunner(postgres_store_url):
            assert find_leaders() == before
            first.close()
            # The second may lead at once, so a moment without a leader need not be seen.
            wait_until(lambda: len(find_leaders()) == 1 and find_leaders() != before, what="taking over")
    wait_until(lambda: find_leaders() == [], what="the end of the last session on the server")


def test_a_client_that_does_not_run_the_jobs_keeps_no_connection(
    postgres_store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Session] = []

    def connect(url: str, *, application: str) -> Session:
        opened.append(Session(url, application=application))
        return opened[-1]

    monkeypatch.setattr(runner, "Session", connect)
    with JobRunner(postgres_store_url):
        wait_until(lambda: len(opened) == 1, what="leading")
        with JobRunner(postgres_store_url):
            wait_until(lambda: len(opened) == 2 and opened[1].is_broken, what="the end of the second's session")
        assert not opened[0].is_broken


def break_notes(url: str) -> None:
    """Make the invalidations unreadable, as they are while a worker of Citus does not answer."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "CREATE OR REPLACE FUNCTION puppylog.take_invalidations() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN "
            "RAISE connection_exception USING MESSAGE = 'connection to the remote node failed'; END $$"
        )


def test_alerts_are_evaluated_while_metrics_cannot_be_refreshed_and_the_heartbeat_says_why(
    postgres_store_url: str,
) -> None:
    with PostgresStore(postgres_store_url) as store:
        store.create_metric(Metric("total", "count", "*", 60))
        store.create_alert(replace(ALERT, metric="total", window_s=60))
    break_notes(postgres_store_url)
    ask(postgres_store_url, "UPDATE puppylog.alerts SET evaluated_at = now() - INTERVAL '1 hour' RETURNING 1")
    late = "SELECT count(*) FROM puppylog.alerts WHERE evaluated_at < now() - INTERVAL '1 minute'"
    with JobRunner(postgres_store_url):
        wait_until(lambda: ask(postgres_store_url, late) == [(0,)], what="the alert's evaluation")
        wait_until(
            lambda: "remote node failed" in str(ask(postgres_store_url, "SELECT error FROM puppylog.heartbeat")),
            what="the heartbeat's error",
        )


def test_a_scheduler_in_the_server_evaluates_alerts_while_metrics_cannot_be_refreshed(postgres_store_url: str) -> None:
    with PostgresStore(postgres_store_url) as store:
        store.create_metric(Metric("total", "count", "*", 60))
        store.create_alert(replace(ALERT, metric="total", window_s=60))
    break_notes(postgres_store_url)
    ask(postgres_store_url, "UPDATE puppylog.alerts SET evaluated_at = now() - INTERVAL '1 hour' RETURNING 1")
    with psycopg.connect(postgres_store_url, autocommit=True) as connection:
        connection.execute("CALL puppylog.run_jobs('pg_cron')")
    assert ask(postgres_store_url, "SELECT evaluated_at > now() - INTERVAL '1 minute' FROM puppylog.alerts") == [
        (True,)
    ]


def test_a_commit_and_a_watching_collector_start_one_runner_together(
    postgres_store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []
    both_are_starting = threading.Barrier(2)

    class CountedRunner:
        def __init__(self, url: str) -> None:
            started.append(url)
            with suppress(threading.BrokenBarrierError):
                both_are_starting.wait(timeout=0.5)

        def close(self) -> None:
            pass

    monkeypatch.setattr(store_module, "JobRunner", CountedRunner)
    with PostgresStore(postgres_store_url) as store, ThreadPoolExecutor(2) as threads:
        calls: list[Future[object]] = [threads.submit(store.keep_alive), threads.submit(store.append, [], [], [])]
        for call in calls:
            call.result(timeout=30)
    assert len(started) == 1
