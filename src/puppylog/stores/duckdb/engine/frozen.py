"""Frozen buckets: some of their records were dropped, so they are never computed again from the records that are left.

All records before one instant may be gone. A bucket that starts before this instant is frozen. A late line of a frozen
bucket is added to the bucket in the transaction that stores the line, if the statistic allows this.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from puppylog.errors import QueryError
from puppylog.model.derived import is_derived
from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.duckdb.engine.definitions import DEFINITIONS
from puppylog.stores.duckdb.engine.stored import StoredMetric
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores.duckdb", "retention.sql")

_US_PER_S: Final = 1_000_000

_ADDED: Final = "value = coalesce(stored.value + late.value, stored.value, late.value)"
_ADDITIONS: Final = {
    "count": _ADDED,
    "rate": _ADDED,
    "sum": _ADDED,
    "min": "value = least(stored.value, late.value)",
    "max": "value = greatest(stored.value, late.value)",
    "ratio": (
        "part = stored.part + late.part, whole = stored.whole + late.whole, "
        "value = CAST(stored.part + late.part AS DOUBLE) / (stored.whole + late.whole)"
    ),
}
"""SQL: how late lines change a bucket. A bucket of another statistic stays as it is, because its records are gone."""

_REMOVED: Final = "value = coalesce(stored.value - late.value, stored.value)"
_REMOVED_SHARE: Final = (
    "part = stored.part - late.part, whole = stored.whole - late.whole, "
    "value = CAST(stored.part - late.part AS DOUBLE) / nullif(stored.whole - late.whole, 0)"
)
_REMOVALS: Final[dict[str, tuple[str, str | None]]] = {
    "count": (_REMOVED, "value < 0.5"),
    "rate": (_REMOVED, "value < 0.5 / {period_s}"),
    "sum": (_REMOVED, None),
    "ratio": (_REMOVED_SHARE, "whole = 0"),
}
"""SQL: how deleted records change a bucket, and whether the bucket has no record left, if its columns tell."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """The instant before which records may be gone, in microseconds since the epoch; None if none was dropped."""

    before_us: int | None
    longest_s: int  # the longest period of a metric, in seconds

    def end_us(self, period_s: int) -> int:
        """Return the end of the last frozen bucket of a metric; if none is frozen, an instant before all records."""
        return _BEGINNING_US if self.before_us is None else ceil_us(self.before_us, period_s)


_BEGINNING_US: Final = -(2**62)


def ceil_us(instant_us: int, period_s: int) -> int:
    """Return the first start of a bucket that is not before the instant."""
    period_us = period_s * _US_PER_S
    return -(-instant_us // period_us) * period_us


def read_frozen(connection: Connection) -> Frozen:
    """Return which buckets are frozen."""
    (row,) = connection.rows(_QUERIES["frozen"])
    return Frozen(**row)


class LateRecordsError(QueryError):
    """The buckets of late records cannot be computed."""

    def __init__(self, metric_id: int, error: QueryError) -> None:
        super().__init__(*error.parts)
        self.metric_id = metric_id


def add_late_records(connection: Connection, records: pa.Table, skipped: frozenset[int] = frozenset()) -> None:
    """Add records to the frozen buckets at their times, in the transaction that stores the records.

    Args:
        connection: the writer's connection, which has the records as the table ``records``, too.
        records: as `ingest.append_records` has them.
        skipped: the ids of metrics that are left as they are.

    Raises:
        LateRecordsError: the buckets of a metric cannot be computed. The transaction is aborted.
    """
    frozen = read_frozen(connection)
    if frozen.before_us is None:
        return
    # A store that has dropped nothing starts without these.
    from pyarrow import compute as pc  # noqa: PLC0415 - see above

    from puppylog.stores.duckdb.engine import levels  # noqa: PLC0415 - see above

    oldest_us = pc.min_max(records["ts"].cast(pa.int64())).as_py()["min"]
    for stored, end_us in _iter_frozen(connection, frozen, oldest_us, skipped):
        with _buckets_of(connection, stored, end_us, _QUERIES["late_source"]):
            if stored.metric.statistic in _ADDITIONS:
                changes = _ADDITIONS[stored.metric.statistic]
                connection.run(_QUERIES["change_late"].format(id=stored.id, changes=changes))
            connection.run(_QUERIES["insert_late"].format(id=stored.id))
            late_range = _QUERIES["late_range"].format(end_us=end_us)
            levels.add_to_sketch(connection, stored, late_range, _QUERIES["late_source"])
            levels.refill_late(connection, stored)


def remove_records(connection: Connection, condition: str, skipped: frozenset[int] = frozenset()) -> None:
    """Remove stored records from the frozen buckets at their times, in the transaction that deletes the records.

    Args:
        connection: the writer's connection.
        condition: SQL that selects the records, which are still stored.
        skipped: the ids of metrics that are left as they are.

    Raises:
        LateRecordsError: the buckets of a metric cannot be computed. The transaction is aborted.
    """
    frozen = read_frozen(connection)
    if frozen.before_us is None:
        return
    from puppylog.stores.duckdb.engine import levels  # noqa: PLC0415 - a store that has dropped nothing starts without it

    oldest_us = connection.value(_QUERIES["oldest_removed"].format(condition=condition))
    if oldest_us is None:
        return
    for stored, end_us in _iter_frozen(connection, frozen, oldest_us, skipped):
        if stored.metric.statistic not in _REMOVALS:
            continue
        changes, empty = _REMOVALS[stored.metric.statistic]
        with _buckets_of(connection, stored, end_us, _QUERIES["removed_source"].format(condition=condition)):
            connection.run(_QUERIES["change_late"].format(id=stored.id, changes=changes))
            if empty is not None:
                is_empty = empty.format(period_s=stored.metric.period_s)
                connection.run(_QUERIES["delete_empty"].format(id=stored.id, is_empty=is_empty))
            levels.refill_late(connection, stored)


def _iter_frozen(
    connection: Connection, frozen: Frozen, oldest_us: int, skipped: frozenset[int]
) -> Iterator[tuple[StoredMetric, int]]:
    """Yield the metrics with frozen buckets from an instant on, each with the end of its frozen buckets.

    The instants are in microseconds since the epoch.
    """
    if frozen.before_us is None or oldest_us >= frozen.before_us + frozen.longest_s * _US_PER_S:
        return
    for stored in DEFINITIONS.list_metrics(connection):
        # Buckets above the watermark are computed when they are read, or by the next refresh.
        end_us = min(frozen.end_us(stored.metric.period_s), stored.watermark_us)
        if is_derived(stored.metric) or oldest_us >= end_us or stored.id in skipped:
            continue
        yield stored, end_us


@contextmanager
def _buckets_of(connection: Connection, stored: StoredMetric, end_us: int, source: str) -> Iterator[None]:
    """Make the buckets of a source's records before an instant the table ``late_buckets``.

    Raises:
        LateRecordsError: the buckets cannot be computed, or a statement of the ``with`` block fails.
    """
    try:
        buckets = connection.fetch(stored.aggregate(_QUERIES["late_range"].format(end_us=end_us), source))
        with connection.table("late_buckets", buckets):
            yield
    except QueryError as error:
        raise LateRecordsError(stored.id, error) from None
