"""The doctor: the findings that a store gives of itself, then those that are asked of every store in the same way.

Findings come in the order in which their subjects depend on each other: server, capabilities, jobs,
metrics, evaluator, alerts, streams. Findings of one subject stand together.
"""

import time
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from puppylog.model.finding import Finding, Health, format_age
from puppylog.model.period import format_period
from puppylog.monitor.alerts import describe_unjudged, find_heartbeat, is_overdue
from puppylog.monitor.clock import find_clock_step
from puppylog.monitor.collectors import StreamState, list_followed_streams
from puppylog.stores.base import RecordReader, Store
from puppylog.stores.doctor import findings_of
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores", "monitor.sql")

RECHECK_S: Final = 3.0
"""An engine that this client has just started has run its jobs once by then."""

# A log may be quiet for so long before it is worth a word.
_QUIET_S: Final = 86_400.0

_FEWER_SEGMENTS: Final = "let the segment expression of its metric give fewer segments"
_SEE_JOBS: Final = "see who runs the jobs, above"
_SEE_STATUS: Final = "start its collector again, or see 'puppylog collector status'"


def list_findings(store: Store, *, recheck_s: float = RECHECK_S) -> list[Finding]:
    """Return all findings about the store and what it holds.

    If one is wrong, all are asked for again ``recheck_s`` seconds later, and the second answer is returned: jobs of a
    store that has just been opened may not have run yet.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    findings = _collect_findings(store)
    if any(finding.state is Health.WRONG for finding in findings):
        time.sleep(recheck_s)
        findings = _collect_findings(store)
    return findings


def _collect_findings(store: Store) -> list[Finding]:
    own = store.list_findings()
    return [
        *own.findings,
        *findings_of("clock", partial(iter_clock_findings, store)),
        *findings_of("evaluator", partial(iter_evaluator_findings, store)),
        *findings_of("alerts", partial(iter_alert_findings, store)),
        *findings_of("streams", partial(iter_stream_findings, store, own.claimed)),
    ]


def iter_clock_findings(reader: RecordReader) -> Iterator[Finding]:
    """Give whether the store's clock was set back lately."""
    step = find_clock_step(reader)
    if step is not None:
        advice = "see that the time of the store's machine is kept; what was evaluated before is evaluated again"
        yield Finding("clock", Health.WARNING, step.describe(), advice)


def iter_evaluator_findings(reader: RecordReader) -> Iterator[Finding]:
    """Give what the heartbeat says: metrics and alerts are kept up to date, or nobody does it."""
    heartbeat = find_heartbeat(reader)
    (counts,) = reader.query(_QUERIES["definitions"]).to_pylist()
    is_needed = counts["metrics"] + counts["alerts"] > 0
    failing = Health.WRONG if is_needed else Health.NOTE
    if heartbeat is None:
        yield Finding("evaluator", failing, "it has never gone round", _SEE_JOBS)
    elif heartbeat.is_old:
        yield Finding("evaluator", failing, f"it last went round {_describe_age(heartbeat.age_s)}", _SEE_JOBS)
    elif heartbeat.error is not None:
        yield Finding("evaluator", Health.WRONG, f"its last round failed: {heartbeat.error}")
    else:
        found = f"it went round {_describe_age(heartbeat.age_s)} (as {heartbeat.evaluator})"
        yield Finding("evaluator", Health.OK, found)


def iter_alert_findings(reader: RecordReader) -> Iterator[Finding]:
    """Give whether each alert is evaluated, and when it last was. What it is in is not a matter of health."""
    for alert in reader.query(_QUERIES["alert_health"]).to_pylist():
        subject, age = f"alert {alert['name']}", _describe_age(alert["age_s"])
        if alert["error"] is not None:
            advice = "it is tried again every period; 'puppylog monitor alerts list' shows its definition"
            yield Finding(subject, Health.WRONG, f"its last evaluation failed: {alert['error']}", advice)
        elif is_overdue(alert["age_s"], alert["period_s"]):
            found = f"it was last evaluated {age}, and is due every {format_period(alert['period_s'])}"
            yield Finding(subject, Health.WRONG, found, "what was missed is caught up, in order; " + _SEE_JOBS)
        elif alert["unjudged_segments"]:
            yield Finding(subject, Health.WARNING, describe_unjudged(alert["unjudged_segments"]), _FEWER_SEGMENTS)
        elif alert["skipped_until"] is not None:
            since, until = (alert[name].isoformat(timespec="seconds") for name in ("skipped_since", "skipped_until"))
            found = f"evaluated {age}; evaluations that were missed from {since} to {until} are not caught up"
            yield Finding(subject, Health.NOTE, found)
        else:
            yield Finding(subject, Health.OK, f"evaluated {age}")


def _describe_age(age_s: float) -> str:
    """Return how long ago it was; or how far ahead of the store's clock, if that was set back since."""
    return f"{format_age(-age_s)} ahead of the store's clock" if age_s < -1 else f"{format_age(age_s)} ago"


def iter_stream_findings(reader: RecordReader, claimed: frozenset[int]) -> Iterator[Finding]:
    """Give how each stream gets on, and when its last lines came.

    Whether a stream has stalled is judged where ``collector status`` asks as well, so that both say the same. A stream
    that no collector follows, or that has been quiet for long, is worth knowing.
    """
    judged = {stream.stream_id: stream for stream in list_followed_streams(reader)}
    for stream in reader.query(_QUERIES["stream_health"]).to_pylist():
        subject = f"stream {stream['source_uri']}"
        is_followed = stream["stream_id"] in claimed
        report = judged.get(stream["stream_id"])
        where = f"{'followed now' if is_followed else 'followed by no collector'}; {_describe_file(stream)}"
        if report is not None and report.state is StreamState.STALLED:
            yield Finding(subject, Health.WRONG, f"it has stalled: {report.problem}; {where}", _SEE_STATUS)
        elif report is not None and report.state is StreamState.FINISHED:
            yield Finding(subject, Health.OK, f"its file is gone, and all of it is stored; {where}")
        else:
            yield _judge_silence(stream, subject, where, is_followed=is_followed)


def _judge_silence(stream: Mapping[str, Any], subject: str, where: str, *, is_followed: bool) -> Finding:
    is_quiet = stream["age_s"] is None or stream["age_s"] > _QUIET_S
    advice = ""
    if not is_followed:
        advice = "if lines should come: a collector with --watch, or puppylog up"
    elif is_quiet:
        advice = "a quiet log, or one that is written elsewhere now"
    state = Health.OK if is_followed and not is_quiet else Health.NOTE
    return Finding(subject, state, where, advice)


def _describe_file(stream: Mapping[str, Any]) -> str:
    if stream["path"] is None:
        return "no file of it has been read yet"
    end = ", read to its end" if stream["finished"] else ""
    age = format_age(stream["age_s"])
    return f"the last lines came {age} ago, up to byte {stream['byte_offset']:,} of {stream['path']}{end}"
