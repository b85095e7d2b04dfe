"""Evaluates an alert: all due evaluations, the oldest first, in one transaction.

An alert over all segments together has one status, which the model's rule judges in Python. An alert over each segment
is judged by one SQL query, so that many segments cost little. Evaluations that were missed while no engine ran are
caught up, because the records tell what would have been observed. One call does a limited number of evaluations, so
that the evaluations after a long pause do not block the writer.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.model.alert import State
from puppylog.model.alert_rule import (
    MISSED_AFTER,
    Status,
    Window,
    adds_up,
    counts_missing_as_zero,
    is_weighted,
    observe,
    start,
    step,
)
from puppylog.model.alert_schedule import MAX_SEGMENTS, Due, plan
from puppylog.stores.duckdb.engine.clock import rebase_alert
from puppylog.stores.duckdb.engine.database import Connection
from puppylog.stores.duckdb.engine.definitions import DEFINITIONS, StoredAlert
from puppylog.stores.duckdb.engine.refresh import US_PER_S
from puppylog.stores.queries import load_queries, parameters_of

_QUERIES = load_queries("puppylog.stores.duckdb", "alerts.sql")

EVALUATOR = "engine"

# The state of a segment that was not observed for so long is deleted. Segments come from log lines, so a client that
# always sends new ones would make the states grow without limit. A firing segment first changes to no_data.
_FORGET_US: Final = 86_400 * US_PER_S


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_JUDGED: Final = pa.schema(
    [
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
        ("unjudged", pa.int64()),
    ]
)


def evaluate(connection: Connection, name: str, now_us: int, *, most_segments: int = MAX_SEGMENTS) -> bool:
    """Do a limited number of an alert's due evaluations, the oldest first; return whether more are due.

    It is OK if the alert was deleted since it was listed.
    """
    stored = DEFINITIONS.find_alert(connection, name)
    if stored is None:
        return False
    if stored.evaluated_us > now_us:
        rebase_alert(connection, stored.id, now_us)
        return False
    states = int(connection.value(_QUERIES["count_states"], {"id": stored.id}))
    buckets = stored.alert.window_s // stored.metric_period_s
    due = plan(stored.evaluated_us, now_us, stored.alert.period_s, segments=states, buckets=buckets)
    if due is None:
        return False
    if due.skipped:
        until_us = due.first_us - due.period_us
        since_us = until_us - due.skipped * due.period_us
        connection.run(_QUERIES["note_skipped"], {"id": stored.id, "since_us": since_us, "until_us": until_us})
    if stored.alert.each_segment:
        judged = _judge_each(connection, stored, due, new_segments=max(0, most_segments - states))
    else:
        judged = _judge_together(connection, stored, due)
    _write(connection, stored, judged, now_us)
    unjudged = judged["unjudged"][0].as_py()
    note = {"id": stored.id, "evaluated_us": due.last_us, "unjudged": unjudged}
    connection.run(_QUERIES["note_evaluation"], note)
    return due.last_us + due.period_us <= now_us


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
        for row in connection.rows(sql, _observed(stored, due))
        if row["n"]
    }
    place, status = _find_status(connection, stored) or (None, start(_instant(due.first_us)))
    for at_us in range(due.first_us, due.last_us + 1, due.period_us):
        window = windows.get(at_us, Window(0))
        value = observe(alert, stored.metric_statistic, stored.metric_period_s, window)
        status, last = step(alert, status, value, _instant(at_us)), status
        if status.state is not last.state or at_us == due.last_us:
            judged.append({"place": place, **_judged(status, last, is_last=at_us == due.last_us)})
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
        "unjudged": 0,
    }


def _judge_each(connection: Connection, stored: StoredAlert, due: Due, *, new_segments: int) -> pa.Table:
    """Judge each segment; return the rows of the query ``judge``."""
    parameters: dict[str, int | str] = {
        **_observed(stored, due),
        "id": stored.id,
        "evaluations": due.evaluations,
        "statistic": stored.alert.statistic,
        "buckets": stored.alert.window_s // stored.metric_period_s,
        "is_count": counts_missing_as_zero(stored.metric_statistic),
        "new_segments": new_segments,
        "forget_us": _FORGET_US,
    }
    sql = _judge_one_sql(has_new=new_segments > 0) if due.evaluations == 1 else _judge_many_sql()
    is_by_records = is_weighted(stored.alert.statistic, stored.metric_statistic)
    average = _QUERIES["average_by_records" if is_by_records else "average"]
    sql = sql.replace("{metric}", stored.alert.metric).replace("{average}", average)
    used = parameters_of(sql)  # DuckDB refuses a parameter that a query does not name
    return connection.fetch(sql, {name: value for name, value in parameters.items() if name in used})


def _judge_one_sql(*, has_new: bool) -> str:
    """Return the query ``judge`` for one evaluation, with ``{metric}`` and ``{average}`` to fill in.

    Args:
        has_new: whether the alert may judge segments that it has not judged before. If not, they are only counted.
    """
    next_states = _QUERIES["next_states"].format(
        kept=_QUERIES["columns_of_one"], observed_now=_QUERIES["observed_by_one"]
    )
    return _QUERIES["judge"].format(
        observed=_QUERIES["observe_each_once"].format(metric="{metric}", value=_QUERIES["value_of_window"]),
        chain=_QUERIES["chain_of_one"].format(
            admitted=_QUERIES["admitted_to_one"] if has_new else "", next_states=next_states
        ),
        unjudged=_QUERIES["unjudged_by_one"],
    )


def _judge_many_sql() -> str:
    """Return the query ``judge`` for several evaluations in their order, with ``{metric}`` and ``{average}``."""
    next_states = _QUERIES["next_states"].format(kept="life", observed_now=_QUERIES["observed_by_many"])
    return _QUERIES["judge"].format(
        observed=_QUERIES["observe_each"].format(metric="{metric}", value=_QUERIES["value_of_window"]),
        chain=_QUERIES["chain_of_many"].format(next_states=next_states),
        unjudged=_QUERIES["unjudged_by_many"],
    )


def _observed(stored: StoredAlert, due: Due) -> dict[str, int]:
    """Return the parameters of the queries ``observe_…``."""
    return {
        "first_us": due.first_us,
        "last_us": due.last_us,
        "period_us": due.period_us,
        "delay_us": stored.alert.delay_s * US_PER_S,
        "window_us": stored.alert.window_s * US_PER_S,
        "bucket_us": stored.metric_period_s * US_PER_S,
    }


def _write(connection: Connection, stored: StoredAlert, judged: pa.Table, now_us: int) -> None:
    """Write the states that have changed, and add the transitions to the history.

    Most evaluations change few segments. A query that would change nothing is not run.
    """
    alert = stored.alert
    missed_us = alert.period_s * US_PER_S + MISSED_AFTER // timedelta(microseconds=1)
    transitions = {
        "id": stored.id,
        "now_us": now_us,
        "missed_us": missed_us,
        "delay_us": alert.delay_s * US_PER_S,
        "window_us": alert.window_s * US_PER_S,
        "bucket_us": stored.metric_period_s * US_PER_S,
    }
    is_forgotten = judged["is_forgotten"]
    places = judged.filter(pc.and_(judged["is_last"], pc.invert(is_forgotten)))["place"]
    with connection.table("judged", judged):
        if _any(is_forgotten):
            connection.run(_QUERIES["forget_states"])
        if places.null_count < len(places):
            connection.run(_QUERIES["update_states"])
        if places.null_count:
            connection.run(_QUERIES["insert_states"], {"id": stored.id})
        if _any(is_forgotten) or _any(pc.not_equal(judged["from_state"], judged["state"])):
            connection.run(_QUERIES["insert_transitions"], transitions)


def _any(column: pa.ChunkedArray) -> bool:
    """Return whether any value of a column of booleans is true."""
    return bool(pc.any(column).as_py())


def _instant(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=us)


def _us(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)
