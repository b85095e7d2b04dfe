"""The doctor's findings: first those that only this kind of store has, then those that every store has.

Findings come in the order in which their subjects depend on each other: server, capabilities, jobs,
metrics, evaluator, alerts, notifications, times of records, streams. Findings of one subject follow each other.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from puppylog.model.finding import Finding, Health, format_age
from puppylog.model.period import format_period
from puppylog.model.source import name_source
from puppylog.monitor.alerts import describe_unjudged, find_heartbeat, is_overdue
from puppylog.monitor.clock import find_clock_step
from puppylog.monitor.collectors import StreamState, list_followed_streams
from puppylog.monitor.notifications import iter_notification_findings
from puppylog.monitor.untimed import iter_untimed_findings
from puppylog.stores.base import RecordReader, Store
from puppylog.stores.doctor import findings_of
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores", "monitor.sql")

RECHECK_S: Final = 3.0
"""An engine that this client has just started runs all its jobs once within this time."""

# A stream without new lines for this long is noted.
_QUIET_S: Final = 86_400.0

_FEWER_SEGMENTS: Final = "let the segment expression of its metric give fewer segments"
_SEE_JOBS: Final = "see the findings on jobs, above"
_SEE_DOCTOR: Final = "'puppylog doctor' shows the jobs, and what is wrong with them"
_SEE_STATUS: Final = "start its collector again, or see 'puppylog collector status'"


def list_findings(store: Store, *, recheck_s: float = RECHECK_S) -> list[Finding]:
    """Return all findings on the store.

    If a finding is wrong, all findings are collected again ``recheck_s`` seconds later, and those are returned: the
    jobs of a store that has just been opened may not have run yet.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    return _collect_twice(partial(_collect_findings, store), recheck_s)


def list_vital_findings(store: Store, *, recheck_s: float = RECHECK_S) -> list[Finding]:
    """Return whether the store answers, and whether its evaluator runs: what a health check asks every minute.

    Reads a few rows. A client that may only store lines cannot read the heartbeat, which is a note. ``recheck_s`` is
    that of `list_findings`.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    answers = Finding("store", Health.OK, "it answers")

    def collect() -> list[Finding]:
        return [answers, *findings_of("evaluator", partial(iter_evaluator_findings, store, advice=_SEE_DOCTOR))]

    return _collect_twice(collect, recheck_s)


def _collect_twice(collect: Callable[[], list[Finding]], recheck_s: float) -> list[Finding]:
    """Return the findings, collected again after ``recheck_s`` seconds if one of them is wrong."""
    findings = collect()
    if any(finding.state is Health.WRONG for finding in findings):
        time.sleep(recheck_s)
        findings = collect()
    return findings


def _collect_findings(store: Store) -> list[Finding]:
    own = store.list_findings()
    return [
        *own.findings,
        *findings_of("clock", partial(iter_clock_findings, store)),
        *findings_of("evaluator", partial(iter_evaluator_findings, store)),
        *findings_of("alerts", partial(iter_alert_findings, store)),
        *findings_of("notifications", partial(iter_notification_findings, store)),
        *findings_of("record times", partial(iter_untimed_findings, store)),
        *findings_of("streams", partial(iter_stream_findings, store, own.claimed)),
    ]


def iter_clock_findings(reader: RecordReader) -> Iterator[Finding]:
    """Yield a finding if the store's clock was set back within the last day."""
    step = find_clock_step(reader)
    if step is not None:
        advice = "synchronize the clock of the store's machine; the time that came twice is evaluated twice"
        yield Finding("clock", Health.WARNING, step.describe(), advice)


def iter_evaluator_findings(reader: RecordReader, *, advice: str = _SEE_JOBS) -> Iterator[Finding]:
    """Yield one finding: whether an evaluator keeps metrics and alerts up to date, according to its heartbeat.

    Args:
        reader: the store.
        advice: where to look if no evaluator runs.
    """
    heartbeat = find_heartbeat(reader)
    (counts,) = reader.query(_QUERIES["definitions"]).to_pylist()
    is_needed = counts["metrics"] + counts["alerts"] > 0
    failing = Health.WRONG if is_needed else Health.NOTE
    if heartbeat is None:
        yield Finding("evaluator", failing, "it has never run", advice)
    elif heartbeat.is_old:
        yield Finding("evaluator", failing, f"it last ran {_describe_age(heartbeat.age_s)}", advice)
    elif heartbeat.error is not None:
        yield Finding("evaluator", Health.WRONG, f"its last run failed: {heartbeat.error}")
    else:
        found = f"it ran {_describe_age(heartbeat.age_s)} (as {heartbeat.evaluator})"
        yield Finding("evaluator", Health.OK, found)


