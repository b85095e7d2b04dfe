"""Searching records, and following new ones.

Records do not arrive in the order of their times: a line may be late, and several files grow at once. So a follower's
cursor holds the position of every file, and the new records are the lines between that position and the present one. A
store commits rows and positions together, so a follower shows every line exactly once.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Final

import pyarrow as pa

from puppylog.errors import NotFound
from puppylog.monitor.budget import GROWTH, Budget
from puppylog.monitor.byte_ranges import BOX_LETTERS, ByteRange, box_parameters, group_ranges, render_kept_of_box
from puppylog.monitor.condition_sql import ConditionSql
from puppylog.monitor.range import ALWAYS, Range
from puppylog.monitor.windows import iter_windows
from puppylog.stores.base import RecordReader, Value
from puppylog.stores.queries import load_queries

# A query for new records covers at most this many bytes of log files: the new lines of a backfill are gigabytes.
STEP_BYTES: Final = 16 << 20

_QUERIES = load_queries("puppylog.stores", "monitor.sql")


@dataclass(frozen=True, slots=True)
class Search:
    """Which records a query returns."""

    condition: str = (
        "true"  # SQL in the store's dialect, rendered from a checked expression and never a user's own text
    )
    within: Range = ALWAYS
    group_id: int | None = None

    def render(self, query: str, **parts: str) -> str:
        """Return the SQL of the named query ``query`` with this search in it.

        Args:
            query: the name.
            parts: the SQL of the other words in braces of the query.
        """
        in_group = _QUERIES["in_any_group" if self.group_id is None else "in_one_group"]
        chosen = self._chosen(in_group)
        if query == "chosen_records":
            return chosen
        return _QUERIES[query].format(in_group=in_group, where=f"({self.condition})", chosen=chosen, **parts)

    def _chosen(self, in_group: str) -> str:
        template = _QUERIES["chosen_records"]
        if not isinstance(self.condition, ConditionSql) or not self.condition.parts:
            return template.format(in_group=in_group, where=f"({self.condition})")
        parts = [
            _QUERIES["chosen_part" if part.then else "whole_part"].format(
                chosen=template.format(in_group=in_group, where=f"({part.first})"), then=part.then
            )
            for part in self.condition.parts
        ]
        return _QUERIES["chosen_in_parts"].format(parts=" UNION ALL ".join(parts))

    def render_boxes(self, count: int) -> str:
        """Return the SQL of the records in ``count`` groups of byte ranges, with the columns of ``log_records``.

        `parameters` and `puppylog.monitor.byte_ranges.box_parameters` have the values of its parameters.
        """
        boxes = [
            self.render("box", letter=letter, in_ranges_of_box=render_kept_of_box(number))
            for number, letter in enumerate(BOX_LETTERS[:count])
        ]
        return " UNION ALL ".join(boxes)

    def parameters(self) -> dict[str, Value]:
        """Return the values of the parameters in the SQL that `render` returns."""
        group: dict[str, Value] = {} if self.group_id is None else {"group_id": self.group_id}
        return {**self.within.parameters(), **group}


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a follower has shown every file: offsets in bytes by the file's id."""

    offsets: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class NewRecords:
    """Records that were stored after a cursor."""

    records: pa.Table
    cursor: Cursor  # after these records
    is_behind: bool  # whether there are more new records than one query returns


def narrow_search(reader: RecordReader, search: Search) -> Search:
    """Return a search for the same records, which leaves out what tallies say that no record has. See `narrow`."""
    if not isinstance(search.condition, ConditionSql) or not search.condition.expressions:
        return search
    from puppylog.monitor.pruning import narrow  # noqa: PLC0415 - a search without a query does not need it

    return replace(search, condition=narrow(reader, search.condition, search.within))


def get_group_id(reader: RecordReader, name: str) -> int:
    """Return the id of a log group.

    Raises:
        NotFound: no group has this name.
    """
    rows = reader.query(_QUERIES["group_of_name"], {"name": name}).to_pylist()
    if not rows:
        raise NotFound("find", f"group {name!r}", advice="see 'puppylog groups list'")
    return int(rows[0]["id"])


def find_records(reader: RecordReader, search: Search, *, records: int) -> pa.Table:
    """Return the newest ``records`` that match the search, oldest first, with all columns of ``log_records``."""
    parts = [part for part, _ in iter_records(reader, search, records=records)]
    return pa.concat_tables(reversed(parts))


