"""Alerts whose states stay as they are until records come, so that they need not be evaluated on time.

This saves most of what an idle engine does. The evaluations are not skipped: they are done together, somewhat later.
"""

from collections.abc import Sequence
from typing import Final

import pyarrow as pa

from puppylog.stores.duckdb.engine.database import Connection
from puppylog.stores.duckdb.engine.definitions import StoredAlert
from puppylog.stores.duckdb.engine.ranges import US_PER_S
from puppylog.stores.duckdb.engine.refresh import has_records_since
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores.duckdb", "alerts.sql")

SETTLED_S: Final = 15
"""Settled alerts are evaluated at multiples of so many seconds. A monitor calls an evaluation old after twice that."""


def is_later(evaluated_us: int, now_us: int) -> bool:
    """Return whether it is time to evaluate a settled alert again.

    Args:
        evaluated_us: when it was last evaluated, in microseconds since the epoch.
        now_us: the present.
    """
    return now_us // (SETTLED_S * US_PER_S) != evaluated_us // (SETTLED_S * US_PER_S)


def find_settled(connection: Connection, alerts: Sequence[StoredAlert]) -> set[int]:
    """Return the ids of the alerts that have the same states at each evaluation as long as no record is stored.

    No segment of such an alert is pending or firing, and no record is in the last evaluation's window or later.

    Args:
        connection: of the transaction in which the alerts were evaluated.
        alerts: those alerts.
    """
    by_id = {stored.id: stored.alert.window_s + stored.alert.delay_s + stored.metric_period_s for stored in alerts}
    with connection.table("asked", pa.table({"alert_id": pa.array(by_id, pa.int32())})):
        calm = {row["id"]: row["evaluated_us"] for row in connection.rows(_QUERIES["calm_alerts"])}
    if not calm:
        return set()
    since_us = min(evaluated_us - by_id[alert_id] * US_PER_S for alert_id, evaluated_us in calm.items())
    return set() if has_records_since(connection, since_us) else set(calm)