def iter_alert_findings(reader: RecordReader) -> Iterator[Finding]:
    """Yield a finding per alert: when it was last evaluated, or why it is not. Whether it fires is not a finding."""
    for alert in reader.query(_QUERIES["alert_health"]).to_pylist():
        subject, age = f"alert {alert['name']}", _describe_age(alert["age_s"])
        if alert["error"] is not None:
            advice = "it is tried again every period; 'puppylog monitor alerts list' shows its definition"
            yield Finding(subject, Health.WRONG, f"its last evaluation failed: {alert['error']}", advice)
        elif is_overdue(alert["age_s"], alert["period_s"]):
            found = f"it was last evaluated {age}, and is due every {format_period(alert['period_s'])}"
            advice = f"an evaluator catches up the missed evaluations, in order; {_SEE_JOBS}"
            yield Finding(subject, Health.WRONG, found, advice)
        elif alert["unjudged_segments"]:
            yield Finding(subject, Health.WARNING, describe_unjudged(alert["unjudged_segments"]), _FEWER_SEGMENTS)
        elif alert["skipped_until"] is not None:
            since, until = (alert[name].isoformat(timespec="seconds") for name in ("skipped_since", "skipped_until"))
            found = f"evaluated {age}; the evaluations missed from {since} to {until} are not caught up"
            yield Finding(subject, Health.NOTE, found)
        else:
            yield Finding(subject, Health.OK, f"evaluated {age}")


def _describe_age(age_s: float) -> str:
    """Return an age as words; a negative one is a time ahead of the store's clock, which was set back since."""
    return f"{format_age(-age_s)} ahead of the store's clock" if age_s < -1 else f"{format_age(age_s)} ago"


def iter_stream_findings(reader: RecordReader, claimed: frozenset[int]) -> Iterator[Finding]:
    """Yield a finding per stream: whether it has stalled, and when its last lines were stored.

    A stream that no collector follows, or that has had no new line for a day, is a note.

    Args:
        reader: the store.
        claimed: the ids of the streams that a collector follows now.
    """
    judged = {stream.stream_id: stream for stream in list_followed_streams(reader)}
    for stream in reader.query(_QUERIES["stream_health"]).to_pylist():
        subject = f"stream {name_source(stream['source_uri'])}"
        is_followed = stream["stream_id"] in claimed
        report = judged.get(stream["stream_id"])
        where = f"{'followed now' if is_followed else 'followed by no collector'}; {_describe_file(stream)}"
        if report is not None and report.state is StreamState.STALLED:
            yield Finding(subject, Health.WRONG, f"it has stalled: {report.problem}; {where}", _SEE_STATUS)
        elif report is not None and report.state is StreamState.FINISHED:
            yield Finding(subject, Health.OK, f"its file is gone, and every line of it is stored; {where}")
        else:
            yield _judge_silence(stream, subject, where, is_followed=is_followed)


def _judge_silence(stream: Mapping[str, Any], subject: str, where: str, *, is_followed: bool) -> Finding:
    is_quiet = stream["age_s"] is None or stream["age_s"] > _QUIET_S
    advice = ""
    if not is_followed:
        advice = "to follow it, run a collector with --watch, or puppylog up"
    elif is_quiet:
        advice = "either nothing is logged, or the program now logs elsewhere"
    state = Health.OK if is_followed and not is_quiet else Health.NOTE
    return Finding(subject, state, where, advice)


def _describe_file(stream: Mapping[str, Any]) -> str:
    if stream["path"] is None:
        return "no file of it has been read yet"
    end = ", read to its end" if stream["finished"] else ""
    age = format_age(stream["age_s"])
    return f"the last lines came {age} ago, up to byte {stream['byte_offset']:,} of {stream['path']}{end}"
