"""Searching records, and following them as they come in.

What comes in is not in the order of its times: a line may be late, and several files grow at once. So a follower's
cursor is where every file stood, and news are the lines between that and where it stands now. Rows and positions are
committed together; so no line is shown twice, and none is left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from puppylog.errors import NotFound
from puppylog.monitor.range import ALWAYS, Range
from puppylog.stores.base import RecordReader, Value
from puppylog.stores.queries import load_queries

# So many bytes of log files are asked for at once: a follower beside a backfill must not hold gigabytes of answer.
STEP_BYTES: Final = 16 << 20

_QUERIES = load_queries("puppylog.stores", "monitor.sql")


@dataclass(frozen=True, slots=True)
class Search:
    """Which records are wanted."""

    condition: str = "true"  # SQL in the store's own dialect, rendered from a tree that was allowed
    within: Range = ALWAYS
    group_id: int | None = None

    def render(self, query: str) -> str:
        """Return the text of one of the queries that search."""
        in_group = _QUERIES["in_any_group" if self.group_id is None else "in_one_group"]
        return _QUERIES[query].format(in_group=in_group, where=f"({self.condition})")

    def parameters(self) -> dict[str, Value]:
        """Return the values that `render` leaves to be bound."""
        group: dict[str, Value] = {} if self.group_id is None else {"group_id": self.group_id}
        return {**self.within.parameters(), **group}


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far every file has been shown, in bytes."""

    offsets: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class ByteRange:
    """The lines of a file that start in ``[start, end)``."""

    file_id: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class NewRecords:
    """What came in, how far that goes, and whether there was more than one step could hold."""

    records: pa.Table
    cursor: Cursor
    is_behind: bool


def get_group_id(reader: RecordReader, name: str) -> int:
    """Return what the store calls a log group.

    Raises:
        NotFound: there is none of that name.
    """
    rows = reader.query(_QUERIES["group_of_name"], {"name": name}).to_pylist()
    if not rows:
        raise NotFound("find", f"group {name!r}", advice="see 'puppylog groups list'")
    return int(rows[0]["id"])


def find_records(reader: RecordReader, search: Search, *, records: int) -> pa.Table:
    """Return the newest ``records`` that are wanted, oldest first, with all columns of ``log_records``."""
    return reader.query(search.render("records"), {**search.parameters(), "records": records})


def count_records(reader: RecordReader, search: Search, most: int) -> int:
    """Return how many records are wanted; ``most`` if there are so many or more."""
    [row] = reader.query(search.render("records_count"), {**search.parameters(), "most": most}).to_pylist()
    return int(row["n"])


def read_cursor(reader: RecordReader) -> Cursor:
    """Return where every file stands now."""
    rows = reader.query(_QUERIES["positions"])
    return Cursor(dict(zip(rows["file_id"].to_pylist(), rows["byte_offset"].to_pylist(), strict=True)))


def read_new_records(reader: RecordReader, search: Search, since: Cursor) -> NewRecords | None:
    """Return what came in since then, at most some `STEP_BYTES` of it; None if no file has moved."""
    stretches, is_behind = plan_byte_ranges(since, read_cursor(reader), STEP_BYTES)
    if not stretches:
        return None
    found = reader.query(
        search.render("arrived_records"),
        {
            **search.parameters(),
            "files": ",".join(str(stretch.file_id) for stretch in stretches),
            "starts": ",".join(str(stretch.start) for stretch in stretches),
            "ends": ",".join(str(stretch.end) for stretch in stretches),
            "lowest_file": min(stretch.file_id for stretch in stretches),
            "lowest_offset": min(stretch.start for stretch in stretches),
        },
    )
    reached = {stretch.file_id: stretch.end for stretch in stretches}
    return NewRecords(found, Cursor({**since.offsets, **reached}), is_behind)


def plan_byte_ranges(since: Cursor, until: Cursor, step_bytes: int) -> tuple[list[ByteRange], bool]:
    """Return what lies between two cursors, cut after ``step_bytes``, and whether it was cut.

    A file that is new since then is wanted from its beginning.
    """
    stretches: list[ByteRange] = []
    for file_id, end in sorted(until.offsets.items()):
        start = since.offsets.get(file_id, 0)
        if start < end:
            if step_bytes <= 0:
                return stretches, True
            stretch = ByteRange(file_id, start, min(end, start + step_bytes))
            stretches.append(stretch)
            step_bytes -= stretch.end - stretch.start
            if stretch.end < end:
                return stretches, True
    return stretches, False
