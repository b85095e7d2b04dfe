"""``/api/v1/alerts``: the alerts and their states, what they have done, and that a person has seen it."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from puppylog.monitor.alerts import (
    AlertState,
    Heartbeat,
    HistoryRow,
    Sample,
    find_heartbeat,
    get_alert,
    read_alerts,
    read_history,
)
from puppylog.monitor.origins import Origin, read_origins
from puppylog.serve.read.answers import format_instant
from puppylog.serve.read.author import name_author
from puppylog.serve.read.choice import read_range
from puppylog.serve.read.record_rows import Record, describe_origin
from puppylog.serve.read.resource import Answer, Asked, Instant, Interval, Parameters, Reader, Resource
from puppylog.serve.read.silences import SilenceRow, describe_silence
from puppylog.serve.refusal import Refusal
from puppylog.stores.base import Store


class AlertsParameters(Parameters, frozen=True, kw_only=True):
    """The parameters of ``/api/v1/alerts``."""

    group: Annotated[str, Meta(description="Only alerts on metrics of this log group.")] | None = None


class AlertRow(Struct, kw_only=True):
    """An alert, and its state for all segments together or for one segment."""

    name: str
    metric: Annotated[str, Meta(description="The metric that it judges.")]
    group: str | None
    severity: Annotated[str, Meta(description="critical, error, warning or info.")]
    description: Annotated[str, Meta(description="What the alert means, in a line; may be empty.")]
    segment: Annotated[str | None, Meta(description="Null: all segments together, or the segment that is null.")]
    segment_name: Annotated[
        str | None, Meta(description="The segment as users write it: the source, if segments are streams.")
    ]
    state: Annotated[
        str | None, Meta(description="ok, pending, firing or no_data; null: it was not evaluated for this segment yet.")
    ]
    since: Annotated[Instant | None, Meta(description="Since when it has this state.")]
    value: Annotated[float | None, Meta(description="What was observed last.")]
    statistic: str
    comparison: Annotated[str, Meta(description="`>`, `>=`, `<` or `<=`.")]
    threshold: float
    window_s: int
    period_s: Annotated[int, Meta(description="The time between two evaluations.")]
    for_s: Annotated[int, Meta(description="How long the threshold is crossed before it fires.")]
    each_segment: Annotated[bool, Meta(description="Whether each segment is judged by itself.")]
    last_fired_at: Instant | None
    evaluated_at: Instant
    error: Annotated[str | None, Meta(description="Why the last evaluation failed.")]
    contacts: Annotated[list[str], Meta(description="Who is told.")]
    is_overdue: Annotated[
        bool, Meta(description="Whether an evaluation was due and did not happen: the state is not known then.")
    ]
    unjudged_segments: Annotated[int, Meta(description="Segments that are too many to be judged.")]
    acknowledged_by: Annotated[str | None, Meta(description="Who has said that the problem is known.")]
    silence: Annotated[SilenceRow | None, Meta(description="What holds its messages back now.")]


class HeartbeatRow(Struct, kw_only=True):
    """The last sign of life of what evaluates the alerts."""

    evaluator: str
    age_s: float
    is_old: Annotated[bool, Meta(description="Whether it is so old that the states are out of date.")]
    error: str | None


class Alerts(Answer, kw_only=True):
    """All alerts, with a row for each segment that is judged by itself."""

    alerts: list[AlertRow]
    heartbeat: Annotated[HeartbeatRow | None, Meta(description="Null: no evaluator has ever run.")]


class HistoryParameters(Interval, frozen=True, kw_only=True):
    """The parameters of ``/api/v1/alerts/{name}/history``."""

    name: Annotated[str, Meta(description="The name of the alert.")]
    limit: Annotated[int, Meta(ge=1, le=1000, description="The greatest number of transitions.")] = 100


class TransitionRow(Struct, kw_only=True):
    """A change of an alert's state."""

    id: int
    segment: str | None
    segment_name: Annotated[str | None, Meta(description="The segment as users write it.")]
    at: Annotated[Instant, Meta(description="When the alert was evaluated.")]
    from_state: str
    to_state: str
    value: float | None
    comparison: str
    threshold: float
    window_since: Instant
    window_until: Instant
    is_caught_up: Annotated[bool, Meta(description="Whether the evaluation was missed, and was done later.")]
    evidence: Annotated[list[Record], Meta(description="Sample records of the window, the newest first.")]
    evidence_omitted: Annotated[str | None, Meta(description="Why there are no more of them.")]


class History(Answer, kw_only=True):
    """The changes of an alert's states, the newest first."""

    transitions: list[TransitionRow]
    has_more: Annotated[bool, Meta(description="Whether there are older ones.")]


class AcknowledgeParameters(Parameters, frozen=True, kw_only=True):
    """The parameters of ``POST /api/v1/alerts/{name}/acknowledge``."""

    name: Annotated[str, Meta(description="The name of the alert.")]


class AcknowledgeBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """That a person knows of the problem."""

    segment: Annotated[str | None, Meta(description="Only this segment; null: all that fire.")] = None
    comment: Annotated[str, Meta(max_length=500, description="For others to read.")] = ""
    author: (
        Annotated[str, Meta(max_length=500, description="Who it is. Without it, the name of the token, or `page`.")]
        | None
    ) = None


