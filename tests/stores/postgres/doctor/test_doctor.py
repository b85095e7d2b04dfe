"""Findings about a real server: its faults are found, as the owner and as a role that may only read."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg
import pytest

from puppylog.model.alert import Alert, Comparison, NoData
from puppylog.model.finding import Finding, Health
from puppylog.model.metric import Metric
from puppylog.monitor.doctor import list_findings
from puppylog.stores.base import Store
from puppylog.stores.connect import connect
from puppylog.stores.postgres.runner import JobRunner
from puppylog.stores.postgres.schema.bootstrap import bootstrap
from puppylog.stores.postgres.schema.migrations import SCHEMA_VERSION
from support.embedded import wait_until
from support.lines import Source, records
from support.postgres import PostgresServer

pytestmark = pytest.mark.sampled

ALERT = Alert("busy", "total", "avg", Comparison.ABOVE, 10, 3, 1, 0, 0, 2, each_segment=False, no_data=NoData.ZERO)


@dataclass(frozen=True, slots=True)
class Patient:
    """A store, with methods to break and to check it."""

    url: str
    store: Store

    def run(self, sql: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.encode())

    def check(self) -> dict[str, Finding]:
        """Return the worst finding of each subject."""
        order = list(Health)
        found = sorted(list_findings(self.store, recheck_s=0), key=lambda finding: order.index(finding.state))
        return {finding.subject: finding for finding in found}

    def bad(self) -> list[str]:
        return sorted(subject for subject, finding in self.check().items() if finding.state.is_bad)


@pytest.fixture
def patient(postgres_store_url: str) -> Iterator[Patient]:
    """An empty store, whose jobs no process runs."""
    with connect(postgres_store_url) as store:
        yield Patient(postgres_store_url, store)


@pytest.fixture
def busy(patient: Patient) -> Patient:
    """A metric, an alert on it, and records of now; their collector has ended, and no process runs the jobs."""
    with connect(patient.url) as collector:
        Source(collector).append(records(10, ts=datetime.now(UTC), step_s=0))
    patient.run("DELETE FROM puppylog.heartbeat")
    patient.store.create_metric(Metric("total", "count", "*", 1, refresh_s=1))
    patient.store.create_alert(ALERT)
    return patient


def test_an_empty_store_has_no_bad_findings(patient: Patient) -> None:
    found = patient.check()
    assert patient.bad() == []
    assert found["server"].found.startswith("PostgreSQL ")
    assert found["store"].found == f"flavour plain, schema version {SCHEMA_VERSION}; records are kept for ever"
    assert found["capability several machines"].state is Health.NOTE
    assert found["partitions"].found == "those of today and tomorrow (UTC) exist"
    assert found["jobs"].state is Health.NOTE


def test_a_store_is_ok_while_its_jobs_run_and_wrong_after_their_runner_has_ended(busy: Patient) -> None:
    assert busy.bad() == ["evaluator", "jobs"]
    with JobRunner(busy.url):
        wait_until(lambda: busy.bad() == [], what="the jobs' first round")
        found = busy.check()
        assert "a puppylog process runs them" in found["jobs"].found
        assert found["partitions"].found == "those of today and tomorrow (UTC) exist"
    assert "jobs" in busy.bad()  # of this moment; the rest becomes old later


def test_an_alert_that_cannot_be_evaluated_is_wrong(busy: Patient) -> None:
    with JobRunner(busy.url):
        wait_until(lambda: busy.bad() == [], what="the jobs' first round")
        busy.run("DROP VIEW metrics.total")
        wait_until(lambda: busy.bad() == ["alert busy"], what="a failing evaluation")
        assert 'relation "metrics.total" does not exist' in busy.check()["alert busy"].found


def test_a_metric_that_cannot_be_refreshed_is_wrong(busy: Patient) -> None:
    with JobRunner(busy.url):
        wait_until(lambda: busy.bad() == [], what="the jobs' first round")
        busy.run("UPDATE puppylog.metrics SET query = 'SELECT 1 / 0'")
        # Until the job has failed, the doctor may say that the metric's buckets cannot be checked.
        failed = "its last refresh failed: "
        wait_until(lambda: failed in busy.check()["metric total"].found, what="a failing refresh")
        assert "metric total" in busy.bad()


def test_a_metric_that_no_job_refreshes_is_wrong(busy: Patient) -> None:
    busy.run("UPDATE puppylog.metrics SET refreshed_at = now() - INTERVAL '1 hour'")
    assert busy.check()["metric total"].found == "it was last refreshed 1 h ago"


def test_a_missing_partition_is_a_warning_if_the_jobs_should_have_created_it(busy: Patient) -> None:
    tomorrow = "SELECT 'log_records_' || to_char((now() AT TIME ZONE 'UTC')::date + 1, 'YYYYMMDD') AS name"
    with JobRunner(busy.url):
        wait_until(lambda: busy.bad() == [], what="the jobs' first round")
        busy.run(f"DROP TABLE puppylog.{busy.store.query(tomorrow)['name'][0]}")
        assert busy.bad() == ["partitions"]
        assert "the one of tomorrow (UTC) is missing" in busy.check()["partitions"].found
    assert busy.check()["partitions"].state is Health.NOTE


def test_records_in_the_default_partition_are_a_warning_if_their_day_gets_a_partition(patient: Patient) -> None:
    with connect(patient.url) as collector:  # closed before the next insertion, so that its jobs do not move the record
        Source(collector).append(records(1, ts=datetime(2015, 5, 17, tzinfo=UTC)))
    rest = patient.check()["log_records_rest"]
    assert (rest.state, "2015-05-17 to 2015-05-17" in rest.found) == (Health.NOTE, True)
    patient.run("INSERT INTO puppylog.log_records (ts, stream_id, file_id, line_offset) "
                "VALUES (now() - interval '9 days', 1, 1, 1)")  # fmt: skip
    rest = patient.check()["log_records_rest"]
    assert (rest.state, "it holds 1 records of days" in rest.found) == (Health.WARNING, True)


def test_a_database_that_is_read_only_by_default_is_a_warning(patient: Patient) -> None:
    patient.run("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', "
                "current_database()); END $$")  # fmt: skip
    with connect(patient.url) as store:
        found = Patient(patient.url, store).check()
    assert (found["server"].state, found["server"].found) == (
        Health.WARNING,
        "transactions are read-only by default: nothing can be collected",
    )


@pytest.fixture(scope="module")
def guarded() -> Iterator[PostgresServer]:
    """A server of its own, because roles belong to a server and not to a database."""
    with PostgresServer() as server:
        bootstrap(server.url(), with_roles=True)
        with connect(server.url()) as store, server.connect() as admin:
            store.create_metric(Metric("total", "count", "*", 1, refresh_s=1))
            store.create_alert(ALERT)
            admin.execute("CREATE ROLE reader LOGIN IN ROLE puppylog_reader")
            admin.execute("CREATE ROLE writer LOGIN IN ROLE puppylog_writer")
        yield server


def test_a_reader_finds_what_the_owner_finds(guarded: PostgresServer) -> None:
    with connect(guarded.url()) as owned, connect(guarded.url().replace("postgres@", "reader@")) as read:
        assert read.info.url == owned.info.url
        seen = [[(one.subject, one.state) for one in list_findings(store, recheck_s=0)] for store in (owned, read)]
    assert seen[0] == seen[1]


def test_parts_that_a_writer_may_not_read_give_notes(guarded: PostgresServer) -> None:
    with connect(guarded.url().replace("postgres@", "writer@")) as store:
        found = Patient("", store).check()
    assert [finding.subject for finding in found.values() if finding.state.is_bad] == []
    assert found["metrics"].found == "this role may not see it: permission denied for table metrics"
