"""Sample records of transitions to firing: the newest records of the window that the metric counts, as JSON.

No line is committed during an evaluation, so the search has a time limit. It reads in a transaction of its own, so that
an error or a time-out does not affect the evaluation. What was not searched is stored with the transition.
"""

import json
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

import pyarrow as pa

from puppylog.errors import PuppylogError
from puppylog.model.record import RECORDS
from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.duckdb.engine.definitions import DEFINITIONS
from puppylog.stores.duckdb.engine.stored import StoredAlert, StoredMetric
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores.duckdb", "evidence.sql")

MAX_SAMPLES: Final = 10  # for each transition
MAX_TRANSITIONS: Final = 100  # that get samples, in one evaluation; the alerts share them
MAX_S: Final = 0.5  # for the samples of one evaluation; no line is committed meanwhile
_MAX_TEXT_LENGTH: Final = 4_096  # characters
_MAX_ATTRIBUTES: Final = 16_384  # bytes

# The window is searched from its end in slices of time, so that a search that finds enough reads little.
_FIRST_SLICE_US: Final = 60_000_000
_MIN_SLICE_US: Final = 1_000_000
_SHORT_S: Final = 0.02
_LONG_S: Final = 0.08

_TEXTS: Final = tuple(
    column.name for column in RECORDS if pa.types.is_string(column.type) and column.name != "attributes"
)
_SAMPLES: Final = pa.schema(
    [
        ("history_id", pa.int64()),
        ("place", pa.int32()),
        ("ts", pa.timestamp("us", "UTC")),
        ("stream_id", pa.int32()),
        ("file_id", pa.int32()),
        ("line_offset", pa.int64()),
        ("record", pa.string()),
    ]
)
_WANTED: Final = pa.schema([("no", pa.int32()), ("segment", pa.string()), ("most", pa.int32())])
_OMITTED: Final = pa.schema([("history_id", pa.int64()), ("reason", pa.string())])


_PLACE: Final = ("ts", "stream_id", "file_id", "line_offset")

_Found: TypeAlias = dict[str | None, list[dict[str, Any]]]


class Allowance:
    """Limits the share of time that searches take, so that alerts that change their states all the time cost little.

    Searches may take 5 % of the time. Unused time is kept for when many alerts fire at once, but not more than 5 s.
    Used in the writer's thread.
    """

    _SHARE: Final = 0.05
    _MAX_S: Final = 5.0

    def __init__(self) -> None:
        self._left_s, self._counted_at = self._MAX_S, time.monotonic()

    def left_s(self) -> float:
        """Return how many seconds of search are left; not above zero if there are none."""
        now = time.monotonic()
        self._left_s = min(self._MAX_S, self._left_s + self._SHARE * (now - self._counted_at))
        self._counted_at = now
        return self._left_s

    def spend(self, seconds: float) -> None:
        self._left_s -= seconds