class Acknowledged(Answer, kw_only=True):
    """What was acknowledged."""

    acknowledged: Annotated[int, Meta(description="How many segments; 1 for an alert on all segments together.")]


def get_alerts(asked: Asked[AlertsParameters], reader: Reader) -> Alerts:
    """List the alerts and their states."""
    found = read_alerts(reader, group=asked.parameters.group or None).states
    heartbeat = find_heartbeat(reader)
    return Alerts(
        alerts=[_describe(state, asked) for state in found],
        heartbeat=None if heartbeat is None else _describe_heartbeat(heartbeat),
    )


def _describe_heartbeat(heartbeat: Heartbeat) -> HeartbeatRow:
    age_s = round(heartbeat.age_s, 1)
    return HeartbeatRow(evaluator=heartbeat.evaluator, age_s=age_s, is_old=heartbeat.is_old, error=heartbeat.error)


def _describe(state: AlertState, asked: Asked[AlertsParameters]) -> AlertRow:
    alert = state.alert
    return AlertRow(
        name=alert.name,
        metric=alert.metric,
        group=state.group,
        severity=alert.severity,
        description=alert.summary,
        segment=state.segment,
        segment_name=state.segment_name,
        state=None if state.state is None else state.state.value,
        since=None if state.since is None else format_instant(state.since),
        value=state.value,
        statistic=alert.statistic,
        comparison=alert.comparison.value,
        threshold=alert.threshold,
        window_s=alert.window_s,
        period_s=alert.period_s,
        for_s=alert.for_s,
        each_segment=alert.each_segment,
        last_fired_at=None if state.last_fired_at is None else format_instant(state.last_fired_at),
        evaluated_at=format_instant(state.evaluated_at),
        error=state.error,
        contacts=list(alert.contacts),
        is_overdue=state.is_overdue,
        unjudged_segments=state.unjudged_segments,
        acknowledged_by=state.acknowledged_by,
        silence=None if state.silence is None else describe_silence(state.silence, asked.now),
    )


def get_history(asked: Asked[HistoryParameters], reader: Reader) -> History:
    """Return the changes of an alert's states."""
    parameters = asked.parameters
    within = read_range(asked)
    get_alert(reader, parameters.name)
    rows = read_history(reader, parameters.name, within=within, transitions=parameters.limit + 1)
    shown = rows[: parameters.limit]
    origins = read_origins(reader, {sample.file_id for row in shown for sample in row.evidence})
    return History(
        transitions=[_describe_transition(row, origins) for row in shown], has_more=len(rows) > parameters.limit
    )


def _describe_transition(row: HistoryRow, origins: Mapping[int, Origin]) -> TransitionRow:
    transition = row.transition
    return TransitionRow(
        id=transition.id,
        segment=transition.segment,
        segment_name=transition.segment_name,
        at=format_instant(transition.evaluated_at),
        from_state=transition.from_state.value,
        to_state=transition.to_state.value,
        value=transition.value,
        comparison=transition.comparison.value,
        threshold=transition.threshold,
        window_since=format_instant(row.window_since),
        window_until=format_instant(row.window_until),
        is_caught_up=row.is_caught_up,
        evidence=[_describe_sample(sample, origins.get(sample.file_id)) for sample in row.evidence],
        evidence_omitted=row.evidence_omitted,
    )


def _describe_sample(sample: Sample, origin: Origin | None) -> Record:
    values: dict[str, Any] = json.loads(sample.record)
    attributes = values.pop("attributes", None)
    if attributes is not None and not isinstance(attributes, str):
        attributes = json.dumps(attributes, ensure_ascii=False)
    return Record(
        ts=format_instant(sample.ts),
        stream_id=sample.stream_id,
        file_id=sample.file_id,
        line_offset=sample.line_offset,
        attributes=None if attributes is None else msgspec.Raw(attributes.encode(errors="replace")),
        **{name: value for name, value in values.items() if name in Record.__struct_fields__},
        **({} if origin is None else describe_origin(origin)),
    )


def acknowledge(asked: Asked[AcknowledgeParameters], store: Store) -> Acknowledged:
    """Note that a person knows that an alert fires: it is not repeated until its state changes."""
    name, body = asked.parameters.name, asked.body
    get_alert(store, name)
    count = store.acknowledge(name, body.segment, name_author(body.author, asked.caller), body.comment)
    if not count:
        thing = f"alert {name!r}" if body.segment is None else f"segment {body.segment[:100]!r} of alert {name!r}"
        raise Refusal(409, f"cannot acknowledge {thing}: it does not fire")
    return Acknowledged(acknowledged=count)


RESOURCES: Final = (
    Resource(
        path="/api/v1/alerts",
        summary="All alerts and their states",
        parameters=AlertsParameters,
        answer=Alerts,
        work=get_alerts,
        rows="alerts",
    ),
    Resource(
        path="/api/v1/alerts/{name}/history",
        summary="The changes of an alert's states, with sample records",
        parameters=HistoryParameters,
        answer=History,
        work=get_history,
        rows="transitions",
    ),
    Resource(
        path="/api/v1/alerts/{name}/acknowledge",
        summary="Say that a person knows that an alert fires",
        method="POST",
        parameters=AcknowledgeParameters,
        body=AcknowledgeBody,
        answer=Acknowledged,
        work=acknowledge,
        scope="admin",
        lane="write",
    ),
)
