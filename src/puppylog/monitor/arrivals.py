"""The records that were stored between two moments, for live tails.

A store commits rows and the position of their file together. So what was stored after a moment is the lines between the
positions of all files at that moment and the present ones, and no line is found twice or missed
(see `puppylog.monitor.search`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from puppylog.monitor.byte_ranges import ByteRange, box_parameters, group_ranges
from puppylog.monitor.pages import CUTS, render_columns
from puppylog.monitor.search import Search
from puppylog.stores.base import RecordReader
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores", "monitor.sql")

# A position that moves is visible when its transaction has been committed, but its moved_at is when the transaction
# began. A transaction that takes longer is seen by the next complete reading.
MAX_COMMIT_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class FilePosition:
    """How far a file was stored at a moment."""

    byte_offset: int
    moved_us: int  # when the position last moved, in microseconds since the epoch, by the store's clock


@dataclass(frozen=True, slots=True)
class Reading:
    """Positions of files as they were at one moment."""

    read_us: int  # the moment, in microseconds since the epoch, by the store's clock
    positions: Mapping[int, FilePosition]  # by the id of the file


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The newest of the records that were stored between two moments."""

    records: pa.Table  # the oldest first, with the columns of `puppylog.monitor.pages.Page`
    left_out: int  # how many older ones there are


def read_positions(reader: RecordReader, *, since_us: int | None = None) -> Reading:
    """Return the positions of all files; with ``since_us``, of those that have moved at or after this moment.

    Args:
        reader: the store.
        since_us: microseconds since the epoch, by the store's clock.
    """
    found = reader.query(_QUERIES["moved_positions"], {"since_us": -1 if since_us is None else since_us})
    rows = zip(*(found[name].to_pylist() for name in ("file_id", "byte_offset", "moved_us", "read_us")), strict=True)
    positions = {}
    read_us = 0
    for file_id, byte_offset, moved_us, read_us in rows:  # noqa: B007 - every row has the same moment, also the last
        if file_id is not None:  # the row that is there if no file has moved
            positions[file_id] = FilePosition(byte_offset, moved_us)
    return Reading(read_us, positions)


def read_store_id(reader: RecordReader) -> str:
    """Return what identifies the store."""
    return str(reader.query(_QUERIES["store_id"])["store_id"][0].as_py())


def plan_arrivals(start: Mapping[int, int], end: Mapping[int, int]) -> list[ByteRange]:
    """Return the byte ranges between two moments, in the order of the files.

    Args:
        start: the offsets of files at the first moment. A file that is missing is read from its start.
        end: the offsets at the second moment.

    >>> plan_arrivals({1: 50, 2: 10}, {1: 80, 2: 10, 3: 40})
    [ByteRange(file_id=1, start=50, end=80), ByteRange(file_id=3, start=0, end=40)]
    """
    moved = [(file_id, start.get(file_id, 0), offset) for file_id, offset in end.items()]
    return [ByteRange(file_id, first, last) for file_id, first, last in sorted(moved) if first < last]


def read_arrivals(reader: RecordReader, search: Search, ranges: Sequence[ByteRange], *, records: int) -> Arrivals:
    """Return the newest of the records that match the search, in ranges of bytes.

    Args:
        reader: the store.
        search: which records.
        ranges: what `plan_arrivals` returned; there must be one.
        records: how many records to return at most.
    """
    groups = group_ranges(ranges)
    values = {**search.parameters(), **box_parameters(groups)}
    boxes = search.render_boxes(len(groups))
    text = _QUERIES["newest_arrived_records"].format(columns=render_columns(), boxes=boxes)
    found = reader.query(text, {**values, **CUTS, "records": records})
    if found.num_rows < records:
        return Arrivals(found, 0)
    [counted] = reader.query(_QUERIES["arrived_records_count"].format(boxes=boxes), values).to_pylist()
    return Arrivals(found, int(counted["n"]) - found.num_rows)
