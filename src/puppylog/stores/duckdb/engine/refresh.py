"""Refreshes a metric: the buckets between its old and its new watermark, and the buckets of late lines.

The buckets below a metric's watermark are materialized. The watermark moves in the transaction that fills the buckets.
If a line is stored below any watermark, the ingest transaction records an invalidation of its time. So each bucket is
computed when it is read, or is up to date, or has an invalidation. A refresh reads the records of a range once, and
replaces the buckets of the range.
"""

from collections.abc import Iterable

from puppylog.stores.duckdb.engine.database import Connection
from puppylog.stores.duckdb.engine.definitions import DEFINITIONS, StoredMetric
from puppylog.stores.queries import load_queries
from puppylog.stores.slices import slice_starts

_QUERIES = load_queries("puppylog.stores.duckdb", "metrics.sql")

US_PER_S = 1_000_000

# Lines normally arrive a little late. Buckets that ended less than this ago are computed when they are read.
_SETTLE_S = 2
# Ranges that are closer than this are recomputed as one range: another query costs more than reading the gap.
_MERGE_US = 3600 * US_PER_S


def refresh(connection: Connection, stored: StoredMetric, now_us: int, until_us: int | None = None) -> None:
    """Refresh the metric in the caller's transaction, up to now or up to ``until_us``, whichever is earlier."""
    period_us = stored.metric.period_s * US_PER_S
    settled = settled_us(stored.metric.period_s, now_us)
    goal_us = settled if until_us is None else min(settled, until_us)
    watermark_us = max(stored.watermark_us, goal_us // period_us * period_us)
    seq = int(connection.value(_QUERIES["last_invalidation"]))
    touched = connection.rows(_QUERIES["invalidations_after"], {"seq": stored.refreshed_seq})
    late = [(row["low_us"], min(row["high_us"] + 1, stored.watermark_us)) for row in touched]
    stale = [(stored.watermark_us, watermark_us), *late]
    for low_us, high_us in merge_ranges(stale, period_us):
        _replace_range(connection, stored, low_us, high_us)
    note = {"id": stored.id, "watermark_us": watermark_us, "seq": max(seq, stored.refreshed_seq), "now_us": now_us}
    connection.run(_QUERIES["note_refresh"], note)


def settled_us(period_s: int, now_us: int) -> int:
    """Return the instant before which buckets are final, unless lines come later than _SETTLE_S."""
    return now_us - max(period_s, _SETTLE_S) * US_PER_S


def forget_invalidations(connection: Connection) -> None:
    """Delete the invalidations that every metric's refreshes have handled."""
    connection.run(_QUERIES["forget_invalidations"])


def merge_ranges(ranges: Iterable[tuple[int, int]], period_us: int) -> list[tuple[int, int]]:
    """Return ``ranges`` (half-open, in microseconds) as whole buckets, in order. Close ranges are merged."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if low >= high:
            continue
        since, until = low // period_us * period_us, -(-high // period_us) * period_us
        if merged and since - merged[-1][1] <= _MERGE_US:
            merged[-1] = (merged[-1][0], max(merged[-1][1], until))
        else:
            merged.append((since, until))
    return merged


def list_slice_ends(connection: Connection) -> list[int]:
    """Return the ends of all slices but the last, the oldest first, in microseconds since the epoch."""
    days = ((row["day_us"], row["records"]) for row in connection.rows(_QUERIES["rows_per_day"]))
    return slice_starts(days)[1:]


def refresh_by_name(connection: Connection, name: str, now_us: int, until_us: int | None = None) -> None:
    """Refresh the metric of that name as `refresh` does. It is OK if the metric was deleted since it was listed."""
    stored = DEFINITIONS.find_metric(connection, name)
    if stored is not None:
        refresh(connection, stored, now_us, until_us)


def has_live_records(connection: Connection, metric_id: int) -> bool:
    """Return whether any record is above the metric's watermark, so that another refresh is needed."""
    return bool(connection.value(_QUERIES["has_live_records"], {"id": metric_id}))


def note_error(connection: Connection, metric_id: int, message: str) -> None:
    """Record why the last refresh of a metric failed. It is OK if the metric was deleted."""
    connection.run(_QUERIES["note_refresh_error"], {"id": metric_id, "error": message})


def _replace_range(connection: Connection, stored: StoredMetric, since_us: int, until_us: int) -> None:
    connection.run(_QUERIES["clear_range"].format(id=stored.id), {"since_us": since_us, "until_us": until_us})
    where = _QUERIES["materialized_range"].format(since_us=since_us, until_us=until_us)
    connection.run(_QUERIES["fill_range"].format(id=stored.id, aggregate=stored.aggregate(where)))
