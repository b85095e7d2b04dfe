"""Evaluates alerts: their due evaluations, the oldest first, in one transaction.

An alert over all segments together has one status, which the model's rule judges in Python. Alerts over each segment
are judged in SQL, by `judge`, so that many segments cost little. Evaluations that were missed while no engine ran are
caught up, because the records tell what would have been observed. One call does a limited number of evaluations, so
that the evaluations after a long pause do not block the writer.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pyarrow as pa

from puppylog.model.alert import State
from puppylog.model.alert_rule import MISSED_AFTER, Status, Window, adds_up, is_weighted, observe, start, step
from puppylog.model.alert_schedule import MAX_SEGMENTS, Due, plan
from puppylog.stores.duckdb.engine.clock import rebase_alert
from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.duckdb.engine.definitions import DEFINITIONS
from puppylog.stores.duckdb.engine.evidence import Allowance, add_evidence, limit_evidence
from puppylog.stores.duckdb.engine.judge import DueAlert, judge_many, judge_one, table_of_due, windows_of
from puppylog.stores.duckdb.engine.outbox import add_notifications
from puppylog.stores.duckdb.engine.stored import StoredAlert
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores.duckdb", "alerts.sql")

EVALUATOR = "engine"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

# Several evaluations of one alert share a recursive query, which saves planning. For more segments than this, a query
# for one evaluation of several alerts costs less per evaluation. Otherwise late alerts would become ever later.
_MANY_SEGMENTS: Final = 1_000

_JUDGED: Final = pa.schema(
    [
        ("alert_id", pa.int32()),
        ("place", pa.int64()),
        ("segment", pa.string()),
        ("at_us", pa.int64()),
        ("from_state", pa.string()),
        ("state", pa.string()),
        ("since_us", pa.int64()),
        ("clear_since_us", pa.int64()),
        ("value", pa.float64()),
        ("seen_us", pa.int64()),
        ("is_seen", pa.bool_()),
        ("is_last", pa.bool_()),
        ("is_forgotten", pa.bool_()),
        ("has_new_state", pa.bool_()),
        ("unjudged", pa.int64()),
    ]
)


def evaluate(
    connection: Connection,
    names: Sequence[str],
    now_us: int,
    *,
    max_segments: int = MAX_SEGMENTS,
    allowance: Allowance | None = None,
) -> bool:
    """Do a limited number of each alert's due evaluations, the oldest first; return whether more are due.

    It is OK if an alert was deleted since it was listed. ``allowance`` limits the time for searches of sample records.
    """
    wanted = set(names)
    found = [stored for stored in DEFINITIONS.list_alerts(connection) if stored.alert.name in wanted]
    for stored in found:
        if stored.evaluated_us > now_us:
            rebase_alert(connection, stored.id, now_us)
    connection.run(_QUERIES["forget_finished_streams"])
    alerts = _plan(connection, [stored for stored in found if stored.evaluated_us <= now_us], now_us, max_segments)
    if not alerts:
        return False
    for each in alerts:
        if each.due.skipped:
            _note_skipped(connection, each)
    once = [each for each in alerts if each.stored.alert.each_segment and each.due.evaluations == 1]
    judged = [judge_one(connection, once)] if once else []
    for each in alerts:
        if not each.stored.alert.each_segment:
            judged.append(_judge_together(connection, each.stored, each.due))
        elif each.due.evaluations > 1:
            judged.append(judge_many(connection, each))
    rows = pa.concat_tables(judged)
    _write(connection, alerts, rows, now_us, allowance or Allowance())
    return any(each.due.last_us + each.due.period_us <= now_us for each in alerts)


def _plan(connection: Connection, found: Sequence[StoredAlert], now_us: int, max_segments: int) -> list[DueAlert]:
    """Return the alerts that have due evaluations, with the evaluations of this call."""
    with connection.table("asked", pa.table({"alert_id": pa.array([stored.id for stored in found], pa.int32())})):
        states = {row["alert_id"]: row["states"] for row in connection.rows(_QUERIES["count_states"])}
    alerts = []
    for stored in found:
        segments = states.get(stored.id, 0)
        buckets = stored.alert.window_s // stored.metric_period_s
        due = plan(stored.evaluated_us, now_us, stored.alert.period_s, segments=segments, buckets=buckets)
        if due is not None and stored.alert.each_segment and segments > _MANY_SEGMENTS:
            due = replace(due, evaluations=1)
        if due is not None:
            alerts.append(DueAlert(stored, due, new_segments=max(0, max_segments - segments)))
    return alerts


def _note_skipped(connection: Connection, alert: DueAlert) -> None:
    """Record the range of missed evaluations that are not caught up."""
    due = alert.due
    until_us = due.first_us - due.period_us
    since_us = until_us - due.skipped * due.period_us
    connection.run(_QUERIES["note_skipped"], {"id": alert.stored.id, "since_us": since_us, "until_us": until_us})


def note_error(connection: Connection, name: str, message: str, now_us: int) -> None:
    """Record that the alert's evaluations up to now failed, and why. The next evaluation is one period later."""
    stored = DEFINITIONS.find_alert(connection, name)
    if stored is not None:
        connection.run(_QUERIES["note_failure"], {"id": stored.id, "evaluated_us": now_us, "error": message})


