"""Makes the message of a group of notifications: definitions, values, charts and sample lines come from the store."""

import hashlib
import json
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Final, TypeAlias

from puppylog.model.alert import Alert, Comparison
from puppylog.model.alert_rule import adds_up, counts_missing_as_zero
from puppylog.model.chart import resample
from puppylog.model.finding import format_age
from puppylog.model.metric import Metric
from puppylog.model.notification import Group, OutboxRow, Told
from puppylog.model.source import name_source
from puppylog.notify.message import Kind, Message, SampleLine, SegmentReport
from puppylog.notify.outbox import SendingStore, Snapshot
from puppylog.notify.sample import write_sample
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores", "sending.sql")

# Each chart and each list of sample lines is a query. A message of more segments shows the others without them.
_MAX_DETAILED: Final = 10
_CHART_COLUMNS: Final = 30
_LATE_AFTER_S: Final = 300.0


def episode_key(store_id: str, alert: str, segment: str | None, episode_at: datetime) -> str:
    """Return the key that all messages of an episode have, and no other episode of any store.

    >>> episode_key("a1", "errors", None, datetime(2026, 3, 1, tzinfo=UTC))
    'puppylog-630126adf4c1a6d5b53bd3c41077cdec'
    """
    parts = json.dumps([store_id, alert, segment, episode_at.astimezone(UTC).isoformat()])
    return f"puppylog-{hashlib.sha256(parts.encode()).hexdigest()[:32]}"


Definitions: TypeAlias = dict[str, tuple[Alert, Metric | None]]


@dataclass(frozen=True, slots=True)
class _Part:
    """One segment of a group: of a row that is sent for the first time, or of a message that is repeated."""

    alert: str
    segment: str | None
    kind: Kind
    history_id: int | None
    value: float | None
    since: datetime
    ended_at: datetime | None
    reason: str | None = None


