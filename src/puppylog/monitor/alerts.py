"""The state of each alert, the history of its transitions, and whether a process evaluates the alerts.

A state is that of the last evaluation. If the last evaluation is too long ago, the state says nothing about now.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import pyarrow as pa

from puppylog.errors import NotFound
from puppylog.model.alert import Alert, Comparison, State
from puppylog.model.alert_schedule import MAX_SEGMENTS
from puppylog.model.silence import Silence
from puppylog.model.source import name_source
from puppylog.monitor.range import ALWAYS, Range
from puppylog.stores.base import RecordReader, Value
from puppylog.stores.queries import load_queries
from puppylog.stores.rows import alert_of

# An evaluator writes a heartbeat about once a second. If the heartbeat is older than this, the states are out of date.
OLD_HEARTBEAT_S: Final = 30.0

# On PostgreSQL, now() is the time at which a transaction began, so an instant in the store may be slightly ahead of the
# now() of the query. An instant that is further ahead was written before the store's clock was set back.
_AHEAD_S: Final = 5.0

_QUERIES = load_queries("puppylog.stores", "monitor.sql")


@dataclass(frozen=True, slots=True)
class AlertState:
    """The state of an alert: for all segments together, or for one segment.

    ``state`` is None until the alert has been evaluated.
    """

    alert: Alert
    group: str | None  # the log group that its metric is limited to
    segment: str | None
    state: State | None
    since: datetime | None
    value: float | None
    last_fired_at: datetime | None
    created_at: datetime
    evaluated_at: datetime
    error: str | None  # why the last evaluation failed
    source_uri: str | None = None  # the source of the stream, if the metric's segments are streams
    evaluated_age_s: float = 0.0  # seconds since the last evaluation, by the store's clock
    unjudged_segments: int = 0  # segments of the last evaluation beyond the number that an alert judges
    skipped_since: datetime | None = None  # evaluations after this instant were missed and are not caught up
    skipped_until: datetime | None = None  # the last of these missed evaluations
    acknowledged_by: str | None = None  # who has said that the present problem is known
    silence: Silence | None = None  # what holds messages back at present; of several, the one that ends last

    @property
    def is_overdue(self) -> bool:
        """Whether an evaluation was due and did not happen, so that the present state is unknown."""
        return is_overdue(self.evaluated_age_s, self.alert.period_s)

    @property
    def segment_name(self) -> str | None:
        """The segment; if segments are streams, the name of the stream's source instead of its id."""
        return _name_segment(self.segment, self.source_uri)

    @property
    def subject(self) -> tuple[str, str | None]:
        """The alert's name and the segment; None is all segments together."""
        return self.alert.name, self.segment


@dataclass(frozen=True, slots=True)
class AlertSnapshot:
    """The states of all alerts at one moment, and the id of the newest transition at that moment."""

    states: tuple[AlertState, ...]
    last_transition: int


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of state, as a row of history."""

    id: int
    alert: str
    segment: str | None
    evaluated_at: datetime
    from_state: State
    to_state: State
    value: float | None
    comparison: Comparison
    threshold: float
    source_uri: str | None = None  # the source of the stream, if the metric's segments are streams

    @property
    def segment_name(self) -> str | None:
        """The segment; if segments are streams, the name of the stream's source instead of its id."""
        return _name_segment(self.segment, self.source_uri)


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The evaluator's last sign of life. ``age_s`` is measured by the store's clock."""

    evaluator: str
    beat_at: datetime
    age_s: float
    error: str | None

    @property
    def is_old(self) -> bool:
        return not -_AHEAD_S <= self.age_s <= OLD_HEARTBEAT_S


def is_overdue(evaluated_age_s: float, period_s: float) -> bool:
    """Return whether an alert that was last evaluated ``evaluated_age_s`` seconds ago has missed an evaluation.

    >>> is_overdue(evaluated_age_s=12.0, period_s=10), is_overdue(evaluated_age_s=60.0, period_s=10)
    (False, True)
    """
    return not -_AHEAD_S <= evaluated_age_s <= OLD_HEARTBEAT_S + 2 * period_s


def describe_unjudged(segments: int) -> str:
    """Return a sentence that says how many segments the alert does not judge."""
    return f"it judges {MAX_SEGMENTS:,} segments one by one, and {segments:,} more are not judged"


def read_alerts(reader: RecordReader, *, name: str | None = None, group: str | None = None) -> AlertSnapshot:
    """Return the states of all alerts.

    Args:
        reader: the store.
        name: only the alert of this name.
        group: only alerts on metrics that are limited to this log group.
    """
    rows = reader.query(_QUERIES["alert_states"], {"name": name, "group": group}).to_pylist()
    silences = [Silence(**row) for row in reader.query(_QUERIES["silences_now"]).to_pylist()] if rows else []
    states = tuple(_alert_state(row, silences) for row in rows)
    return AlertSnapshot(states, max((row["last_transition"] for row in rows), default=0))


def get_alert(reader: RecordReader, name: str) -> AlertSnapshot:
    """Return the states of one alert.

    Raises:
        NotFound: no alert has this name.
    """
    snapshot = read_alerts(reader, name=name)
    if not snapshot.states:
        raise NotFound("find", f"alert {name!r}", advice="see 'puppylog monitor alerts list'")
    return snapshot


def read_transitions(reader: RecordReader, name: str, *, within: Range = ALWAYS, transitions: int) -> pa.Table:
    """Return the newest ``transitions`` of one alert's history, oldest first."""
    return reader.query(_QUERIES["transitions"], {"name": name, "transitions": transitions, **within.parameters()})