def beat(connection: Connection, error: str | None, now_us: int) -> None:
    """Store a heartbeat, with the error since the last heartbeat, if there was one."""
    for query in ("first_beat", "beat"):
        connection.run(_QUERIES[query], {"evaluator": EVALUATOR, "error": error, "now_us": now_us})


def _judge_together(connection: Connection, stored: StoredAlert, due: Due) -> pa.Table:
    """Judge all segments together; return rows as of the query ``judge``. For one status, Python is faster than SQL."""
    alert, judged = stored.alert, []
    is_by_records = is_weighted(alert.statistic, stored.metric_statistic)
    sql = _QUERIES["observe_together"].format(
        metric=alert.metric,
        **_combine_segments(stored.metric_statistic),
        n="sum(whole)::BIGINT" if is_by_records else "count(value)",
        sum="sum(part)::DOUBLE" if is_by_records else "sum(value)",
    )
    windows = {
        row["at_us"]: Window(row["n"], row["sum"], row["min"], row["max"])
        for row in connection.rows(sql, windows_of(stored, due))
        if row["n"]
    }
    place, status = _find_status(connection, stored) or (None, start(_instant(due.first_us)))
    for at_us in range(due.first_us, due.last_us + 1, due.period_us):
        window = windows.get(at_us, Window(0))
        value = observe(alert, stored.metric_statistic, stored.metric_period_s, window)
        status, last = step(alert, status, value, _instant(at_us)), status
        if status.state is not last.state or at_us == due.last_us:
            judged.append(
                {"alert_id": stored.id, "place": place, **_judged(status, last, is_last=at_us == due.last_us)}
            )
    return pa.Table.from_pylist(judged, _JUDGED)


def _combine_segments(metric_statistic: str) -> dict[str, str]:
    """Return how the query ``observe_together`` makes the observations of a bucket from those of its segments."""
    if metric_statistic == "ratio":
        values = "sum(part) / sum(whole) AS value, sum(part) AS part, sum(whole) AS whole"
        return {"values": values, "grouping": "GROUP BY bucket"}
    if adds_up(metric_statistic):
        return {"values": "sum(value) AS value", "grouping": "GROUP BY bucket"}
    return {"values": "value", "grouping": ""}


def _find_status(connection: Connection, stored: StoredAlert) -> tuple[int, Status] | None:
    """Return the row id and the status of an alert over all segments together; None before the first evaluation."""
    rows = connection.rows(_QUERIES["find_status"], {"id": stored.id})
    if not rows:
        return None
    (row,) = rows
    return row["place"], Status(
        state=State(row["state"]),
        since=_instant(row["since_us"]),
        clear_since=None if row["clear_since_us"] is None else _instant(row["clear_since_us"]),
        value=row["value"],
        evaluated_at=_instant(row["evaluated_us"]),
        seen_at=None if row["seen_us"] is None else _instant(row["seen_us"]),
    )


def _judged(status: Status, last: Status, *, is_last: bool) -> dict[str, Any]:
    return {
        "at_us": _us(status.evaluated_at),
        "from_state": last.state.value,
        "state": status.state.value,
        "since_us": _us(status.since),
        "clear_since_us": None if status.clear_since is None else _us(status.clear_since),
        "value": status.value,
        "seen_us": None if status.seen_at is None else _us(status.seen_at),
        "is_seen": status.seen_at == status.evaluated_at,
        "is_last": is_last,
        "is_forgotten": False,
        "has_new_state": True,
        "unjudged": 0,
    }


def _write(
    connection: Connection, alerts: Sequence[DueAlert], judged: pa.Table, now_us: int, allowance: Allowance
) -> None:
    """Write the states that have changed, add the transitions to the history, and note the evaluations.

    Most evaluations change few segments. A query that would change nothing is not run.
    """
    with connection.table("judged", judged), connection.table("due", table_of_due(alerts)):
        (found,) = connection.rows(_QUERIES["kinds_of_judged"])
        if found["forgotten"]:
            connection.run(_QUERIES["forget_states"])
        if found["known"]:
            connection.run(_QUERIES["update_states"])
        if found["known"] and found["values_only"]:
            connection.run(_QUERIES["update_values"])
        if found["new"]:
            connection.run(_QUERIES["insert_states"])
        if found["forgotten"] or found["changed"]:
            missed_after_us = MISSED_AFTER // timedelta(microseconds=1)
            limits = limit_evidence(found["firing_alerts"], allowance)
            values = {"now_us": now_us, "missed_after_us": missed_after_us, **limits}
            transitions = connection.fetch(_QUERIES["insert_transitions"], values)
            add_evidence(connection, [each.stored for each in alerts], transitions, allowance)
            add_notifications(connection, alerts, transitions, connection.rows(_QUERIES["forgotten_segments"]))
        connection.run(_QUERIES["note_evaluations"])


def _instant(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=us)


def _us(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)
