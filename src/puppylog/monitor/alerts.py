"""The state of each alert, the history of its transitions, and whether a process evaluates the alerts.

A state is that of the last evaluation. If the last evaluation is too long ago, the state says nothing about now.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import pyarrow as pa

from puppylog.errors import NotFound
from puppylog.model.alert import Alert, Comparison, State
from puppylog.model.alert_schedule import MAX_SEGMENTS
from puppylog.model.stream import name_source
from puppylog.monitor.range import ALWAYS, Range
from puppylog.stores.base import RecordReader
from puppylog.stores.queries import load_queries
from puppylog.stores.rows import alert_of

# Evaluators go round every second or so. Older than this, alerts say what was, not what is.
OLD_HEARTBEAT_S: Final = 30.0

# An instant in the store may be a little ahead of the question: on PostgreSQL, both are of when a transaction began.
# What is further ahead was written before the store's clock was set back.
_AHEAD_S: Final = 5.0

_QUERIES = load_queries("puppylog.stores", "monitor.sql")


@dataclass(frozen=True, slots=True)
class AlertState:
    """What an alert is in: for all segments together, or for one. ``state`` is None until it has been evaluated."""

    alert: Alert
    group: str | None  # of its metric
    segment: str | None
    state: State | None
    since: datetime | None
    value: float | None
    last_fired_at: datetime | None
    created_at: datetime
    evaluated_at: datetime
    error: str | None  # why the last evaluation failed
    source_uri: str | None = None  # of the stream, where segments are streams
    evaluated_age_s: float = 0.0  # how long ago it was evaluated, by the store's clock
    unjudged_segments: int = 0  # seen at the last evaluation, beyond those that an alert judges
    skipped_since: datetime | None = None  # the last evaluations that were missed and are not caught up: after this
    skipped_until: datetime | None = None  # and up to this

    @property
    def is_overdue(self) -> bool:
        """Whether it has not been evaluated when it was due: what it is in now is not known."""
        return is_overdue(self.evaluated_age_s, self.alert.period_s)

    @property
    def segment_name(self) -> str | None:
        """The segment as people know it."""
        return _name_segment(self.segment, self.source_uri)

    @property
    def subject(self) -> tuple[str, str | None]:
        """What it is the state of."""
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
    source_uri: str | None = None  # of the stream, where segments are streams

    @property
    def segment_name(self) -> str | None:
        """The segment as people know it."""
        return _name_segment(self.segment, self.source_uri)


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The evaluator's sign of life. ``age_s`` is by the store's own clock."""

    evaluator: str
    beat_at: datetime
    age_s: float
    error: str | None

    @property
    def is_old(self) -> bool:
        return not -_AHEAD_S <= self.age_s <= OLD_HEARTBEAT_S


def is_overdue(evaluated_age_s: float, period_s: float) -> bool:
    """Return whether an alert that was evaluated so long ago should have been evaluated since."""
    return not -_AHEAD_S <= evaluated_age_s <= OLD_HEARTBEAT_S + 2 * period_s


def describe_unjudged(segments: int) -> str:
    """Return how many segments an alert does not judge, as a sentence about it."""
    return f"it judges {MAX_SEGMENTS:,} segments one by one, and {segments:,} more are not judged"


def read_alerts(reader: RecordReader, *, name: str | None = None, group: str | None = None) -> AlertSnapshot:
    """Return what all alerts are in; only those of one name, or of metrics limited to one group, if given."""
    rows = reader.query(_QUERIES["alert_states"], {"name": name, "group": group}).to_pylist()
    return AlertSnapshot(tuple(map(_alert_state, rows)), max((row["last_transition"] for row in rows), default=0))


def get_alert(reader: RecordReader, name: str) -> AlertSnapshot:
    """Return what one alert is in.

    Raises:
        NotFound: there is none of that name.
    """
    snapshot = read_alerts(reader, name=name)
    if not snapshot.states:
        raise NotFound("find", f"alert {name!r}", advice="see 'puppylog monitor alerts list'")
    return snapshot


def read_transitions(reader: RecordReader, name: str, *, within: Range = ALWAYS, transitions: int) -> pa.Table:
    """Return the newest ``transitions`` of one alert's history, oldest first."""
    return reader.query(_QUERIES["transitions"], {"name": name, "transitions": transitions, **within.parameters()})


def count_transitions(reader: RecordReader, name: str, most: int, *, within: Range = ALWAYS) -> int:
    """Return how many transitions there are in one alert's history; ``most`` if there are so many or more."""
    [row] = reader.query(_QUERIES["transitions_count"], {"name": name, "most": most, **within.parameters()}).to_pylist()
    return int(row["n"])


def list_transitions_after(reader: RecordReader, after: int, *, group: str | None = None) -> list[Transition]:
    """Return every transition that was recorded after the transition of id ``after``, in order."""
    rows = reader.query(_QUERIES["transitions_after"], {"after": after, "group": group}).to_pylist()
    return [_transition(row) for row in rows]


def find_heartbeat(reader: RecordReader) -> Heartbeat | None:
    """Return the evaluator's sign of life; None if nothing has ever been evaluated."""
    rows = reader.query(_QUERIES["heartbeat"]).to_pylist()
    return Heartbeat(**rows[0]) if rows else None


def _alert_state(row: dict[str, Any]) -> AlertState:
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
