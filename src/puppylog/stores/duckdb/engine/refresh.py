"""Refreshes metrics: the buckets between the old and the new watermark of each, and the buckets of late lines.

The buckets below a metric's watermark are materialized. The watermark moves in the transaction that fills the buckets.
If a line is stored below any watermark, the ingest transaction records an invalidation of its time. So each bucket is
computed when it is read, or is up to date, or has an invalidation. A refresh reads the records of a range once, and
replaces the buckets of the range. Frozen buckets, some of whose records were dropped, are not computed again.
"""

import time
from collections.abc import Iterable, Sequence
from typing import Final

import pyarrow as pa

from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.duckdb.engine.definitions import DEFINITIONS
from puppylog.stores.duckdb.engine.frozen import ceil_us, read_frozen
from puppylog.stores.duckdb.engine.ranges import US_PER_S, merge_ranges
from puppylog.stores.duckdb.engine.stored import StoredMetric
from puppylog.stores.queries import load_queries
from puppylog.stores.slices import slice_starts

_QUERIES = load_queries("puppylog.stores.duckdb", "metrics.sql")

# Lines normally arrive a little late. Buckets that ended less than this ago are computed when they are read.
_SETTLE_S = 2
# While metrics are refreshed, no line is committed. After this time no further one is begun.
_MAX_S = 0.5

_REFRESHED: Final = pa.schema([("metric_id", pa.int32()), ("watermark_us", pa.int64()), ("seq", pa.int64())])


def refresh(connection: Connection, names: Sequence[str], now_us: int, until_us: int | None = None) -> int:
    """Refresh metrics in the caller's transaction, in this order, until they are done or a time limit has passed.

    It is OK if a metric was deleted since it was listed.

    Args:
        connection: the writer's connection.
        names: the metrics. The first one is always refreshed.
        now_us: the present, in microseconds since the epoch. A metric is refreshed up to now.
        until_us: if earlier, the instant up to which each metric is refreshed.

    Returns:
        How many of the ``names`` are done.
    """
    by_name = {stored.metric.name: stored for stored in DEFINITIONS.list_metrics(connection)}
    found = [by_name[name] for name in names if name in by_name]
    if not found:
        return len(names)
    late_ranges = _LateRanges(connection, found)
    refreshed: list[dict[str, int]] = []
    deadline = time.monotonic() + _MAX_S
    for stored in found:
        if refreshed and time.monotonic() > deadline:
            break
        settled = settled_us(stored.metric.period_s, now_us)
        goal_us = settled if until_us is None else min(settled, until_us)
        refreshed.append(_refresh_one(connection, stored, late_ranges, goal_us))
    _note_refreshes(connection, refreshed, now_us)
    return len(names) if len(refreshed) == len(found) else names.index(found[len(refreshed)].metric.name)


def refresh_before(connection: Connection, metrics: Sequence[StoredMetric], before_us: int, now_us: int) -> None:
    """Materialize every bucket that starts before an instant, finished or not, in the caller's transaction.

    Afterwards the records before this instant can be dropped: no bucket is computed from them again.

    Args:
        connection: the writer's connection.
        metrics: the metrics, not derived.
        before_us: the instant, in microseconds since the epoch.
        now_us: the present.
    """
    if not metrics:
        return
    late_ranges = _LateRanges(connection, metrics)
    refreshed = []
    for stored in metrics:
        goal_us = ceil_us(before_us, stored.metric.period_s)
        if stored.watermark_us < goal_us or late_ranges.find(stored):
            refreshed.append(_refresh_one(connection, stored, late_ranges, goal_us))
    if refreshed:
        _note_refreshes(connection, refreshed, now_us)


class _LateRanges:
    """The time ranges that late lines have touched since the last refresh of some metrics."""

    def __init__(self, connection: Connection, metrics: Sequence[StoredMetric]) -> None:
        self.last_seq = int(connection.value(_QUERIES["last_invalidation"]))
        self._frozen = read_frozen(connection)
        first_seq = min(stored.refreshed_seq for stored in metrics)
        is_touched = self.last_seq > first_seq
        self._touched = connection.rows(_QUERIES["invalidations_after"], {"seq": first_seq}) if is_touched else []

    def find(self, stored: StoredMetric) -> list[tuple[int, int]]:
        """Return the ranges of one metric, without frozen buckets: half-open, in microseconds since the epoch."""
        since_us, until_us = self._frozen.end_us(stored.metric.period_s), stored.watermark_us
        touched = [row for row in self._touched if row["seq"] > stored.refreshed_seq]
        ranges = [(max(row["low_us"], since_us), min(row["high_us"] + 1, until_us)) for row in touched]
        return [(low_us, high_us) for low_us, high_us in ranges if low_us < high_us]