class SliceSize:
    """The length of the next slice of time.

    It grows, quickly after a slice that took less than _SHORT_S, and shrinks after one that took more than _LONG_S,
    unless the length makes no difference: on a busy machine, each query takes long.
    """

    def __init__(self) -> None:
        self.us = _FIRST_SLICE_US
        self._last: tuple[int, float] | None = None  # the length of the slice before in us, and what it took in s

    def note(self, took_s: float) -> None:
        """Choose the next length, after a slice of the present one took ``took_s`` seconds."""
        us, last, self._last = self.us, self._last, (self.us, took_s)
        is_of_no_effect = last is not None and us != last[0] and 0.75 < took_s / last[1] < 1.5
        if took_s < _SHORT_S or is_of_no_effect:
            self.us = us * 4
        elif took_s > _LONG_S:
            self.us = max(us // 2, _MIN_SLICE_US)
        else:
            self.us = us * 2


@dataclass(slots=True)
class _Search:
    """The search for the samples of transitions of one alert whose windows are the same."""

    metric_id: int
    is_each: bool
    since_us: int
    until_us: int
    history_ids: dict[str | None, int] = field(default_factory=dict)  # by segment


def limit_evidence(firing_alerts: int, allowance: Allowance) -> dict[str, int | str]:
    """Return how many transitions of each alert get samples, and the reason of the others: parameters of a query.

    Args:
        firing_alerts: the number of alerts that have transitions to firing.
        allowance: the time that is left for searches.
    """
    if allowance.left_s() <= 0:
        return {
            "max_evidence": 0,
            "no_evidence": "no record was searched: many transitions came before, in a short time",
        }
    most = MAX_TRANSITIONS // max(1, firing_alerts)
    reason = f"only the newest {most} transitions of an evaluation have sample records"
    return {"max_evidence": most, "no_evidence": reason}


def add_evidence(
    connection: Connection, alerts: Iterable[StoredAlert], transitions: pa.Table, allowance: Allowance
) -> None:
    """Store samples for transitions to firing, or why they have none. Does nothing if there is no such transition.

    Args:
        connection: the writer's connection.
        alerts: the evaluated alerts.
        transitions: the rows of the query ``insert_transitions``.
        allowance: the time that is left for searches.
    """
    firing = transitions.filter(transitions["gets_evidence"]).to_pylist()
    if not firing:
        return
    firing.sort(key=lambda row: (-row["at_us"], row["id"]))
    omitted: dict[int, str] = {}
    samples: list[dict[str, Any]] = []
    searches = _list_searches({stored.id: stored for stored in alerts}, firing)
    known = {stored.id: stored for stored in DEFINITIONS.list_metrics(connection)}
    started = time.monotonic()
    deadline = started + min(MAX_S, allowance.left_s())
    for search in searches:
        found, reason = _find_samples(connection, search, known, deadline)
        for segment, history_id in search.history_ids.items():
            rows = found.get(segment, [])
            samples += [{**row, "history_id": history_id, "place": no} for no, row in enumerate(rows, 1)]
            if reason is not None and len(rows) < MAX_SAMPLES:
                omitted[history_id] = reason
    allowance.spend(time.monotonic() - started)
    if samples:
        with connection.table("samples", pa.Table.from_pylist(samples, _SAMPLES)):
            connection.run(_QUERIES["insert_evidence"])
    if omitted:
        rows = [{"history_id": history_id, "reason": reason} for history_id, reason in omitted.items()]
        with connection.table("omitted", pa.Table.from_pylist(rows, _OMITTED)):
            connection.run(_QUERIES["note_omitted"])


def _list_searches(alerts: Mapping[int, StoredAlert], firing: Iterable[Mapping[str, Any]]) -> list[_Search]:
    searches: dict[tuple[int, int], _Search] = {}
    for row in firing:
        stored = alerts[row["alert_id"]]
        key = (stored.id, row["until_us"])
        if key not in searches:
            searches[key] = _Search(stored.metric_id, stored.alert.each_segment, row["since_us"], row["until_us"])
        searches[key].history_ids[row["segment"]] = row["id"]
    return list(searches.values())


def _find_samples(
    connection: Connection, search: _Search, known: Mapping[int, StoredMetric], deadline: float
) -> tuple[_Found, str | None]:
    """Return the samples by segment, the newest first, and why some may be missing; None if none is missing."""
    found: _Found = {segment: [] for segment in search.history_ids}
    if time.monotonic() >= deadline:
        return found, _describe_unsearched(search.until_us)
    try:
        sql = _write_query(search, known)
        with connection.reading() as reading, _interrupted_at(deadline, reading):
            return found, _search_window(reading, search, sql, found, deadline)
    except PuppylogError as error:
        return found, f"the search failed: {error.cause or error.message}"


def _search_window(reading: Connection, search: _Search, sql: str, found: _Found, deadline: float) -> str | None:
    """Add samples to ``found``, the newest first, until there are enough; return why the search has ended early."""
    size, until_us = SliceSize(), search.until_us
    while until_us > search.since_us:
        missing = {segment: MAX_SAMPLES - len(rows) for segment, rows in found.items() if len(rows) < MAX_SAMPLES}
        if not missing:
            return None
        started = time.monotonic()
        if started >= deadline:
            return _describe_unsearched(until_us)
        since_us = max(search.since_us, until_us - size.us)
        try:
            rows = _read_slice(reading, sql, missing, since_us, until_us)
        except PuppylogError:
            if time.monotonic() < deadline:
                raise
            return _describe_unsearched(until_us)  # it was interrupted
        for row in rows:
            found[row["segment"]].append(_sample(row))
        until_us = since_us
        size.note(time.monotonic() - started)
    return None


def _read_slice(
    reading: Connection, sql: str, missing: Mapping[str | None, int], since_us: int, until_us: int
) -> list[dict[str, Any]]:
    wanted = [{"no": no, "segment": segment, "most": most} for no, (segment, most) in enumerate(missing.items())]
    # The bounds are constants, so that DuckDB skips row groups.
    sql = sql.replace("{since_us}", str(since_us)).replace("{until_us}", str(until_us))
    with reading.table("wanted", pa.Table.from_pylist(wanted, _WANTED)):
        return reading.rows(sql.replace("{most}", str(max(missing.values()))))


def _write_query(search: _Search, known: Mapping[int, StoredMetric]) -> str:
    """Return the query of samples; the range and the number of records must still be filled in."""
    from puppylog.stores.samples import sample_sql  # noqa: PLC0415 - an engine without alerts starts without it

    stored = known[search.metric_id]
    by_name = {other.metric.name: other.metric for other in known.values()}
    segment, condition = sample_sql(stored.metric, by_name, "duckdb")
    texts = [_QUERIES["text_column"].format(name=name, longest=_MAX_TEXT_LENGTH) for name in _TEXTS]
    columns = _QUERIES["columns"].format(
        texts=", ".join(texts), longest=_MAX_TEXT_LENGTH, max_attributes=_MAX_ATTRIBUTES
    )
    streams = "" if stored.group_id is None else _QUERIES["of_group"].format(group_id=stored.group_id)
    return _QUERIES["samples_of_each" if search.is_each else "samples_of_all"].format(
        columns=columns,
        segment=segment,
        condition=condition,
        streams=streams,
        since_us="{since_us}",
        until_us="{until_us}",
        most="{most}",
    )


@contextmanager
def _interrupted_at(deadline: float, reading: Connection) -> Iterator[None]:
    """Interrupt the query that runs on the connection at ``deadline``, by the monotonic clock."""
    timer = threading.Timer(max(0.0, deadline - time.monotonic()), reading.interrupt)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


def _sample(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of ``alert_evidence`` for a record, without those of the transition."""
    parts, cut = [], []
    for name in (*_TEXTS, "status_code", "response_bytes"):
        value = row[name]
        if isinstance(value, str) and len(value) > _MAX_TEXT_LENGTH:
            cut.append(name)
            value = value[:_MAX_TEXT_LENGTH]
        if value is not None:
            parts.append(f"{json.dumps(name)}:{json.dumps(value)}")
    if row["attributes"]:
        parts.append(f'"attributes":{row["attributes"]}')
    elif row["attributes"] is not None:
        cut.append("attributes")
    if cut:
        parts.append(f'"cut":{json.dumps(sorted(cut))}')
    return {**{name: row[name] for name in _PLACE}, "record": f"{{{','.join(parts)}}}"}


def _describe_unsearched(until_us: int) -> str:
    until = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=until_us)
    return f"records before {until:%Y-%m-%dT%H:%M:%SZ} were not searched, to save time"