@dataclass(frozen=True, slots=True)
class Sample:
    """A record of the evidence of a transition."""

    ts: datetime
    stream_id: int
    file_id: int
    line_offset: int
    record: str  # JSON: the other columns that are not null


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """A transition with its window and its evidence."""

    transition: Transition
    window_since: datetime
    window_until: datetime
    is_caught_up: bool  # whether the evaluation was missed and was done later
    evidence_omitted: str | None  # why there are fewer samples than there could be
    evidence: Sequence[Sample]  # the newest record first


def read_history(reader: RecordReader, name: str, *, within: Range = ALWAYS, transitions: int) -> list[HistoryRow]:
    """Return the newest ``transitions`` of one alert with their evidence, the newest first."""
    parameters: dict[str, Value] = {"name": name, "transitions": transitions, **within.parameters()}
    rows = reader.query(_QUERIES["history_of_alert"], parameters).to_pylist()
    samples: dict[int, list[Sample]] = {}
    if rows:
        ids = ",".join(str(row["id"]) for row in rows)
        for found in reader.query(_QUERIES["evidence_of_transitions"], {"transitions": ids}).to_pylist():
            samples.setdefault(found.pop("history_id"), []).append(Sample(**found))
    return [
        HistoryRow(
            _transition({**row, "name": name}),
            row["window_since"],
            row["window_until"],
            row["made_up"],
            row["evidence_omitted"],
            samples.get(row["id"], ()),
        )
        for row in rows
    ]


def read_evidence(reader: RecordReader, name: str, *, within: Range = ALWAYS, transitions: int) -> pa.Table:
    """Return the sample records of the newest ``transitions``, as far as they were to firing, the oldest one first.

    A transition without samples has one row, without a record. The column ``record`` is JSON.
    """
    found = reader.query(
        _QUERIES["evidence_of_alert"], {"name": name, "transitions": transitions, **within.parameters()}
    )
    place = found.schema.get_field_index("record")
    texts = pa.array(found["record"].to_pylist(), pa.string())
    return found.set_column(place, "record", pa.ExtensionArray.from_storage(pa.json_(pa.string()), texts))


def count_transitions(reader: RecordReader, name: str, most: int, *, within: Range = ALWAYS) -> int:
    """Return the number of transitions in one alert's history, counting no further than ``most``."""
    [row] = reader.query(_QUERIES["transitions_count"], {"name": name, "most": most, **within.parameters()}).to_pylist()
    return int(row["n"])


def list_transitions_after(reader: RecordReader, after: int, *, group: str | None = None) -> list[Transition]:
    """Return the transitions whose id is greater than ``after``, in the order of their ids."""
    rows = reader.query(_QUERIES["transitions_after"], {"after": after, "group": group}).to_pylist()
    return [_transition(row) for row in rows]


def find_heartbeat(reader: RecordReader) -> Heartbeat | None:
    """Return the evaluator's last heartbeat; None if no evaluator has ever run."""
    rows = reader.query(_QUERIES["heartbeat"]).to_pylist()
    return Heartbeat(**rows[0]) if rows else None


def _alert_state(row: dict[str, Any], silences: Sequence[Silence]) -> AlertState:
    def holds_back(silence: Silence) -> bool:
        return silence.matches(row["name"], row["segment"], silence.starts_at)  # it has begun, by the store's clock

    return AlertState(
        alert_of(row),
        group=row["group_name"],
        segment=row["segment"],
        state=None if row["state"] is None else State(row["state"]),
        since=row["since"],
        value=row["value"],
        last_fired_at=row["last_fired_at"],
        created_at=row["created_at"],
        evaluated_at=row["evaluated_at"],
        error=row["error"],
        source_uri=row["source_uri"],
        evaluated_age_s=row["evaluated_age_s"],
        unjudged_segments=row["unjudged_segments"],
        skipped_since=row["skipped_since"],
        skipped_until=row["skipped_until"],
        acknowledged_by=row["acknowledged_by"],
        silence=next(filter(holds_back, silences), None),
    )


def _transition(row: dict[str, Any]) -> Transition:
    return Transition(
        row["id"],
        alert=row["name"],
        segment=row["segment"],
        evaluated_at=row["evaluated_at"],
        from_state=State(row["from_state"]),
        to_state=State(row["to_state"]),
        value=row["value"],
        comparison=Comparison(row["comparison"]),
        threshold=row["level"],
        source_uri=row["source_uri"],
    )


def _name_segment(segment: str | None, source_uri: str | None) -> str | None:
    return segment if source_uri is None else name_source(source_uri)
