"""A clock that was set back: instants that the store keeps then lie in the future, and are moved to now.

Otherwise alerts would not be evaluated, and reports and heartbeats would look fresh, for as long as the step was. The
watermarks of metrics are lowered as well, so that metrics are read live where they are not final.
"""

from typing import Final

from puppylog.stores.duckdb.engine.database import Connection
from puppylog.stores.duckdb.engine.refresh import US_PER_S, settled_us
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores.duckdb", "clock.sql")

# A clock that is kept by NTP is set back by less than this all the time: not worth a finding.
_WORTH_TELLING_S: Final = 2.0


def rebase(connection: Connection, now_us: int) -> None:
    """Move every instant in the future to now, and note by how much the clock was set back. OK if there is none."""
    now = {"now_us": now_us}
    steps = connection.rows(_QUERIES["instants_ahead"], now)
    connection.run(_QUERIES["rebase_steps"], now)
    if not steps:
        return
    rebase_alert(connection, None, now_us)
    for metric in connection.rows(_QUERIES["metrics_ahead"], now):
        period_us = metric["period_s"] * US_PER_S
        bound = {"watermark_us": settled_us(metric["period_s"], now_us) // period_us * period_us}
        connection.run(_QUERIES["clear_above"].format(id=metric["id"]), bound)
        connection.run(_QUERIES["lower_watermark"], {**bound, "id": metric["id"]})
    for query in ("rebase_refreshes", "rebase_reports", "rebase_heartbeat"):
        connection.run(_QUERIES[query], now)
    for step in steps:
        if step["back_s"] >= _WORTH_TELLING_S:
            connection.run(_QUERIES["forget_step"], {"part": step["part"]})
            connection.run(_QUERIES["note_step"], {**step, **now})


def rebase_alert(connection: Connection, alert_id: int | None, now_us: int) -> None:
    """Move the instants of one alert, or of all, that lie in the future to now."""
    for query in ("rebase_states", "rebase_alerts"):
        connection.run(_QUERIES[query], {"id": alert_id, "now_us": now_us})
