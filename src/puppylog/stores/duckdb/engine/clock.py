"""Moves stored instants to now if they lie in the future, because the system clock was set back.

Otherwise no alert would be evaluated, and old reports and heartbeats would look new, until the clock shows the old time
again. The watermarks of metrics are lowered as well, so that unfinished buckets are computed when they are read.
"""

from typing import Final

from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.duckdb.engine.definitions import DEFINITIONS
from puppylog.stores.duckdb.engine.frozen import read_frozen
from puppylog.stores.duckdb.engine.ranges import US_PER_S
from puppylog.stores.duckdb.engine.refresh import settled_us
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores.duckdb", "clock.sql")

# NTP sets a clock back by small steps all the time. A smaller step than this gives no finding.
_REPORTED_STEP_S: Final = 2.0


def rebase(connection: Connection, now_us: int) -> None:
    """Move every instant in the future to now, and record by how much the clock was set back, if it was."""
    now = {"now_us": now_us}
    steps = connection.rows(_QUERIES["instants_ahead"], now)
    connection.run(_QUERIES["rebase_steps"], now)
    if not steps:
        return
    rebase_alert(connection, None, now_us)
    frozen = read_frozen(connection)
    from puppylog.stores.duckdb.engine import levels  # noqa: PLC0415 - an engine whose clock is right starts without it

    by_id = {stored.id: stored for stored in DEFINITIONS.list_metrics(connection)}
    for metric in connection.rows(_QUERIES["metrics_ahead"], now):
        period_us = metric["period_s"] * US_PER_S
        settled = settled_us(metric["period_s"], now_us) // period_us * period_us
        # Frozen buckets cannot be computed when they are read.
        bound = {"watermark_us": max(settled, frozen.end_us(metric["period_s"]))}
        connection.run(_QUERIES["clear_above"].format(id=metric["id"]), bound)
        levels.clear_above(connection, by_id[metric["id"]], bound["watermark_us"])
        connection.run(_QUERIES["lower_watermark"], {**bound, "id": metric["id"]})
    for query in ("rebase_refreshes", "rebase_reports", "rebase_heartbeat", "rebase_notifications", "rebase_requests"):
        connection.run(_QUERIES[query], now)
    for step in steps:
        if step["back_s"] >= _REPORTED_STEP_S:
            connection.run(_QUERIES["forget_step"], {"part": step["part"]})
            connection.run(_QUERIES["note_step"], {**step, **now})


def rebase_alert(connection: Connection, alert_id: int | None, now_us: int) -> None:
    """Move the future instants of one alert, or of all alerts if ``alert_id`` is None, to now."""
    for query in ("rebase_states", "rebase_alerts"):
        connection.run(_QUERIES[query], {"id": alert_id, "now_us": now_us})
