"""A job of TimescaleDB whose next run is far in the future waits because the clock was set back."""

from puppylog.model.finding import Health
from puppylog.stores.postgres.doctor.jobs import judge_job

JOB = {
    "job_id": 1000,
    "scheduled": True,
    "last_run_status": "Success",
    "job_status": "Scheduled",
    "total_runs": 9,
    "total_failures": 0,
    "every_s": 5.0,
    "success_age_s": -3600.0,
    "late_s": -3600.0,
}


def test_a_job_that_waits_for_the_clock_is_wrong_and_a_scheduled_job_is_not() -> None:
    found = judge_job("job evaluate_job", JOB, "")
    assert (found.state, found.advice) == (Health.WRONG, "SELECT alter_job(1000, next_start => now())")
    assert found.found.startswith("its next run is 1 h ahead: the clock was set back")
    assert judge_job("job evaluate_job", {**JOB, "success_age_s": 1.0, "late_s": -4.0}, "").state is Health.OK
