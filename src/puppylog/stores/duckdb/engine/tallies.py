"""Makes tallies: counts of the records of a day by the values of a field.

A day is *untallied* when records of it were stored or deleted since its tallies were made. The transaction that
changes records notes their days, and deletes the tallies of these days. So a tally is complete, or there is none.

A tally is made in three steps, so that no write waits while records are counted: a transaction takes the day out of
the untallied ones and stores its tallies as incomplete, a reader counts, and another transaction stores the counts if
the tallies are still there. If records of the day were changed meanwhile, they are not.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from puppylog.stores.base import Value
from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.duckdb.engine.database import Engine
from puppylog.stores.queries import load_queries
from puppylog.stores.tallies import DAY_S, FIELDS, HOUR_S, WORD_PATTERN, TallyField

_QUERIES = load_queries("puppylog.stores.duckdb", "tallies.sql")

MIN_RECORDS: Final = 2_000_000
"""A store with fewer records has no tallies: its records are counted in a fraction of a second."""

SETTLE_S: Final = 300
"""How many seconds after its last change a day's tallies are made. Changes are noted every minute or two."""

_DAY_US: Final = DAY_S * 1_000_000
_FEW: Final = 1_000
_REMEMBER_S: Final = 30.0  # half of the time after which a day is noted again

# The steps of a tally, each with the greatest number of its counts. A column with more values is counted for the whole
# day, or has no tally: it would be as large as the records.
_HOURS: Final = (HOUR_S, 24_000)
_DAY: Final = (DAY_S, 100_000)

_SUMS: Final = (
    "count(*) FILTER (WHERE status_code >= 500) AS server_errors, sum(response_bytes)::DOUBLE AS response_bytes"
)
_NO_SUMS: Final = "NULL::BIGINT AS server_errors, NULL::DOUBLE AS response_bytes"
_TIMES: Final = "min(ts) AS first_at, max(ts) AS last_at"
_NO_TIMES: Final = "NULL::TIMESTAMPTZ AS first_at, NULL::TIMESTAMPTZ AS last_at"


@dataclass(frozen=True, slots=True)
class _Tally:
    """A tally that is being made."""

    id: int
    start_us: int  # of its day, in microseconds since the epoch
    field: TallyField


@dataclass(frozen=True, slots=True)
class _Counts:
    """The counts of a tally: rows of the table ``value_counts``."""

    step_s: int
    rows: pa.Table


