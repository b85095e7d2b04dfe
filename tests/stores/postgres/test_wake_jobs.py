"""Clients wake the jobs of TimescaleDB that wait because the clock was set back, and no other jobs."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from puppylog.errors import PuppylogError
from puppylog.model.metric import Metric
from puppylog.stores.postgres.runner import JobWaker
from puppylog.stores.postgres.schema.bootstrap import bootstrap
from puppylog.stores.postgres.store import PostgresStore
from support.asking import ask
from support.database_elsewhere import database_elsewhere, server_of, timescaledb_distributed_database
from support.embedded import wait_until
from support.postgres import PostgresServer
from support.timescaledb import timescaledb_server

DATABASES = {
    "PUPPYLOG_TEST_TIMESCALEDB": database_elsewhere,
    "PUPPYLOG_TEST_TIMESCALEDB_DISTRIBUTED": timescaledb_distributed_database,
}
JOBS = """
    SELECT job_id FROM timescaledb_information.jobs
    WHERE proc_name IN ('evaluate_job', 'refresh_job', 'policy_refresh_continuous_aggregate') ORDER BY job_id
"""
AHEAD = f"""
    SELECT count(*) FROM timescaledb_information.job_stats
    WHERE job_id IN ({JOBS}) AND isfinite(next_start) AND next_start > clock_timestamp() + INTERVAL '1 minute'
"""


@pytest.fixture(scope="module", params=list(DATABASES))
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A store with a metric that a policy refreshes every minute."""
    with DATABASES[request.param](server_of(request.param, "jobs of TimescaleDB")) as url:
        bootstrap(url, is_distributed=request.param.endswith("DISTRIBUTED"))
        create_metric(url)
        yield url


def create_metric(url: str) -> None:
    with PostgresStore(url) as store:
        store.create_metric(Metric("total", "count", "*", 60, refresh_s=60))


def put_off(url: str, until: str, *, started: str = "now()") -> None:
    """Set the next start of the jobs to ``until``, and the last one to ``started``, as after a clock step."""

    def are_put_off() -> bool:
        ask(url, f"SELECT alter_job(job_id, next_start => {until}) FROM ({JOBS}) AS jobs")
        return ask(url, AHEAD) == [(3,)]

    wait_until(are_put_off, within_s=30, what="jobs that wait for the clock")
    ask(url, f"UPDATE _timescaledb_internal.bgw_job_stat SET last_start = {started} WHERE job_id IN ({JOBS})")


def runs(url: str) -> list[tuple[Any, ...]]:
    stats = "SELECT job_id, total_successes FROM timescaledb_information.job_stats"
    return ask(url, f"{stats} WHERE job_id IN ({JOBS}) ORDER BY job_id")


def have_all_run(url: str, before: list[tuple[Any, ...]]) -> bool:
    return all(now > then for (_, now), (_, then) in zip(runs(url), before, strict=True))


@pytest.mark.parametrize(
    "act", [lambda store: store.report([]), PostgresStore.keep_alive], ids=["report", "keep_alive"]
)
def test_a_client_wakes_jobs_that_wait_because_of_the_clock(url: str, act: Callable[[PostgresStore], None]) -> None:
    put_off(url, "now() + INTERVAL '1 hour'")
    before = runs(url)
    with PostgresStore(url) as store:
        act(store)
    assert ask(url, AHEAD) == [(0,)]
    wait_until(lambda: have_all_run(url, before), within_s=30, what="a run of every job")


def test_a_short_clock_step_is_recognized_by_a_job_that_started_in_the_future(url: str) -> None:
    put_off(url, "now() + INTERVAL '2 minutes'", started="now() + INTERVAL '1 minute'")
    with PostgresStore(url) as store:
        store.keep_alive()
    assert ask(url, AHEAD) == [(0,)]


def test_jobs_that_wait_no_longer_than_after_a_crash_are_not_woken(url: str) -> None:
    put_off(url, "now() + INTERVAL '5 minutes'")
    with PostgresStore(url) as store:
        store.keep_alive()
    assert ask(url, AHEAD) == [(3,)]


def test_a_job_that_an_administrator_has_put_off_for_ever_is_not_woken(url: str) -> None:
    put_off(url, "now() + INTERVAL '1 hour'")
    ask(url, f"SELECT alter_job(job_id, next_start => 'infinity') FROM ({JOBS}) AS jobs")
    with PostgresStore(url) as store:
        store.keep_alive()
    sql = f"SELECT count(*) FROM timescaledb_information.job_stats WHERE job_id IN ({JOBS}) AND next_start = 'infinity'"
    assert ask(url, sql) == [(3,)]


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server of its own, because roles belong to a whole server."""
    with timescaledb_server() as server:
        yield server


def test_a_writer_that_does_not_own_the_jobs_wakes_them(server: PostgresServer) -> None:
    url = server.url(server.create_database())
    bootstrap(url, with_roles=True)
    create_metric(url)
    ask(url, "CREATE ROLE writer LOGIN IN ROLE puppylog_writer")
    put_off(url, "now() + INTERVAL '1 hour'")
    with PostgresStore(url.replace("//postgres@", "//writer@")) as store:
        store.report([])
    assert ask(url, AHEAD) == [(0,)]


def test_jobs_are_woken_once_a_minute_and_errors_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[float] = []
    clock = [1000.0]

    class AwayLink:
        def call(self, _: object) -> None:
            calls.append(clock[0])
            raise PuppylogError("reach", "the store")

    monkeypatch.setattr("puppylog.stores.postgres.runner.time.monotonic", lambda: clock[0])
    waker = JobWaker()
    link: Any = AwayLink()
    for clock[0] in (1000.0, 1002.0, 1059.0, 1060.0, 1062.0):
        waker.wake(link)
    assert calls == [1000.0, 1060.0]
