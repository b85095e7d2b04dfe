"""Alerts whose states stay as they are until records come, so that they need not be evaluated.

This saves most of what an idle engine does. The times of the evaluations are still noted, several at once: the
next evaluation must not judge them again.
"""

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

import pyarrow as pa

from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.duckdb.engine.ranges import US_PER_S
from puppylog.stores.duckdb.engine.refresh import has_records_since
from puppylog.stores.duckdb.engine.stored import StoredAlert
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores.duckdb", "alerts.sql")

SETTLED_S: Final = 10
"""The evaluations of settled alerts are noted at multiples of this time. A monitor calls an evaluation old after
30 seconds and two periods."""

_JUDGE_S: Final = 300
"""How many seconds a settled alert stays unevaluated at most, because evaluations also delete old states."""

Changes: TypeAlias = tuple[int, int]
"""The numbers of appends, and of changes of metrics and alerts. While both stay, settled alerts stay settled."""


class SettledAlerts:
    """The alerts that were settled at their last evaluation. Used in the thread of the jobs only."""

    def __init__(self) -> None:
        # By the alert's id. Times are in microseconds since the epoch.
        self._evaluated_after: dict[int, Changes] = {}  # the changes before its last evaluation
        self._settled_after: dict[int, Changes] = {}  # the same, of alerts that were settled then
        self._noted_us: dict[int, int] = {}  # when its evaluations were last noted
        self._judged_us: dict[int, int] = {}  # when it was last evaluated

    def may_wait(self, stored: StoredAlert, changes: Changes, now_us: int) -> bool:
        """Return whether the due evaluations of an alert may wait, because they can change no state."""
        is_settled = self._settled_after.get(stored.id) == changes
        return is_settled and not _is_later(self._noted_us[stored.id], now_us)

    def list_settled(self, alerts: Iterable[StoredAlert], changes: Changes, now_us: int) -> list[StoredAlert]:
        """Return those of the alerts whose evaluations may be noted instead of made."""
        return [
            stored
            for stored in alerts
            if self._settled_after.get(stored.id) == changes
            and stored.evaluated_us <= now_us
            and 0 <= now_us - self._judged_us[stored.id] < _JUDGE_S * US_PER_S
        ]

    def list_quiet(self, alerts: Iterable[StoredAlert], changes: Changes) -> list[StoredAlert]:
        """Return the alerts to look at: nothing has changed since their last evaluation, so they may be settled."""
        return [stored for stored in alerts if self._evaluated_after.get(stored.id) == changes]

    def note_evaluated(self, alerts: Iterable[StoredAlert], settled: set[int], changes: Changes, now_us: int) -> None:
        """Note that alerts were evaluated, and which of them are settled."""
        for stored in alerts:
            self._evaluated_after[stored.id] = changes
            if stored.id in settled:
                self._settled_after[stored.id] = changes
                self._noted_us[stored.id] = self._judged_us[stored.id] = now_us

    def note_noted(self, ids: Iterable[int], now_us: int) -> None:
        """Note that the evaluations of settled alerts up to now were noted."""
        self._noted_us.update(dict.fromkeys(ids, now_us))


def _is_later(noted_us: int, now_us: int) -> bool:
    return now_us // (SETTLED_S * US_PER_S) != noted_us // (SETTLED_S * US_PER_S)


def note_settled(connection: Connection, alerts: Sequence[StoredAlert], now_us: int) -> dict[int, int]:
    """Note the evaluations of settled alerts up to now.

    Whether they are settled is determined again in this transaction: lines may have been stored that no other thread
    has reported yet.

    Returns:
        By the id of each alert that is settled, its last evaluation in microseconds since the epoch.
    """
    settled = find_settled(connection, alerts)
    noted = {
        stored.id: now_us // (period_us := stored.alert.period_s * US_PER_S) * period_us
        for stored in alerts
        if stored.id in settled
    }
    if noted:
        columns = {"alert_id": pa.array(noted.keys(), pa.int32()), "at_us": pa.array(noted.values(), pa.int64())}
        with connection.table("settled", pa.table(columns)):
            connection.run(_QUERIES["note_settled"])
    return noted


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
