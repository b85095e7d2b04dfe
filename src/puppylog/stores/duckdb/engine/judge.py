"""Judges alerts over each segment, in SQL. One query judges one due evaluation of several alerts.

DuckDB takes longer to plan such a query than to run it, so alerts share one. If several evaluations of an alert are
due, as after a pause, a recursive query judges them in their order, for this alert alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from puppylog.model.alert_rule import FORGET_AFTER, counts_missing_as_zero, is_weighted
from puppylog.model.alert_schedule import Due
from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.duckdb.engine.ranges import US_PER_S
from puppylog.stores.duckdb.engine.stored import StoredAlert
from puppylog.stores.queries import load_queries, parameters_of

_QUERIES = load_queries("puppylog.stores.duckdb", "alerts.sql")

_FORGET_US: Final = int(FORGET_AFTER.total_seconds()) * US_PER_S

_DUE: Final = pa.schema(
    [
        ("alert_id", pa.int32()),
        ("first_us", pa.int64()),
        ("last_us", pa.int64()),
        ("period_us", pa.int64()),
        ("evaluations", pa.int64()),
        ("bucket_us", pa.int64()),
        ("new_segments", pa.int64()),
    ]
)


@dataclass(frozen=True, slots=True)
class DueAlert:
    """An alert, its due evaluations, and how many segments it may judge that it has not judged before."""

    stored: StoredAlert
    due: Due
    new_segments: int


def table_of_due(alerts: Sequence[DueAlert]) -> pa.Table:
    """Return the table ``due`` of the queries that judge alerts and write what was judged."""
    rows = [
        {
            "alert_id": each.stored.id,
            "first_us": each.due.first_us,
            "last_us": each.due.last_us,
            "period_us": each.due.period_us,
            "evaluations": each.due.evaluations,
            "bucket_us": each.stored.metric_period_s * US_PER_S,
            "new_segments": each.new_segments,
        }
        for each in alerts
    ]
    return pa.Table.from_pylist(rows, _DUE)


def judge_one(connection: Connection, alerts: Sequence[DueAlert]) -> pa.Table:
    """Judge the only due evaluation of each alert; return the rows of the query ``judge``."""
    next_states = _QUERIES["next_states"].format(
        kept=_QUERIES["columns_of_one"], observed_now=_QUERIES["observed_by_one"]
    )
    has_new = any(each.new_segments for each in alerts)
    chain = _QUERIES["chain_of_one"].format(
        admitted=_QUERIES["admitted_to_one"] if has_new else "", next_states=next_states
    )
    observed = "\nUNION ALL\n".join(_observe_once(each.stored, each.due.first_us) for each in alerts)
    return _judge(connection, alerts, observed, chain, {})


def judge_many(connection: Connection, alert: DueAlert) -> pa.Table:
    """Judge several due evaluations of one alert in their order; return the rows of the query ``judge``."""
    stored, due = alert.stored, alert.due
    observed = _QUERIES["observe_each"].format(metric=stored.alert.metric, value=_value_of_window(stored))
    next_states = _QUERIES["next_states"].format(kept="life", observed_now=_QUERIES["observed_by_many"])
    chain = _QUERIES["chain_of_many"].format(next_states=next_states)
    values = {
        **windows_of(stored, due),
        "id": stored.id,
        "evaluations": due.evaluations,
        "new_segments": alert.new_segments,
    }
    return _judge(connection, [alert], observed, chain, values)


def windows_of(stored: StoredAlert, due: Due) -> dict[str, int]:
    """Return the parameters of the queries ``observe_each`` and ``observe_together``."""
    return {
        "first_us": due.first_us,
        "last_us": due.last_us,
        "period_us": due.period_us,
        "delay_us": stored.alert.delay_s * US_PER_S,
        "window_us": stored.alert.window_s * US_PER_S,
        "bucket_us": stored.metric_period_s * US_PER_S,
    }


def _judge(
    connection: Connection, alerts: Sequence[DueAlert], observed: str, chain: str, values: dict[str, int]
) -> pa.Table:
    sql = _QUERIES["judge"].format(observed=observed, chain=chain)
    values = {**values, "forget_us": _FORGET_US}
    with connection.table("due", table_of_due(alerts)):
        # DuckDB refuses a parameter that a query does not name.
        return connection.fetch(sql, {name: values[name] for name in parameters_of(sql)})


def _observe_once(stored: StoredAlert, at_us: int) -> str:
    """Return the SQL of what the evaluation at ``at_us`` observes. It reads no records if it needs none."""
    alert, bucket_us = stored.alert, stored.metric_period_s * US_PER_S
    until_us = (at_us - alert.delay_s * US_PER_S) // bucket_us * bucket_us
    if until_us <= stored.metric_watermark_us:
        buckets = _QUERIES["rollup_of_metric"].format(id=stored.metric_id)
    else:
        buckets = _QUERIES["view_of_metric"].format(name=alert.metric)
    return _QUERIES["observe_each_once"].format(
        id=stored.id,
        value=_value_of_window(stored),
        buckets=buckets,
        since_us=until_us - alert.window_s * US_PER_S,
        until_us=until_us,
    )


def _value_of_window(stored: StoredAlert) -> str:
    counting = {
        "is_count": str(counts_missing_as_zero(stored.metric_statistic)).lower(),
        "buckets": stored.alert.window_s // stored.metric_period_s,
    }
    is_by_records = is_weighted(stored.alert.statistic, stored.metric_statistic)
    average = _QUERIES["average_by_records" if is_by_records else "average"].format(**counting)
    return _QUERIES["value_of_window"].format(statistic=stored.alert.statistic, average=average, **counting)
