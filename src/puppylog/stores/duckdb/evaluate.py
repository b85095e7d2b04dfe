"""Evaluating an alert: what is due is judged in order, by the rule in the model, in one transaction.

Evaluations that were missed while no engine ran are made up: the records tell what would have been observed. One call
does a limited number of them, so that a long absence does not hold up the writer.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from puppylog.model.alert import NoData, State
from puppylog.model.alert_rule import MADE_UP_AFTER, Status, Window, adds_up, observe, start, step, window_of
from puppylog.stores.duckdb.alerts import StoredAlert, find_alert
from puppylog.stores.duckdb.engine import Connection
from puppylog.stores.duckdb.refresh import US_PER_S
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores.duckdb", "alerts.sql")

# What one call may look at: evaluations, and observations in all their windows together.
_MOST_EVALUATIONS = 2_000
_MOST_OBSERVATIONS = 5_000_000
EVALUATOR = "engine"

# A segment that has not been seen for so long is forgotten: segments come from log lines, and whoever writes those must
# not be able to make the states grow without end. If it fires because it is not seen, its last signal says no_data.
_FORGET_AFTER = timedelta(days=1)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_STATES = pa.schema(
    [
        ("segment", pa.string()),
        ("state", pa.string()),
        ("since_us", pa.int64()),
        ("clear_since_us", pa.int64()),
        ("value", pa.float64()),
        ("evaluated_us", pa.int64()),
        ("seen_us", pa.int64()),
    ]
)
_SIGNALS = pa.schema(
    [
        ("segment", pa.string()),
        ("at_us", pa.int64()),
        ("from_state", pa.string()),
        ("to_state", pa.string()),
        ("value", pa.float64()),
        ("comparison", pa.string()),
        ("level", pa.float64()),
        ("window_since_us", pa.int64()),
        ("window_until_us", pa.int64()),
        ("made_up", pa.bool_()),
    ]
)


@dataclass(frozen=True, slots=True)
class _Round:
    """The evaluations of one call, and what each segment's windows hold."""

    ats_us: range
    windows: Mapping[tuple[int, str | None], Window]

    @property
    def segments(self) -> set[str | None]:
        return {segment for _, segment in self.windows}


def evaluate(connection: Connection, name: str, now_us: int) -> bool:
    """Do the evaluations of one alert that are due, oldest first, a limited number of them; return whether more are.

    It is OK if the alert has been deleted meanwhile.
    """
    stored = find_alert(connection, name)
    due = range(0) if stored is None else _due(stored, now_us)
    if stored is None or not due:
        return False
    observed = _observe(connection, stored, due)
    before = _read_states(connection, stored)
    if not stored.alert.each_segment:
        before.setdefault(None, start(_instant(due[0])))
    firsts = _first_seen(observed)
    signals: list[dict[str, Any]] = []
    after: dict[str | None, Status] = {}
    for segment in before.keys() | observed.segments:
        begin_us = due[0] if segment in before else firsts[segment]
        status = before.get(segment) or start(_instant(begin_us))
        for at, value in _iter_values(stored, observed, segment, begin_us):
            status, last = step(stored.alert, status, value, at), status
            if status.state is not last.state:
                signals.append(_signal(stored, segment, last, status, now_us))
        if not _is_forgotten(stored, status):
            after[segment] = status
        elif status.state is State.FIRING:
            signals.append(_signal(stored, segment, status, replace(status, state=State.NO_DATA), now_us))
    _write(connection, stored, after, sorted(signals, key=lambda signal: int(signal["at_us"])))
    connection.run(_QUERIES["note_evaluation"], {"id": stored.id, "evaluated_us": due[-1], "error": None})
    return due[-1] + due.step <= now_us


def note_error(connection: Connection, name: str, message: str, now_us: int) -> None:
    """Record that the alert's evaluations up to now have failed, and why; the next one is tried when it is due."""
    stored = find_alert(connection, name)
    if stored is not None:
        connection.run(_QUERIES["note_evaluation"], {"id": stored.id, "evaluated_us": now_us, "error": message})


def beat(connection: Connection, error: str | None) -> None:
    """Leave a sign of life, and what went wrong since the last one."""
    connection.run(_QUERIES["first_beat"], {"evaluator": EVALUATOR, "error": error})
    connection.run(_QUERIES["beat"], {"evaluator": EVALUATOR, "error": error})