class Composer:
    """Makes messages from one snapshot. Used by one thread.

    Args:
        store: the store.
        snapshot: what was decided from.
        definitions: alerts by name, each with its metric, as they were last seen. The composer adds to them. A resolved
            message about an alert that was deleted needs them.
        store_name: the store's URL without a password.
    """

    def __init__(
        self, store: SendingStore, snapshot: Snapshot, *, definitions: Definitions, store_name: str = ""
    ) -> None:
        self._store = store
        self._definitions = definitions
        self._snapshot = snapshot
        self._store_name = store_name
        self._told: Mapping[tuple[str, str | None, str], Told] = {told.subject: told for told in snapshot.told}

    @cached_property
    def _known(self) -> Definitions:
        metrics = {metric.name: metric for metric in self._store.list_metrics()}
        for alert in self._store.list_alerts():
            self._definitions[alert.name] = (alert, metrics.get(alert.metric))
        return self._definitions

    @cached_property
    def _sources(self) -> Mapping[str, str]:
        rows = self._store.query(_QUERIES["sources_of_streams"]).to_pylist()
        return {row["stream"]: name_source(row["source_uri"]) for row in rows}

    def compose(self, group: Group) -> Message:
        """Return the message that says what has happened to the segments of the group.

        Raises:
            StoreError: the store does not answer.
        """
        parts = [self._part_of_row(row) for row in group.rows] or [
            self._part_of_told(told, is_acknowledgement=group.is_acknowledgement) for told in group.repeated
        ]
        alert, metric = self._known.get(group.alert, (None, None))
        windows = {part: self._read_window(part) for part in parts[:_MAX_DETAILED]}
        reports = tuple(self._report(part, alert, metric, windows.get(part)) for part in parts)
        return Message(
            alert=group.alert,
            metric="" if alert is None else alert.metric,
            statistic="avg" if alert is None else alert.statistic,
            comparison=Comparison.ABOVE if alert is None else alert.comparison,
            threshold=0.0 if alert is None else alert.threshold,
            window_s=60 if alert is None else alert.window_s,
            segments=reports,
            summary="" if alert is None else alert.summary,
            severity="warning" if alert is None else alert.severity,
            each_segment=parts[0].segment is not None if alert is None else alert.each_segment,
            note="; ".join(dict.fromkeys(self._iter_notes(group, parts, windows.values()))),
            command=_command(self._store_name, alert, metric, parts[0], windows.get(parts[0])),
            store=self._store_name,
            told_at=max((told.sent_at for told in group.repeated), default=None),
            occasion=" ".join(
                [str(row.id) for row in group.rows]
                + [f"{told.id}@{told.sent_at.isoformat()}" for told in group.repeated]
            ),
            is_late=any(window["made_up"] for window in windows.values() if window is not None),
        )

    def _part_of_row(self, row: OutboxRow) -> _Part:
        told = self._told.get(row.subject)
        since = row.evaluated_at if told is None else told.episode_at
        ended_at = None if row.kind.is_problem else row.evaluated_at
        return _Part(
            row.alert, row.segment, Kind(row.kind.value), row.history_id, row.value, since, ended_at, row.reason
        )

    def _part_of_told(self, told: Told, *, is_acknowledgement: bool) -> _Part:
        judged = self._snapshot.judged.get((told.alert, told.segment))
        value = None if judged is None else judged.value
        kind = Kind.ACKNOWLEDGED if is_acknowledgement else Kind(told.kind.value)
        reason = f"acknowledged by {told.acknowledgement}" if is_acknowledgement else None
        return _Part(told.alert, told.segment, kind, told.history_id, value, told.episode_at, None, reason)

    def _iter_notes(
        self, group: Group, parts: Iterable[_Part], windows: Iterable[Mapping[str, Any] | None]
    ) -> Iterator[str]:
        """Yield what people should know besides: why it is resolved, that it is late, or that lines are missing."""
        for part in parts:
            if part.reason is not None:
                yield part.reason
        waits_s = [(self._snapshot.now - row.created_at).total_seconds() for row in group.rows]
        if waits_s and max(waits_s) > _LATE_AFTER_S:
            yield f"this message waited for {format_age(max(waits_s))}"
        for window in windows:
            if window is not None and window["evidence_omitted"] is not None and group.kind.is_problem:
                yield f"sample lines are missing: {window['evidence_omitted']}"

    def _read_window(self, part: _Part) -> dict[str, Any] | None:
        """Return the window of the part's transition; None if its history was deleted."""
        if part.history_id is None:
            return None
        rows = self._store.query(_QUERIES["notified_transition"], {"history_id": part.history_id}).to_pylist()
        return rows[0] if rows else None

    def _report(
        self, part: _Part, alert: Alert | None, metric: Metric | None, window: dict[str, Any] | None
    ) -> SegmentReport:
        is_stream = metric is not None and metric.segment == "stream_id" and part.segment is not None
        return SegmentReport(
            kind=part.kind,
            segment=self._sources.get(str(part.segment), part.segment) if is_stream else part.segment,
            value=part.value,
            since=part.since,
            key=episode_key(self._snapshot.store_id, part.alert, part.segment, part.since),
            ended_at=part.ended_at,
            chart=() if alert is None or metric is None or window is None else self._chart(part, alert, metric, window),
            lines=() if window is None else self._read_lines(part),
        )

    def _chart(self, part: _Part, alert: Alert, metric: Metric, window: Mapping[str, Any]) -> tuple[float | None, ...]:
        """Return the observations up to the end of the window: at least as long as the window, in at most 30 parts."""
        buckets = max(_CHART_COLUMNS, alert.window_s // metric.period_s)
        since = window["window_until"] - timedelta(seconds=buckets * metric.period_s)
        segment = (part.segment or "") if alert.each_segment else None
        rows = self._store.query(
            _QUERIES["observations_before"].format(metric=metric.name),
            {"since": since.isoformat(), "until": window["window_until"].isoformat(), "segment": segment},
        ).to_pylist()
        by_period: dict[int, list[float]] = {}
        for row in rows:
            if row["value"] is not None:
                period = int((row["bucket"] - since).total_seconds()) // metric.period_s
                by_period.setdefault(period, []).append(row["value"])
        add = adds_up(metric.statistic)
        points = [(period, sum(values) / (1 if add else len(values))) for period, values in by_period.items()]
        missing = 0.0 if points and counts_missing_as_zero(metric.statistic) else None
        return tuple(resample(points, buckets, _CHART_COLUMNS, missing=missing))

    def _read_lines(self, part: _Part) -> tuple[SampleLine, ...]:
        """Return the evidence of the part's transition; nothing for a message that something is resolved."""
        if part.kind is Kind.RESOLVED:
            return ()
        rows = self._store.query(_QUERIES["evidence"], {"history_id": part.history_id}).to_pylist()
        return tuple(
            SampleLine(
                row["ts"],
                write_sample(json.loads(row["record"])),
                "" if row["source_uri"] is None else name_source(row["source_uri"]),
            )
            for row in rows
        )


def _command(
    store: str, alert: Alert | None, metric: Metric | None, part: _Part, window: Mapping[str, Any] | None
) -> str:
    """Return the command that shows the records of the window, or the alert's history if there is no window.

    It names the store, because the reader of the message may use another one by default.
    """
    if alert is None:
        return ""
    if metric is None or window is None or part.kind is Kind.RESOLVED:
        return shlex.join(["puppylog", "monitor", "alerts", "get", alert.name, "--store", store])
    words = [
        "puppylog",
        "logs",
        "--store",
        store,
        "--from",
        _instant(window["window_since"]),
        "--to",
        _instant(window["window_until"]),
    ]
    if metric.group is not None:
        words += ["--group", metric.group]
    conditions: list[str] = [] if metric.filter is None else [metric.filter]
    if alert.each_segment and part.segment is not None and part.segment.isprintable():
        quoted = part.segment.replace("'", "''")
        conditions.append(f"{metric.segment} = '{quoted}'")
    if conditions:
        words += ["--where", " AND ".join(f"({condition})" for condition in conditions)]
    return shlex.join(words)


def _instant(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def split_group(group: Group, most: int | None) -> Sequence[Group]:
    """Return groups of at most ``most`` segments each; None is any number."""
    if most is None or len(group.rows or group.repeated) <= most:
        return [group]
    rows = [group.rows[start : start + most] for start in range(0, len(group.rows), most)]
    told = [group.repeated[start : start + most] for start in range(0, len(group.repeated), most)]
    return [
        *(replace(group, rows=part) for part in rows),
        *(replace(group, repeated=part) for part in told),
    ]
