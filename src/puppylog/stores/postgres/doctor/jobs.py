"""Checks whether the jobs of a PostgreSQL store run, and whether its metrics are up to date."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from puppylog.model.derived import DERIVED
from puppylog.model.finding import Finding, Health, format_age
from puppylog.stores.doctor import COMPARED_S, findings_of, judge_derived, limit_s
from puppylog.stores.postgres.definitions.server import CONTINUOUS
from puppylog.stores.postgres.doctor.levels import find_wrong_level
from puppylog.stores.postgres.doctor.sums import compare_sums
from puppylog.stores.postgres.schema.flavour import Flavour, Server
from puppylog.stores.postgres.schema.installation import Installation
from puppylog.stores.postgres.sessions.session import Session
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores.postgres", "doctor.sql")

Row = Mapping[str, Any]

_BOOTSTRAP: Final = "run 'puppylog bootstrap' as the owner of the store; it creates what is missing"
_RUN_JOBS: Final = "keep 'puppylog up' or a collector with --watch running, or install pg_cron in this database"
_SEE_SCHEDULER: Final = (
    "check whether TimescaleDB's scheduler runs: the server's log, timescaledb.max_background_workers, "
    "SELECT _timescaledb_functions.start_background_workers()"
)
_CRON_JOBS: Final = {"puppylog jobs": 5.0, "puppylog days": 600.0, "puppylog tidy": 3600.0}  # periods in seconds


def list_job_findings(session: Session, server: Server, installed: Installation) -> list[Finding]:
    """Return the findings about the scheduler of the jobs and about each metric."""
    if installed.flavour.is_timescale:
        return [
            *findings_of("jobs", partial(_iter_timescale_findings, session, installed)),
            *findings_of("background workers", partial(_iter_worker_findings, session)),
        ]
    runs = _iter_cron_findings if server.has_cron else _iter_runner_findings
    return [
        *findings_of("jobs", partial(runs, session)),
        *findings_of("metrics", partial(_iter_metric_findings, session, {})),
    ]


# --- TimescaleDB's scheduler


def _iter_timescale_findings(session: Session, installed: Installation) -> Iterator[Finding]:
    jobs = session.rows(_QUERIES["timescale_jobs"])
    policies = {job["metric_id"]: job for job in jobs if job["metric_id"] is not None}
    named = {job["proc_name"]: job for job in jobs if job["metric_id"] is None}
    wanted = ["evaluate_job", "refresh_job"]
    wanted += ["policy_retention"] if installed.drop_after_s is not None else []
    if installed.columnar_after_s is not None:
        wanted.append("compress_job" if installed.flavour is Flavour.TIMESCALEDB_DISTRIBUTED else "policy_compression")
    for name in [*wanted, *sorted(named.keys() - set(wanted))]:
        if name in named:
            yield judge_job(f"job {name}", named[name], _explain(session, named[name]))
        else:
            yield Finding(f"job {name}", Health.WRONG, "there is none", _BOOTSTRAP)
    drops = [job["drop_after_s"] for job in jobs if job["proc_name"] == "policy_retention" and job["drop_after_s"]]
    for policy in policies.values():
        policy["dropped_s"] = min(drops, default=None)
        policy["why"] = _explain(session, policy)
    yield from findings_of("metrics", partial(_iter_metric_findings, session, policies))


def _explain(session: Session, job: Row) -> str:
    """Return why the job's last run failed; empty if it did not fail."""
    if job["last_run_status"] != "Failed":
        return ""
    errors = session.rows(_QUERIES["job_error"], {"job_id": job["job_id"]})
    return (
        _first_line(errors[0]["err_message"])
        if errors
        else "its owner may see why in timescaledb_information.job_errors"
    )


def _first_line(message: str | None) -> str:
    return (message or "it does not say why").partition("\n")[0].strip()


def judge_job(subject: str, job: Row, why: str) -> Finding:
    """Return the finding about a job of TimescaleDB, from a row of the query ``timescale_jobs``.

    A failed run is only a note if the job has succeeded recently. For example, two refreshes may conflict.
    """
    ran = f"{job['total_failures']} of {job['total_runs']} runs failed"
    succeeded = None if job["success_age_s"] is None else format_age(job["success_age_s"])
    last = "it has never succeeded" if succeeded is None else f"it last succeeded {succeeded} ago"
    late_s = limit_s(job["every_s"])
    if not job["scheduled"]:
        return Finding(subject, Health.WRONG, "it is paused", f"SELECT alter_job({job['job_id']}, scheduled => true)")
    if job["last_run_status"] == "Failed":
        is_recent = job["success_age_s"] is not None and job["success_age_s"] <= late_s
        state = Health.NOTE if is_recent else Health.WRONG
        return Finding(subject, state, f"its last run failed: {why}; {last}; {ran}", "TimescaleDB retries the job")
    if job["job_status"] != "Running" and job["late_s"] is not None and job["late_s"] > late_s:
        found = f"it should have run {format_age(job['late_s'])} ago; {last}"
        return Finding(subject, Health.WRONG, found, _SEE_SCHEDULER)
    if job["job_status"] != "Running" and job["late_s"] is not None and -job["late_s"] > late_s + job["every_s"]:
        found = f"its next run is {format_age(-job['late_s'])} ahead: the clock was set back; {last}"
        return Finding(subject, Health.WRONG, found, f"SELECT alter_job({job['job_id']}, next_start => now())")
    if job["total_runs"] == 0:
        return Finding(subject, Health.OK, "it has not been run yet")
    return Finding(subject, Health.OK, f"{last}; {ran}")


