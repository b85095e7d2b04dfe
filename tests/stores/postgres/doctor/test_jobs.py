"""Findings about jobs and metrics, from the rows of the doctor's queries."""

from typing import Any

import pytest

from puppylog.model.finding import Health
from puppylog.stores.postgres.doctor.jobs import judge_cron_job, judge_job, judge_metric

JOB: dict[str, Any] = {
    "job_id": 1000,
    "scheduled": True,
    "last_run_status": "Success",
    "job_status": "Scheduled",
    "total_runs": 20,
    "total_failures": 2,
    "every_s": 5.0,
    "success_age_s": 3.0,
    "late_s": -2.0,
    "start_offset_s": 86_500.0,
    "dropped_s": None,
    "why": "",
}
CRON_JOB: dict[str, Any] = {"active": True, "status": "succeeded", "return_message": "CALL", "age_s": 3.0}
METRIC: dict[str, Any] = {
    "name": "hits",
    "kind": "rollup",
    "error": None,
    "refresh_s": 10,
    "age_s": 5.0,
    "is_refreshed": True,
}


@pytest.mark.parametrize(
    ("changes", "state", "found"),
    [
        ({}, Health.OK, "it last succeeded 3 s ago; 2 of 20 runs failed"),
        ({"total_runs": 0}, Health.OK, "it has not been run yet"),
        ({"scheduled": False}, Health.WRONG, "it is paused"),
        ({"last_run_status": "Failed", "success_age_s": 60.0}, Health.NOTE, "its last run failed: why"),
        ({"last_run_status": "Failed", "success_age_s": 61.0}, Health.WRONG, "it last succeeded 1 min ago"),
        ({"last_run_status": "Failed", "success_age_s": None}, Health.WRONG, "it has never succeeded"),
        ({"late_s": 60.0}, Health.OK, "it last succeeded"),
        ({"late_s": 61.0}, Health.WRONG, "it should have run 1 min ago"),
        ({"late_s": 61.0, "job_status": "Running"}, Health.OK, "it last succeeded"),
        ({"late_s": None}, Health.OK, "it last succeeded"),
    ],
)
def test_a_job_of_timescaledb_is_wrong_when_it_does_not_succeed_in_time(
    changes: dict[str, Any], state: Health, found: str
) -> None:
    judged = judge_job("job x", {**JOB, **changes}, "why")
    assert judged.state is state
    assert found in judged.found


@pytest.mark.parametrize(
    ("changes", "state", "found"),
    [
        ({}, Health.OK, "its last run, 3 s ago: succeeded"),
        ({"status": None, "age_s": None}, Health.OK, "no run of it has been noted yet"),
        ({"status": "running", "age_s": 100.0}, Health.OK, "running"),
        ({"age_s": 61.0}, Health.WRONG, "it was last run 1 min ago"),
        ({"active": False}, Health.WRONG, "it is not active"),
        ({"status": "failed", "return_message": "ERROR: no\nCONTEXT: x"}, Health.WRONG, "failed 3 s ago: ERROR: no"),
        ({"status": "failed", "return_message": None}, Health.WRONG, "it does not say why"),
    ],
)
def test_a_job_of_pg_cron_is_wrong_when_it_fails_or_is_not_run(
    changes: dict[str, Any], state: Health, found: str
) -> None:
    judged = judge_cron_job("puppylog jobs", 5.0, {**CRON_JOB, **changes})
    assert judged.state is state
    assert found in judged.found
    assert "CONTEXT" not in judged.found


def test_a_job_of_pg_cron_that_is_missing_is_wrong() -> None:
    judged = judge_cron_job("puppylog jobs", 5.0, None)
    assert (judged.subject, judged.state, judged.found) == ("job puppylog jobs", Health.WRONG, "there is none")


@pytest.mark.parametrize(
    ("changes", "state", "found"),
    [
        ({}, Health.OK, "refreshed 5 s ago"),
        ({"is_refreshed": False}, Health.OK, "not refreshed yet"),
        ({"age_s": 100.0}, Health.OK, "refreshed 1 min ago"),
        ({"age_s": 101.0}, Health.WRONG, "it was last refreshed 1 min ago"),
        ({"age_s": 101.0, "is_refreshed": False}, Health.WRONG, "it has never been refreshed"),
        ({"error": "division by zero"}, Health.WRONG, "its last refresh failed: division by zero"),
    ],
)
def test_a_rollup_is_wrong_when_its_refresh_fails_or_is_late(
    changes: dict[str, Any], state: Health, found: str
) -> None:
    judged = judge_metric({**METRIC, **changes}, None)
    assert (judged.subject, judged.state) == ("metric hits", state)
    assert found in judged.found


@pytest.mark.parametrize(
    ("policy", "state", "found"),
    [
        (JOB, Health.OK, "it last succeeded 3 s ago"),
        (None, Health.WRONG, "its policy is missing"),
        ({**JOB, "scheduled": False}, Health.WRONG, "it is paused"),
        ({**JOB, "dropped_s": 86_501.0}, Health.OK, "it last succeeded"),
        ({**JOB, "dropped_s": 86_500.0}, Health.WRONG, "refreshes the last 24 h, but records are dropped after 24 h"),
        ({**JOB, "dropped_s": 86_500.0, "start_offset_s": None}, Health.WRONG, "refreshes all of it"),
    ],
)
def test_a_continuous_aggregate_has_the_state_of_its_policy(
    policy: dict[str, Any] | None, state: Health, found: str
) -> None:
    judged = judge_metric({**METRIC, "kind": "continuous_aggregate", "age_s": 1e6}, policy)
    assert judged.state is state
    assert found in judged.found