def _due(stored: StoredAlert, now_us: int) -> range:
    """Return the instants to evaluate at, aligned to the epoch."""
    period_us = stored.alert.period_s * US_PER_S
    first_us = (stored.evaluated_us // period_us + 1) * period_us
    buckets = stored.alert.window_s // stored.metric_period_s
    at_once = min(_MOST_EVALUATIONS, max(1, _MOST_OBSERVATIONS // buckets))
    return range(first_us, now_us + 1, period_us)[:at_once]


def _observe(connection: Connection, stored: StoredAlert, due: range) -> _Round:
    is_summed = adds_up(stored.metric_statistic)
    sql = _QUERIES["observe_each" if stored.alert.each_segment else "observe_together"].format(
        metric=stored.alert.metric,
        value="sum(value)" if is_summed else "value",
        grouping="GROUP BY bucket" if is_summed else "",
    )
    parameters = {
        "first_us": due[0],
        "last_us": due[-1],
        "period_us": due.step,
        "delay_us": stored.alert.delay_s * US_PER_S,
        "window_us": stored.alert.window_s * US_PER_S,
        "bucket_us": stored.metric_period_s * US_PER_S,
    }
    rows = connection.rows(sql, parameters)
    windows = {
        (row["at_us"], row["segment"]): Window(row["n"], row["sum"], row["min"], row["max"]) for row in rows if row["n"]
    }
    return _Round(due, windows)


def _first_seen(observed: _Round) -> dict[str | None, int]:
    """Return when each segment was first observed: before that it did not exist, and is not judged."""
    firsts: dict[str | None, int] = {}
    for at_us, segment in observed.windows:
        firsts[segment] = min(at_us, firsts.get(segment, at_us))
    return firsts


def _iter_values(
    stored: StoredAlert, observed: _Round, segment: str | None, begin_us: int
) -> Iterator[tuple[datetime, float | None]]:
    nothing = Window(0)
    for at_us in range(begin_us, observed.ats_us.stop, observed.ats_us.step):
        window = observed.windows.get((at_us, segment), nothing)
        yield _instant(at_us), observe(stored.alert, stored.metric_statistic, stored.metric_period_s, window)


def _read_states(connection: Connection, stored: StoredAlert) -> dict[str | None, Status]:
    return {
        row["segment"]: Status(
            state=State(row["state"]),
            since=_instant(row["since_us"]),
            clear_since=_instant_or_none(row["clear_since_us"]),
            value=row["value"],
            evaluated_at=_instant(row["evaluated_us"]),
            seen_at=_instant_or_none(row["seen_us"]),
        )
        for row in connection.rows(_QUERIES["states_of"], {"id": stored.id})
    }


def _signal(stored: StoredAlert, segment: str | None, last: Status, status: Status, now_us: int) -> dict[str, Any]:
    since, until = window_of(stored.alert, stored.metric_period_s, status.evaluated_at)
    late_us = now_us - _us(status.evaluated_at)
    return {
        "segment": segment,
        "at_us": _us(status.evaluated_at),
        "from_state": last.state.value,
        "to_state": status.state.value,
        "value": status.value,
        "comparison": stored.alert.comparison.value,
        "level": stored.alert.level,
        "window_since_us": _us(since),
        "window_until_us": _us(until),
        "made_up": late_us >= stored.alert.period_s * US_PER_S + MADE_UP_AFTER // timedelta(microseconds=1),
    }


def _write(
    connection: Connection,
    stored: StoredAlert,
    after: Mapping[str | None, Status],
    signals: Sequence[Mapping[str, Any]],
) -> None:
    """Replace the states and add the signals."""
    states = [
        {
            "segment": segment,
            "state": status.state.value,
            "since_us": _us(status.since),
            "clear_since_us": None if status.clear_since is None else _us(status.clear_since),
            "value": status.value,
            "evaluated_us": _us(status.evaluated_at),
            "seen_us": None if status.seen_at is None else _us(status.seen_at),
        }
        for segment, status in after.items()
    ]
    connection.run(_QUERIES["delete_states"], {"id": stored.id})
    with connection.table("states", pa.Table.from_pylist(states, _STATES)):
        connection.run(_QUERIES["insert_states"], {"id": stored.id})
    if signals:
        with connection.table("signals", pa.Table.from_pylist(list(signals), _SIGNALS)):
            connection.run(_QUERIES["insert_signals"], {"id": stored.id})


def _is_forgotten(stored: StoredAlert, status: Status) -> bool:
    stays = status.state is State.PENDING or (status.state is State.FIRING and stored.alert.no_data is NoData.KEEP)
    if not stored.alert.each_segment or stays or status.seen_at is None:
        return False
    return status.evaluated_at - status.seen_at > _FORGET_AFTER


def _instant(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=us)


def _instant_or_none(us: int | None) -> datetime | None:
    return None if us is None else _instant(us)


def _us(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)
