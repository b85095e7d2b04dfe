"""Drops the oldest rows in slices: each slice is one transaction, and belongs to one day.

If there is an archive, a slice is first written into a file, in a transaction that only reads. The transaction that
deletes the rows deletes exactly those of the file: lines that were stored meanwhile stay for a later slice.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

from puppylog.errors import PuppylogError, QueryError, StoreUnavailable
from puppylog.model.derived import is_derived
from puppylog.model.retention import Retention
from puppylog.stores.archive_columns import INSTANTS
from puppylog.stores.duckdb.engine import archive, refresh
from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.duckdb.engine.database import Engine
from puppylog.stores.duckdb.engine.definitions import DEFINITIONS
from puppylog.stores.duckdb.engine.stored import StoredMetric
from puppylog.stores.duckdb.engine.tallies import note_deleted
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores.duckdb", "archive.sql")

SLICE_ROWS: Final = 400_000
"""The most rows of a slice, unless more rows have the same instant. Archiving them takes about a second."""

TABLES: Final = ("log_records", "rejected_lines")
HOUR_US: Final = 3_600_000_000
DAY_US: Final = 24 * HOUR_US

_log = logging.getLogger("puppylog.retention")


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of a table from an instant on, or those of some streams."""

    table: str
    since_us: int | None  # microseconds since the epoch; None: all
    stream_ids: tuple[int, ...] | None  # None: of all streams

    def until(self, until_us: int) -> "Slice":
        """Return these rows as a slice that ends at an instant."""
        bounds = {"instant": INSTANTS[self.table], "until_us": until_us}
        condition = _QUERIES["before"].format(**bounds)
        if self.since_us is not None:
            condition = _QUERIES["since"].format(**bounds, condition=condition, since_us=self.since_us)
        if self.stream_ids is not None:
            condition = _QUERIES["of_streams"].format(condition=condition, ids=", ".join(map(str, self.stream_ids)))
        return Slice(self, until_us, condition)


@dataclass(frozen=True, slots=True)
class Slice:
    """The oldest rows of a table. Lines that are stored later and are still older are not among them."""

    rows: _Rows
    until_us: int  # rows before this instant are dropped, in microseconds since the epoch
    condition: str  # SQL that selects the rows

    @property
    def table(self) -> str:
        return self.rows.table


@dataclass(frozen=True, slots=True)
class Limit:
    """The rows that are too old: those of some streams before an instant."""

    until_us: int
    stream_ids: tuple[int, ...] | None  # None: of all streams


def list_limits(connection: Connection, retention: Retention, now_us: int) -> list[Limit]:
    """Return the rows that are older than they are kept.

    Rows that are kept for days are dropped by whole days, and others by whole hours, so that an archive has few files.
    """
    if not retention.groups:
        return [] if retention.keep_s is None else [Limit(_floor(now_us, retention.keep_s), None)]
    streams: dict[int, list[int]] = {}
    for row in connection.rows(_QUERIES["streams"]):
        keep_s = retention.find_group_keep_s(row["group_name"])
        if keep_s is not None:
            streams.setdefault(keep_s, []).append(row["id"])
    return [Limit(_floor(now_us, keep_s), tuple(ids)) for keep_s, ids in sorted(streams.items(), reverse=True)]


def _floor(now_us: int, keep_s: int) -> int:
    unit_us = DAY_US if keep_s * 1_000_000 >= 2 * DAY_US else HOUR_US
    return (now_us - keep_s * 1_000_000) // unit_us * unit_us


def find_old_slice(connection: Connection, limit: Limit) -> Slice | None:
    """Return the next slice of the rows that are too old; None if there is none."""
    for table in TABLES:
        old = _Rows(table, None, limit.stream_ids).until(limit.until_us)
        oldest_us = connection.value(_in(table, _QUERIES["oldest"], old.condition))
        if oldest_us is not None:
            until_us = min(limit.until_us, _end(oldest_us, DAY_US))
            return _limit(connection, _Rows(table, oldest_us, limit.stream_ids).until(until_us), SLICE_ROWS)
    return None


def iter_old_slices(engine: Engine, limits: Sequence[Limit]) -> Iterator[Slice]:
    """Yield the slices of rows that are too old. Each must be dropped before the next one is asked for."""
    for limit in limits:
        while True:
            with engine.read() as connection:
                found = find_old_slice(connection, limit)
            if found is None:
                break
            yield found