def _iter_worker_findings(session: Session) -> Iterator[Finding]:
    (row,) = session.rows(_QUERIES["background_workers"])
    found = f"{row['workers']} for all databases of the server; {row['jobs']} jobs in this one"
    if row["processes"] <= row["workers"]:
        found += f"; max_worker_processes is only {row['processes']}"
        advice = f"set max_worker_processes to {row['workers'] + 8} or more: parallel queries take from it as well"
        yield Finding("background workers", Health.NOTE, found, advice)
    elif row["jobs"] >= row["workers"]:
        advice = "if jobs run late, set timescaledb.max_background_workers, and max_worker_processes, higher"
        yield Finding("background workers", Health.NOTE, found, advice)
    else:
        yield Finding("background workers", Health.OK, found)


# --- pg_cron, or a client


def _iter_cron_findings(session: Session) -> Iterator[Finding]:
    jobs = {row["jobname"]: row for row in session.rows(_QUERIES["cron_jobs"])}
    if not jobs and not session.rows(_QUERIES["session"])[0]["is_owner"]:
        yield Finding("jobs", Health.NOTE, "pg_cron shows its jobs only to the role that owns them")
        return
    for name, every_s in _CRON_JOBS.items():
        yield judge_cron_job(name, every_s, jobs.get(name))


def judge_cron_job(name: str, every_s: float, job: Row | None) -> Finding:
    """Return the finding about a job of pg_cron, from a row of the query ``cron_jobs``; ``job`` None: it is missing."""
    subject = f"job {name}"
    if job is None:
        return Finding(subject, Health.WRONG, "there is none", _BOOTSTRAP)
    if not job["active"]:
        return Finding(
            subject, Health.WRONG, "it is not active", f"UPDATE cron.job SET active = true WHERE jobname = '{name}'"
        )
    if job["status"] is None:
        return Finding(subject, Health.OK, "no run of it has been noted yet")
    age = f"{format_age(job['age_s'])} ago"
    if job["status"] == "failed":
        return Finding(subject, Health.WRONG, f"its last run failed {age}: {_first_line(job['return_message'])}")
    if job["age_s"] > limit_s(every_s) and job["status"] == "succeeded":
        return Finding(subject, Health.WRONG, f"it was last run {age}", "check whether pg_cron runs: the server's log")
    return Finding(subject, Health.OK, f"its last run, {age}: {job['status']}")


def _iter_runner_findings(session: Session) -> Iterator[Finding]:
    runners = session.rows(_QUERIES["job_runner"])
    if runners:
        where = runners[0]["client_addr"]
        at = "" if where is None else f" at {where}"
        yield Finding("jobs", Health.OK, f"a puppylog process{at} runs them (server process {runners[0]['pid']})")
    elif session.value(_QUERIES["definitions"]):
        found = "no process runs them: metrics are not refreshed, and alerts are not evaluated"
        yield Finding("jobs", Health.WRONG, found, _RUN_JOBS)
    else:
        yield Finding("jobs", Health.NOTE, "no process runs them; there is no metric and no alert yet", _RUN_JOBS)


# --- metrics


def _iter_metric_findings(session: Session, policies: Mapping[int, Row]) -> Iterator[Finding]:
    for metric in session.rows(_QUERIES["metrics"]):
        if metric["kind"] == DERIVED:
            yield judge_derived(metric["name"], metric["property"])
            continue
        yield judge_metric(metric, policies.get(metric["id"]))
        for compare in (_compare_levels, _compare_sums):
            yield from findings_of(f"metric {metric['name']}", partial(compare, session, metric))


def _compare_levels(session: Session, metric: Row) -> list[Finding]:
    found = find_wrong_level(session, metric, COMPARED_S)
    return [] if found is None else [found]


def _compare_sums(session: Session, metric: Row) -> list[Finding]:
    return [compare_sums(session, metric)]


def judge_metric(metric: Row, policy: Row | None) -> Finding:
    """Return the finding about a metric, from a row of the query ``metrics`` and its policy in TimescaleDB, if any."""
    subject = f"metric {metric['name']}"
    if metric["error"] is not None:
        advice = "the jobs retry; until then the buckets of late lines may be out of date"
        return Finding(subject, Health.WRONG, f"its last refresh failed: {metric['error']}", advice)
    if metric["kind"] == CONTINUOUS:
        return _judge_policy(subject, policy)
    age = format_age(metric["age_s"])
    if metric["age_s"] > limit_s(metric["refresh_s"]):
        found = f"it was last refreshed {age} ago" if metric["is_refreshed"] else "it has never been refreshed"
        advice = "new buckets are computed from the records, which takes longer; late lines are missing. See 'jobs'"
        return Finding(subject, Health.WRONG, found, advice)
    return Finding(subject, Health.OK, f"refreshed {age} ago" if metric["is_refreshed"] else "not refreshed yet")


def _judge_policy(subject: str, policy: Row | None) -> Finding:
    if policy is None:
        return Finding(subject, Health.WRONG, "nothing refreshes it: its policy is missing", _BOOTSTRAP)
    start_s, dropped_s = policy["start_offset_s"], policy["dropped_s"]
    if dropped_s is not None and (start_s is None or start_s >= dropped_s):
        reach = "all of it" if start_s is None else f"the last {format_age(start_s)}"
        kept = format_age(dropped_s)
        found = f"its policy refreshes {reach}, but records are dropped after {kept}: that erases buckets"
        return Finding(subject, Health.WRONG, found, _BOOTSTRAP)
    return judge_job(subject, policy, policy["why"])