def iter_records(
    reader: RecordReader, search: Search, *, records: int, budget: Budget | None = None
) -> Iterator[tuple[pa.Table, Range]]:
    """Yield the records of `find_records` in parts, at least one: the newest part first, each oldest first.

    Each part comes with the range that was searched for it. The ranges have no gaps between them.
    """
    has_parts = False
    for within in iter_windows(reader, search.within, budget):
        part = narrow_search(reader, replace(search, within=within))
        found = reader.query(part.render("records"), {**part.parameters(), "records": records})
        has_parts = True
        yield found, within
        records -= found.num_rows
        if records == 0:
            break
    if not has_parts:
        yield reader.query(search.render("records"), {**search.parameters(), "records": 0}), search.within


def stream_records(
    reader: RecordReader, search: Search, columns: Sequence[str]
) -> AbstractContextManager[Iterator[pa.RecordBatch]]:
    """Return all records that match the search in batches, at least one, in no order.

    Args:
        reader: the store.
        search: which records.
        columns: columns of ``log_records``, which the caller has checked.
    """
    values = search.parameters()
    in_group = _QUERIES["in_any_group" if search.group_id is None else "in_one_group"]
    text = _QUERIES["all_records"].format(
        columns=", ".join(f'"{name}"' for name in columns),
        since=values["since"],  # an instant as Python writes it, or -infinity
        until=values["until"],
        in_group=in_group.replace("$group_id", str(search.group_id)),
        where=f"({search.condition})",
    )
    return reader.stream_query(text)


def count_records(reader: RecordReader, search: Search, most: int) -> int:
    """Return the number of records that match the search, counting no further than ``most``."""
    [row] = reader.query(search.render("records_count"), {**search.parameters(), "most": most}).to_pylist()
    return int(row["n"])


@dataclass(frozen=True, slots=True)
class Count:
    """A number of records, which is the least that there are if it is not complete."""

    records: int
    is_complete: bool


def count_newest(
    reader: RecordReader, search: Search, most: int, *, budget_s: float, clock: Callable[[], float] = time.monotonic
) -> Count:
    """Return the number of records that match the search, the newest first, counting no further than ``most``.

    The count ends early if it would probably take longer than ``budget_s`` seconds by the ``clock``.
    """
    started, found, took_s = clock(), 0, 0.0
    for within in iter_windows(reader, search.within):
        before = clock()
        # A window is eight times as wide as the one before it, and probably takes eight times as long.
        if before - started + took_s * GROWTH > budget_s:
            return Count(found, is_complete=False)
        part = narrow_search(reader, replace(search, within=within))
        found += count_records(reader, part, most - found)
        took_s = clock() - before
        if found >= most:
            return Count(found, is_complete=False)
    return Count(found, is_complete=True)


def read_cursor(reader: RecordReader) -> Cursor:
    """Return a cursor after everything that is stored now."""
    rows = reader.query(_QUERIES["positions"])
    return Cursor(dict(zip(rows["file_id"].to_pylist(), rows["byte_offset"].to_pylist(), strict=True)))


def read_new_records(reader: RecordReader, search: Search, start: Cursor) -> NewRecords | None:
    """Return the records that were stored after ``start``, of at most `STEP_BYTES` of log files.

    Return None if no position has moved.
    """
    ranges, is_behind = plan_byte_ranges(start, read_cursor(reader), STEP_BYTES)
    if not ranges:
        return None
    groups = group_ranges(ranges)
    text = _QUERIES["arrived_records"].format(boxes=search.render_boxes(len(groups)))
    found = reader.query(text, {**search.parameters(), **box_parameters(groups)})
    reached = {lines.file_id: lines.end for lines in ranges}
    return NewRecords(found, Cursor({**start.offsets, **reached}), is_behind)


def plan_byte_ranges(start: Cursor, end: Cursor, step_bytes: int) -> tuple[list[ByteRange], bool]:
    """Return the byte ranges between two cursors, ``step_bytes`` at most in all, and whether some were left out.

    A file that is not in ``start`` is read from its beginning.

    >>> plan_byte_ranges(Cursor({1: 50}), Cursor({1: 80, 2: 200}), step_bytes=100)
    ([ByteRange(file_id=1, start=50, end=80), ByteRange(file_id=2, start=0, end=70)], True)
    """
    ranges: list[ByteRange] = []
    for file_id, last in sorted(end.offsets.items()):
        first = start.offsets.get(file_id, 0)
        if first < last:
            if step_bytes <= 0:
                return ranges, True
            lines = ByteRange(file_id, first, min(last, first + step_bytes))
            ranges.append(lines)
            step_bytes -= lines.end - lines.start
            if lines.end < last:
                return ranges, True
    return ranges, False
