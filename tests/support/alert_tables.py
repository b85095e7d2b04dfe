"""Metrics and alerts written directly into the tables of a PostgreSQL store, and the outcome of its evaluator.

A metric here is a table of observations, so that a test can choose their times.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from puppylog.model.alert import Alert, Comparison, NoData, State
from puppylog.model.alert_rule import Status
from puppylog.stores.rows import columns_of_alert

Connection: TypeAlias = psycopg.Connection[dict[str, Any]]
Observations: TypeAlias = Mapping[tuple[int, str | None], float | None]
"""The values of a metric by bucket, in seconds since the epoch, and segment."""


def whole_of(bucket: int, segment: str | None) -> int:
    """Return the number of records in a bucket of a ratio. It differs from bucket to bucket and segment to segment."""
    return 1 + (bucket + 3 * len(segment or "  ")) % 7


NOON = 1_700_049_600  # seconds since the epoch, a multiple of every period in these tests
ALERT = Alert(
    name="a",
    metric="m",
    statistic="avg",
    comparison=Comparison.ABOVE,
    threshold=10,
    window_s=10,
    period_s=5,
    for_s=0,
    keep_firing_for_s=0,
    delay_s=2,
    each_segment=False,
    no_data=NoData.NO_DATA,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The statuses of an alert by segment, and its transitions in the order of their ids.

    A transition consists of evaluation, segment, old state, new state, value, and start and end of the window.
    """

    states: Mapping[str | None, Status]
    transitions: Sequence[tuple[datetime, str | None, str, str, float | None, datetime, datetime]]


def at(second: float) -> datetime:
    return _EPOCH + timedelta(seconds=second)


@contextmanager
def connect(url: str) -> Iterator[Connection]:
    """Open a session in which every statement is a transaction."""
    with psycopg.connect(url, autocommit=True, row_factory=dict_row) as connection:
        yield connection


def clear(store: Connection) -> None:
    """Delete all metrics and alerts, the heartbeat, and what was recorded of clocks and streams."""
    store.execute("DROP SCHEMA metrics CASCADE; CREATE SCHEMA metrics")
    store.execute("DELETE FROM puppylog.alerts; DELETE FROM puppylog.metrics; DELETE FROM puppylog.heartbeat")
    store.execute("DELETE FROM puppylog.clock_steps; DELETE FROM puppylog.stream_reports")


def create_metric(
    store: Connection, observations: Observations, *, name: str = "m", statistic: str = "avg", period_s: int = 1
) -> None:
    values = [[s for s, _ in observations], [segment for _, segment in observations], list(observations.values())]
    wholes = [whole_of(*key) for key in observations]
    is_ratio = "true" if statistic == "ratio" else "false"
    store.execute(
        f"CREATE TABLE metrics.{name} AS SELECT to_timestamp(s) AS bucket, g AS segment, v AS value, "
        f"CASE WHEN {is_ratio} THEN CAST(v * w AS bigint) END AS part, w AS whole "
        "FROM unnest(%s::bigint[], %s::text[], %s::float8[], %s::bigint[]) AS u (s, g, v, w)".encode(),
        [*values, wholes],
    )
    store.execute(
        "INSERT INTO puppylog.metrics (id, name, statistic, property, period_s, query, refresh_s, kind, created_at) "
        "VALUES (nextval('puppylog.ids'), %s, %s, '*', %s, '', 1, 'rollup', now())",
        [name, statistic, period_s],
    )


def create_alert(store: Connection, alert: Alert, evaluated_at: datetime) -> int:
    """Define an alert whose last evaluation was at ``evaluated_at``; return its id."""
    (row,) = store.execute(
        "INSERT INTO puppylog.alerts "
        "SELECT (jsonb_populate_record(NULL::puppylog.alerts, %s || jsonb_build_object("
        "'id', nextval('puppylog.ids'), 'metric_id', id, 'created_at', now(), 'unjudged_segments', 0, "
        "'evaluated_at', %s::timestamptz))).* "
        "FROM puppylog.metrics WHERE name = %s RETURNING id",
        [Jsonb(columns_of_alert(alert)), evaluated_at, alert.metric],
    )
    return int(row["id"])


def evaluate(store: Connection, alert_id: int, until: datetime) -> bool:
    """Call the evaluator once; return whether more is due."""
    (row,) = store.execute("SELECT puppylog.evaluate_alert(%s, %s) AS is_more_due", [alert_id, until])
    return bool(row["is_more_due"])


def errors(store: Connection) -> dict[str, str | None]:
    return {row["name"]: row["error"] for row in store.execute("SELECT name, error FROM puppylog.alerts")}


def history(store: Connection) -> list[dict[str, Any]]:
    return store.execute("SELECT * FROM puppylog.alert_history ORDER BY id").fetchall()


def read_outcome(store: Connection) -> Outcome:
    """Return the outcome of the only alert in the store."""
    states = {row["segment"]: status_of(row) for row in store.execute("SELECT * FROM puppylog.alert_states")}
    columns = ("evaluated_at", "segment", "from_state", "to_state", "value", "window_since", "window_until")
    transitions = store.execute(f"SELECT {', '.join(columns)} FROM puppylog.alert_history ORDER BY id".encode())
    return Outcome(states, [tuple(row[column] for column in columns) for row in transitions])


def status_of(row: Mapping[str, Any]) -> Status:
    """Return the status in a row of ``alert_states``."""
    state = State(row["state"])
    return Status(state, row["since"], row["clear_since"], row["value"], row["evaluated_at"], row["seen_at"])
