"""Queries for entries: the records that a query chooses, as Loki's clients see them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

from puppylog.model.logql.stages import shape_entry
from puppylog.model.logql.tree import Keep, LogQuery, Parser, Stage
from puppylog.monitor.byte_ranges import ByteRange, range_parameters, render_ranges
from puppylog.monitor.logql.asking import Asking, Within
from puppylog.monitor.logql.fields import list_fields, list_hidden
from puppylog.monitor.logql.sql import QUERIES
from puppylog.monitor.range import Range
from puppylog.monitor.windows import iter_windows

Direction: TypeAlias = Literal["backward", "forward"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry.

    Attributes:
        ts_ns: its time in nanoseconds since the epoch.
        line: its line after all stages.
        stream: the labels of its stream.
        metadata: the labels that its record has in addition.
        parsed: the labels that stages have made or changed.
        location: the id of its file, and the offset at which its line starts.
    """

    ts_ns: int
    line: str
    stream: Mapping[str, str]
    metadata: Mapping[str, str]
    parsed: Mapping[str, str]
    location: tuple[int, int]


def find_entries(asking: Asking, query: LogQuery, within: Within, *, direction: Direction, limit: int) -> list[Entry]:
    """Return the newest entries, the newest first, or the oldest ones, the oldest first."""
    chosen = asking.choose(query)
    rendering = asking.rendering()
    where = rendering.condition(chosen.condition)
    name = "newest_entries" if direction == "backward" else "oldest_entries"
    sql = QUERIES[name].format(where=where, line=rendering.line)
    bounds = within.parameters()
    rows: list[dict[str, Any]] = []
    for part in _iter_parts(asking, bounds, direction):
        parameters = {**rendering.values, **part, "entries": limit - len(rows)}
        rows += asking.reader.query(sql, parameters).to_pylist()
        if len(rows) >= limit:
            break
    return [make_entry(asking, query.stages, row, chosen.labels.aliases) for row in rows]


def _iter_parts(asking: Asking, bounds: Mapping[str, str], direction: Direction) -> Iterable[Mapping[str, str]]:
    if direction == "forward":
        yield bounds
        return
    whole = Range(datetime.fromisoformat(bounds["since"]), datetime.fromisoformat(bounds["until"]))
    yield from (part.parameters() for part in iter_windows(asking.reader, whole))


def make_entry(asking: Asking, stages: Sequence[Stage], row: Mapping[str, Any], aliases: Mapping[str, str]) -> Entry:
    """Return the entry of a record.

    Args:
        asking: has the labels of the streams.
        stages: of the query.
        row: the columns of ``log_records``, and ``line``.
        aliases: the columns that hold what labels in the query name.
    """
    stream = asking.stream_of(row["stream_id"])
    fields = {name: text for name, text in list_fields(row).items() if name not in stream}
    ts_ns = (row["ts"] - _EPOCH) // _MICROSECOND * 1000
    hidden = list_hidden(row, fields, aliases) if stages else {}
    labels, line = shape_entry(stages, {**fields, **stream}, row["line"], ts_ns, hidden)
    own = {name: text for name, text in labels.items() if stream.get(name) == text}
    metadata = {name: text for name, text in labels.items() if name not in own and fields.get(name) == text}
    parsed = {name: text for name, text in labels.items() if name not in own and name not in metadata}
    return Entry(ts_ns, line, own, metadata, parsed, (row["file_id"], row["line_offset"]))


def shows_metadata(stages: Sequence[Stage]) -> bool:
    """Return whether a query asks for the labels of records: it has a parser, or names the labels that are kept."""
    return any(
        (isinstance(stage, Parser) and not stage.labels) or (isinstance(stage, Keep) and not stage.is_dropped)
        for stage in stages
    )


@dataclass(frozen=True, slots=True)
class NewEntries:
    """The newest of the entries that were stored between two moments."""

    entries: Sequence[Entry]  # in the order of their times
    left_out: int  # how many older ones there are


def read_new_entries(asking: Asking, query: LogQuery, ranges: Sequence[ByteRange], *, limit: int) -> NewEntries:
    """Return the newest entries whose lines start in ranges of bytes, of which there must be one.

    Args:
        asking: the store.
        query: chooses the entries.
        ranges: as `puppylog.monitor.arrivals.plan_arrivals` returns them.
        limit: the greatest number of entries.
    """
    rendering = asking.rendering()
    chosen = asking.choose(query)
    where = rendering.condition(chosen.condition)
    values = {**rendering.values, **range_parameters(ranges)}
    sql = render_ranges(QUERIES["arrived_entries"]).format(where=where, line=rendering.line)
    rows = asking.reader.query(sql, {**values, "entries": limit}).to_pylist()
    entries = [make_entry(asking, query.stages, row, chosen.labels.aliases) for row in reversed(rows)]
    if len(entries) < limit:
        return NewEntries(entries, 0)
    count = render_ranges(QUERIES["arrived_entries_count"]).format(where=where)
    [counted] = asking.reader.query(count, values)["n"].to_pylist()
    return NewEntries(entries, int(counted) - len(entries))