def find_oldest_slice(connection: Connection, rows: int) -> Slice | None:
    """Return the oldest part of the store: a day, an hour, or if these have many more rows, ``rows`` rows.

    Return None if the store has no rows.
    """
    found = {table: connection.value(_in(table, _QUERIES["oldest"], "true")) for table in TABLES}
    tables = [table for table in TABLES if found[table] is not None]
    if not tables:
        return None
    table = min(tables, key=lambda name: int(found[name]))
    oldest_us = int(found[table])
    for unit_us in (DAY_US, HOUR_US):
        whole = _Rows(table, oldest_us, None).until(_end(oldest_us, unit_us))
        if int(connection.value(_in(table, _QUERIES["count_rows"], whole.condition))) <= min(rows * 5 // 4, SLICE_ROWS):
            return whole
    return _limit(connection, whole, min(rows, SLICE_ROWS))


def _limit(connection: Connection, whole: Slice, max_rows: int) -> Slice:
    """Return the oldest part of a slice that has no more rows, unless more rows have the same instant."""
    if int(connection.value(_in(whole.table, _QUERIES["count_rows"], whole.condition))) <= max_rows:
        return whole
    until_us = int(connection.value(_in(whole.table, _QUERIES["nth_oldest"], whole.condition, rows=max_rows))) + 1
    return whole.rows.until(until_us)


def _in(table: str, query: str, condition: str, **words: object) -> str:
    return query.format(table=table, instant=INSTANTS[table], condition=condition, **words)


def _end(instant_us: int, unit_us: int) -> int:
    return (instant_us // unit_us + 1) * unit_us


def count_stored(connection: Connection) -> int:
    """Return the number of records and rejected lines in the store."""
    return sum(int(connection.value(_in(table, _QUERIES["count_rows"], "true"))) for table in TABLES)


def drop(engine: Engine, chosen: Slice, archive_root: str | None, now_us: int) -> int:
    """Drop a slice, after it was written into the archive, if there is one; return the number of rows.

    One thread at a time calls this.

    Raises:
        ArchiveError: the archive cannot be written; the rows stay.
    """
    failing = _refresh(engine, chosen, now_us)
    if archive_root is None:
        return engine.write(lambda connection: _drop(connection, chosen, None, failing, now_us))
    day_us = chosen.until_us - 1
    begun = engine.write(lambda connection: archive.begin_file(connection, chosen.table, archive_root, day_us))
    try:
        with engine.read() as connection:
            part = archive.write_file(connection, chosen.table, chosen.condition, begun)
        return engine.write(lambda connection: _drop(connection, chosen, part, failing, now_us))
    except PuppylogError:
        engine.write(archive.remove_unfinished)
        raise


def _refresh(engine: Engine, chosen: Slice, now_us: int) -> frozenset[int]:
    """Materialize the buckets of a slice; return the ids of metrics whose refresh fails, and that lose its records.

    A metric that cannot be refreshed must not keep the store from dropping records.
    """
    if chosen.table != "log_records":
        return frozenset()
    with suppress(QueryError):
        engine.write(partial(_refresh_metrics, chosen=chosen, skipped=frozenset(), now_us=now_us))
        return frozenset()
    with engine.read() as connection:
        metrics = {stored.id: stored.metric.name for stored in _list_metrics(connection)}
    failing: set[int] = set()
    for metric_id, name in metrics.items():
        others = frozenset(metrics.keys() - {metric_id})
        try:
            engine.write(partial(_refresh_metrics, chosen=chosen, skipped=others, now_us=now_us))
        except QueryError as error:
            failing.add(metric_id)
            _log.error("metric %s loses records that are dropped: %s", name, error.message)
    return frozenset(failing)


def _list_metrics(connection: Connection) -> list[StoredMetric]:
    return [stored for stored in DEFINITIONS.list_metrics(connection) if not is_derived(stored.metric)]


def _refresh_metrics(connection: Connection, chosen: Slice, skipped: frozenset[int], now_us: int) -> None:
    metrics = [stored for stored in _list_metrics(connection) if stored.id not in skipped]
    refresh.refresh_before(connection, metrics, chosen.until_us, now_us)


def _drop(
    connection: Connection, chosen: Slice, part: archive.Part | None, failing: frozenset[int], now_us: int
) -> int:
    """Delete the rows of a slice in the caller's transaction; return their number.

    Raises:
        StoreUnavailable: a row of the archive's file is gone, because a replay has turned it into a record.
    """
    if chosen.table == "log_records":
        # Lines that were stored since the refresh are counted here, before their records go.
        _refresh_metrics(connection, chosen, failing, now_us)
        note_deleted(connection, chosen.condition)
    count = _in(chosen.table, _QUERIES["count_rows"], chosen.condition)
    before = int(connection.value(count))
    if part is None:
        connection.run(_in(chosen.table, _QUERIES["delete_rows"], chosen.condition))
    else:
        with connection.table("archived", part.keys):
            connection.run(_in(chosen.table, _QUERIES["delete_archived"], chosen.condition))
    rows = before - int(connection.value(count))
    if part is not None:
        if rows != part.rows:
            raise StoreUnavailable("archive", "rows", f"{part.rows:,} were written and {rows:,} are stored")
        archive.finish_file(connection, part, now_us)
    values = {"has_records": chosen.table == "log_records", "rows": rows}
    connection.run(_QUERIES["note_dropped"], {**values, "until_us": chosen.until_us, "now_us": now_us})
    return rows