def _refresh_one(
    connection: Connection, stored: StoredMetric, late_ranges: _LateRanges, goal_us: int
) -> dict[str, int]:
    """Fill the buckets of one metric; return its row of the table ``refreshed``, which the caller stores.

    Args:
        connection: the writer's connection.
        stored: the metric.
        late_ranges: of this metric and others.
        goal_us: the instant up to which whole buckets are filled, in microseconds since the epoch.
    """
    from puppylog.stores.duckdb.engine import levels  # noqa: PLC0415 - an engine without metrics starts without it

    period_us = stored.metric.period_s * US_PER_S
    watermark_us = max(stored.watermark_us, goal_us // period_us * period_us)
    below = late_ranges.find(stored)
    ranges = merge_ranges([(stored.watermark_us, watermark_us), *below], period_us)
    for low_us, high_us in ranges:
        if low_us < stored.watermark_us:  # no bucket above the watermark is in the rollup
            bounds = {"since_us": low_us, "until_us": high_us}
            connection.run(_QUERIES["clear_range"].format(id=stored.id), bounds)
        where = _QUERIES["materialized_range"].format(since_us=low_us, until_us=high_us)
        connection.run(_QUERIES["fill_range"].format(id=stored.id, aggregate=stored.aggregate(where)))
        levels.refill_sketch(connection, stored, low_us, high_us, where)
    levels.refill_levels(connection, stored, ranges, watermark_us)
    seq = max(late_ranges.last_seq, stored.refreshed_seq)
    return {"metric_id": stored.id, "watermark_us": watermark_us, "seq": seq}


def _note_refreshes(connection: Connection, refreshed: Sequence[dict[str, int]], now_us: int) -> None:
    with connection.table("refreshed", pa.Table.from_pylist(list(refreshed), _REFRESHED)):
        connection.run(_QUERIES["note_refreshes"], {"now_us": now_us})


def settled_us(period_s: int, now_us: int) -> int:
    """Return the instant before which buckets are final, unless lines come later than _SETTLE_S."""
    return now_us - max(period_s, _SETTLE_S) * US_PER_S


def has_handled_invalidations(connection: Connection) -> bool:
    """Return whether `forget_invalidations` would delete any invalidation."""
    return bool(connection.value(_QUERIES["has_handled_invalidations"]))


def forget_invalidations(connection: Connection) -> None:
    """Delete the invalidations that every metric's refreshes have handled."""
    connection.run(_QUERIES["forget_invalidations"])


def list_slice_ends(connection: Connection) -> list[int]:
    """Return the ends of all slices but the last, the oldest first, in microseconds since the epoch."""
    days = ((row["day_us"], row["records"]) for row in connection.rows(_QUERIES["rows_per_day"]))
    return slice_starts(days)[1:]


def list_live(connection: Connection, metric_ids: Iterable[int]) -> set[int]:
    """Return those of the metrics that have records above their watermarks, so that they need another refresh."""
    asked = set(metric_ids)
    watermarks = {row["id"]: row["watermark_us"] for row in connection.rows(_QUERIES["list_watermarks"])}
    has_live = {
        watermark_us: has_records_since(connection, watermark_us)
        for watermark_us in {watermarks[metric_id] for metric_id in asked & watermarks.keys()}
    }
    return {metric_id for metric_id in asked & watermarks.keys() if has_live[watermarks[metric_id]]}


def has_records_since(connection: Connection, since_us: int) -> bool:
    """Return whether any record has a time at or after an instant, in microseconds since the epoch."""
    return bool(connection.value(_QUERIES["has_live_records"].format(watermark_us=since_us)))


def note_error(connection: Connection, metric_id: int, message: str) -> None:
    """Record why the last refresh of a metric failed. It is OK if the metric was deleted."""
    connection.run(_QUERIES["note_refresh_error"], {"id": metric_id, "error": message})
