"""Continuous aggregates of TimescaleDB: they are complete, in whatever order the policy and the store's job run."""

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from puppylog.stores.postgres.schema.bootstrap import bootstrap
from support.clock_steps import DAY_S, PERIODS, Step, clock_steps
from support.database_elsewhere import database_elsewhere
from support.embedded import wait_until
from support.examples import examples
from support.refreshed_metric import RefreshedMetric

SERVER = os.environ.get("PUPPYLOG_TEST_TIMESCALEDB")
START_S = 1_790_000_000

pytestmark = pytest.mark.skipif(
    SERVER is None,
    reason="NOT TESTED: TimescaleDB; set PUPPYLOG_TEST_TIMESCALEDB to the URL of a server, as a superuser",
)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A store whose jobs run only when a test runs them."""
    with database_elsewhere(SERVER or "") as url:
        bootstrap(url)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SELECT _timescaledb_functions.stop_background_workers()")
        yield url


@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(period_s=st.sampled_from(PERIODS), steps=clock_steps(has_policy=True))
# The bucket at the edge of the policy's reach: for the job it is the policy's, for the policy it is too old.
@example(period_s=1, steps=[("line", -DAY_S - 8), ("line", -60), ("refresh", 0), ("clock", 5), ("policy", 0)])
def test_every_refresh_leaves_the_buckets_complete(url: str, period_s: int, steps: Sequence[Step]) -> None:
    clock_s = latest_s = START_S
    with closing(RefreshedMetric(url, period_s)) as metric:
        assert metric.kind == "continuous_aggregate"
        for what, seconds in steps:
            if what == "line":
                metric.store_line(clock_s + seconds)
            elif what == "clock":
                clock_s += seconds
                latest_s = max(clock_s, latest_s)
            elif what == "policy":
                metric.run_policy(clock_s)
            else:
                metric.refresh(clock_s)
                assert metric.error() is None
        # A policy does not refresh buckets after its clock's time, so the clock must come back to where it was.
        metric.run_policy(latest_s + 2 * period_s + 3600)
        metric.refresh(latest_s + 2 * period_s + 3600)
        assert metric.error() is None
        assert metric.read_values() == metric.count_records()
        assert metric.read_levels() == metric.count_in_levels()


def test_a_bucket_at_the_start_of_the_policys_window_is_refreshed(url: str) -> None:
    with closing(RefreshedMetric(url, 1)) as metric:
        edge_s = int(time.time()) - DAY_S - 10
        for at_s in [*range(edge_s - 5, edge_s + 15), edge_s + DAY_S - 60]:
            metric.store_line(at_s)
        metric.ask("CALL puppylog.refresh_job(0, NULL)")
        metric.run_policy(int(time.time()) + 3)

        def is_complete() -> bool:
            metric.ask("CALL puppylog.refresh_job(0, NULL)")
            return metric.read_values() == metric.count_records()

        wait_until(is_complete, what="the buckets at the edge")


def test_a_backfill_leaves_no_error_in_a_metric(url: str) -> None:
    with closing(RefreshedMetric(url, 1)) as metric, psycopg.connect(url, autocommit=True) as backfill:
        stop = threading.Event()

        def fill() -> None:
            """Store lines that are older than the policy reaches, without a pause."""
            while not stop.is_set():
                with backfill.transaction():
                    backfill.execute(
                        "INSERT INTO puppylog.log_records (ts, stream_id, file_id, line_offset) "
                        "SELECT now() - make_interval(days => 3, secs => n), 1, 1, 0 FROM generate_series(1, 300) AS n"
                    )
                    backfill.execute(
                        "INSERT INTO puppylog.invalidations (stream_id, low, high) "
                        "VALUES (1, now() - INTERVAL '3 days 300 s', now() - INTERVAL '3 days')"
                    )

        filling = threading.Thread(target=fill)
        filling.start()
        try:
            for _ in range(10):
                metric.ask("CALL puppylog.refresh_job(0, NULL)")
                assert metric.error() is None
        finally:
            stop.set()
            filling.join()
        metric.ask("CALL puppylog.refresh_job(0, NULL)")
        metric.ask("CALL puppylog.refresh_job(0, NULL)")
        assert metric.read_values() == metric.count_records()


def test_an_upgrade_repairs_missing_buckets(url: str) -> None:
    with closing(RefreshedMetric(url, 1)) as metric:
        metric.store_line(START_S - 30 * DAY_S)
        metric.store_line(START_S)
        metric.ask("DELETE FROM puppylog.invalidations")
        metric.run_policy(START_S + 60)
        assert sum(metric.read_values().values()) == 1
        metric.ask("UPDATE puppylog.metrics SET watermark = puppylog.watermark_of(id)")  # as the former version did
        metric.refresh(START_S + 60)
        assert sum(metric.read_values().values()) == 1
        metric.ask("UPDATE puppylog.metrics SET watermark = '-infinity'")  # as the migration does
        metric.refresh(START_S + 60)
        assert metric.read_values() == metric.count_records()