def note_stored(connection: Connection, records: pa.Table) -> None:
    """Delete the tallies of the days of records that the caller's transaction stores.

    Args:
        connection: the writer's connection. The records are its table ``records``.
        records: the same records.
    """
    if records.num_rows > _FEW:
        days = _read_days(connection, "records")
    else:  # another query would cost more
        days = {us // _DAY_US for chunk in records["ts"].chunks for us in chunk.view(pa.int64()).to_pylist()}
    _note(connection, days)


def note_deleted(connection: Connection, condition: str) -> None:
    """Delete the tallies of the days of records that the caller's transaction will delete.

    Args:
        connection: the writer's connection.
        condition: SQL, true for the records.
    """
    _note(connection, _read_days(connection, f"puppylog.log_records WHERE {condition}"))


def _read_days(connection: Connection, records: str) -> set[int]:
    """Return the days of records as numbers since the epoch. If all are of one day, this is seven times as fast."""
    (bounds,) = connection.rows(_QUERIES["first_and_last"].format(records=records))
    if bounds["first_us"] is None:
        return set()
    first, last = (int(bounds[name]) // _DAY_US for name in ("first_us", "last_us"))
    if last - first <= 1:
        return {first, last}
    return {row["day"] for row in connection.rows(_QUERIES["days"].format(records=records))}


def _note(connection: Connection, days: set[int]) -> None:
    """Note days as untallied, at most once a minute each.

    A query for each batch of a tail would take a fifth of its commit. So the writer remembers the days that it has
    found noted, until a write fails or the tallies of a day are begun.
    """
    now, known = time.monotonic(), connection.noted_days
    if all(now - known.get(day, -_REMEMBER_S) < _REMEMBER_S for day in days):
        return
    noted = {row["day"] for row in connection.rows(_QUERIES["noted_days"])}
    known.update(dict.fromkeys(days & noted, now))
    if changed := sorted(days - noted):
        starts = ", ".join(_QUERIES["start_of_day"].format(day=day) for day in changed)
        connection.run(_QUERIES["note_changed"].format(starts=starts))


def list_due(connection: Connection, now_us: int) -> list[int]:
    """Return the days whose tallies can be made now, the newest first: their starts in microseconds since the epoch."""
    if int(connection.value(_QUERIES["count_records"])) < MIN_RECORDS:
        return []
    rows = connection.rows(_QUERIES["due_days"], {"now_us": now_us, "settle_us": SETTLE_S * 1_000_000})
    return [int(row["start_us"]) for row in rows]


def make_tallies(engine: Engine, start_us: int, is_stopped: Callable[[], bool] = lambda: False) -> bool:
    """Make the tallies of a day; return whether they were stored. They are not if records of the day were changed.

    Args:
        engine: the open database.
        start_us: the start of the day, in microseconds since the epoch.
        is_stopped: returns whether the engine is about to end. Then the tallies stay incomplete, and the next engine
            notes the day again (`repeat_interrupted`).
    """
    begun = engine.write(lambda connection: _begin(connection, start_us))
    counts: dict[int, _Counts] = {}
    with engine.read() as connection:
        for tally in begun:
            if is_stopped():
                return False
            found = _count(connection, tally)
            if found is not None:
                counts[tally.id] = found
    return engine.write(lambda connection: _finish(connection, [tally.id for tally in begun], counts))


def _begin(connection: Connection, start_us: int) -> list[_Tally]:
    """Store the tallies of a day as incomplete, and return them."""
    connection.noted_days.clear()
    if not connection.rows(_QUERIES["take_day"], {"start_us": start_us}):
        return []  # another call has taken it
    connection.run(_QUERIES["delete_old"], {"start_us": start_us})
    sql = _QUERIES["begin_tally"]
    return [
        _Tally(int(connection.value(sql, {"start_us": start_us, "field": field.name})), start_us, field)
        for field in FIELDS
    ]


def _count(connection: Connection, tally: _Tally) -> _Counts | None:
    """Return the counts of a tally, by hours if there are few values; None if there are too many."""
    for step_s, most in _list_steps(tally.field):
        rows = _fetch(connection, tally, step_s, most + 1)
        if rows.num_rows <= most:
            return _Counts(step_s, rows)
    return None


def _list_steps(field: TallyField) -> Sequence[tuple[int, int]]:
    if field.is_words:
        return (_DAY,)
    return (_HOURS, _DAY) if field.is_column else (_HOURS,)


def _fetch(connection: Connection, tally: _Tally, step_s: int, most: int) -> pa.Table:
    field = tally.field
    given: dict[str, Value] = {"start_us": tally.start_us, "id": tally.id, "most": most}
    if field.is_words:
        return connection.fetch(_QUERIES["list_words"].format(value=field.value), {**given, "word": WORD_PATTERN})
    sql = _QUERIES["count_values"].format(
        step_us=step_s * 1_000_000,
        shown=_shown(field),
        value=field.value,
        counted=field.counted,
        where=field.where,
        computed=f"{_SUMS if field.has_sums else _NO_SUMS}, {_TIMES if field.has_times else _NO_TIMES}",
    )
    return connection.fetch(sql, given)


def _shown(field: TallyField) -> str:
    if field.is_list:
        return "unnest(value) AS value, NULL::BIGINT AS number, unnest(records) AS records"
    if field.is_number:
        return "NULL::VARCHAR AS value, value AS number, records"
    return "CAST(value AS VARCHAR) AS value, NULL::BIGINT AS number, records"


def _finish(connection: Connection, begun: Sequence[int], counts: Mapping[int, _Counts]) -> bool:
    if not begun or int(connection.value(_QUERIES["begun"].format(ids=_join(begun)))) < len(begun):
        return False
    if left_out := [tally_id for tally_id in begun if tally_id not in counts]:
        connection.run(_QUERIES["delete_begun"].format(ids=_join(left_out)))
    for step_s in (HOUR_S, DAY_S):
        if ids := [tally_id for tally_id, found in counts.items() if found.step_s == step_s]:
            connection.run(_QUERIES["complete"].format(ids=_join(ids), step_s=step_s))
    if counts:
        with connection.table("counts", pa.concat_tables(found.rows for found in counts.values())):
            connection.run(_QUERIES["store_counts"])
    return True


def has_interrupted(connection: Connection) -> bool:
    """Return whether tallies were being made when the last engine ended."""
    return bool(connection.value(_QUERIES["has_interrupted"]))


def repeat_interrupted(connection: Connection) -> None:
    """Note the days again whose tallies were being made when the last engine ended."""
    connection.run(_QUERIES["repeat_interrupted"])


def list_orphans(connection: Connection) -> frozenset[int]:
    """Return the ids of deleted tallies whose counts are still stored."""
    return frozenset(row["tally_id"] for row in connection.rows(_QUERIES["orphans"]))


def delete_counts(connection: Connection, tally_ids: frozenset[int]) -> None:
    """Delete the counts of deleted tallies."""
    connection.run(_QUERIES["delete_counts"].format(ids=_join(sorted(tally_ids))))


def _join(ids: Sequence[int]) -> str:
    return ", ".join(map(str, ids))
