"""The records before and after others in the same file.

A store has no numbers of lines, only the byte at which each line starts. So the neighbours of a record are looked for
in a range of bytes around it, which grows until it has enough records or reaches an end of the file.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import pyarrow as pa

from puppylog.monitor.byte_ranges import ByteRange, range_parameters, render_ranges
from puppylog.stores.base import RecordReader, Value
from puppylog.stores.queries import load_queries

LineLocation: TypeAlias = tuple[int, int]
"""Where a line is stored: the id of its file, and the offset in bytes at which it starts."""

# How many bytes on each side of a record are searched first, per record that is asked for and at least; and at how
# many bytes the search ends, so that a file with a gap of rejected lines is not read in full.
_BYTES_PER_RECORD: Final = 512
_FIRST_BYTES: Final = 16 << 10
_MAX_BYTES: Final = 16 << 20
_GROWTH: Final = 8
# The most locations that one query asks for.
_LOCATIONS: Final = 10_000

# The most rejected lines that one answer shows between its records.
_REJECTED: Final = 1000

_QUERIES = load_queries("puppylog.stores", "monitor.sql")
_REJECTS = load_queries("puppylog.stores", "rejects.sql")


@dataclass(frozen=True, slots=True)
class Extent:
    """How many records are asked for before and after each match."""

    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Group:
    """Consecutive records of one file: matches and the records around them."""

    locations: Sequence[LineLocation]
    previous: LineLocation | None  # the record before the first one


@dataclass(frozen=True, slots=True)
class Context:
    """The groups around some matches, in the order of the matches: the first match of a group counts."""

    groups: Sequence[Group]
    incomplete: Sequence[LineLocation]  # matches whose file ends before it has enough records after them


@dataclass(frozen=True, slots=True)
class _Block:
    """All records of a file in a range of bytes."""

    lines: ByteRange
    offsets: Sequence[int]

    def around(self, offset: int, extent: Extent) -> range:
        """Return the indexes of a record and of those before and after it."""
        at = bisect_left(self.offsets, offset)
        return range(max(at - extent.before, 0), min(at + extent.after + 1, len(self.offsets)))


def find_context(
    reader: RecordReader, matches: Sequence[LineLocation], extent: Extent, ends: Mapping[int, int]
) -> Context:
    """Return the locations of the records around the matches.

    Args:
        reader: the store.
        matches: the locations of records.
        extent: how many records before and after each match.
        ends: by file, the offset in bytes up to which the file is looked at.
    """
    first = max(_FIRST_BYTES, _BYTES_PER_RECORD * (max(extent.before, extent.after) + 1))
    widths = dict.fromkeys(matches, first)
    while True:
        blocks = _find_blocks(reader, widths, ends)
        narrow = [
            location for location in matches if not _is_wide_enough(location, widths[location], blocks, extent, ends)
        ]
        if not narrow:
            return _group(matches, extent, blocks)
        for location in narrow:
            widths[location] *= _GROWTH


def read_records(
    reader: RecordReader,
    locations: Sequence[LineLocation],
    *,
    query: str = "",
    values: Mapping[str, Value] | None = None,
) -> pa.Table:
    """Return the records at the locations, in the order of the locations. A location without a record is left out.

    Args:
        reader: the store.
        locations: where the records are.
        query: SQL with the parameters of the query ``records_at``, and with other columns.
        values: the other parameters of this SQL.
    """
    sql = query or _QUERIES["records_at"]
    parts = [
        _read_records(reader, locations[at : at + _LOCATIONS], sql, values or {})
        for at in range(0, max(len(locations), 1), _LOCATIONS)
    ]
    return pa.concat_tables(parts)


def _read_records(
    reader: RecordReader, locations: Sequence[LineLocation], sql: str, values: Mapping[str, Value]
) -> pa.Table:
    files, offsets = [file_id for file_id, _ in locations] or [0], [offset for _, offset in locations] or [-1]
    lists = {"files": _joined(files), "offsets": _joined(offsets)}
    found = reader.query(sql, {**lists, **_bounds(files, offsets), **values})
    index = {location: at for at, location in enumerate(locations_of(found))}
    return found.take(pa.array([index[location] for location in locations if location in index], pa.int64()))


def find_rejected(reader: RecordReader, groups: Sequence[Group]) -> dict[LineLocation, list[bytes]]:
    """Return the rejected lines between the records of groups, by the location of the record that follows them.

    A line that does not fit the format is not a record, but may be what the user looks for: a traceback among JSON.
    At most _REJECTED lines are returned, those of the first files.
    """
    spans = [(group.locations[0], group.locations[-1]) for group in groups if len(group.locations) > 1]
    if not spans:
        return {}
    ranges = [ByteRange(file_id, start, end) for (file_id, start), (_, end) in spans]
    values: dict[str, Value] = {**range_parameters(ranges), "lines": _REJECTED}
    found = reader.query(render_ranges(_REJECTS["lines_in_ranges"]), values)
    records = sorted(location for group in groups for location in group.locations)
    rejected: dict[LineLocation, list[bytes]] = {}
    for location, line in zip(locations_of(found), found["line"].to_pylist(), strict=True):
        rejected.setdefault(records[bisect_right(records, location)], []).append(line)
    return rejected


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """A line that does not fit its format."""

    line_offset: int
    reason: str
    line: bytes


@dataclass(frozen=True, slots=True)
class LinesAround:
    """The records around a record in its file, and the record itself, in the order of the file.

    Attributes:
        locations: where the records are.
        rejected: the rejected lines between them; also those before the first record or after the last one, if no
            other record of the file is there.
        has_before: whether the file has more records before these.
        has_after: whether the store has more records of the file after these.
    """

    locations: Sequence[LineLocation]
    rejected: Sequence[RejectedLine]
    has_before: bool
    has_after: bool


def find_lines_around(reader: RecordReader, location: LineLocation, extent: Extent) -> LinesAround | None:
    """Return the records and rejected lines around a record; None if there is no record at the location."""
    file_id, offset = location
    positions = reader.query(_QUERIES["file_positions"], {"files": str(file_id)})["byte_offset"].to_pylist()
    found = find_context(reader, [location], Extent(extent.before + 1, extent.after + 1), {file_id: sum(positions)})
    offsets = [known for group in found.groups for _, known in group.locations]
    if offset not in offsets:
        return None
    at = offsets.index(offset)
    start, end = max(at - extent.before, 0), min(at + extent.after + 1, len(offsets))
    has_before, has_after = start > 0, end < len(offsets)
    lines = ByteRange(file_id, offsets[start] if has_before else 0, offsets[end - 1] if has_after else sum(positions))
    rejected = reader.query(
        render_ranges(_REJECTS["lines_in_ranges"]), {**range_parameters([lines]), "lines": _REJECTED}
    )
    return LinesAround(
        [(file_id, known) for known in offsets[start:end]],
        [RejectedLine(row["line_offset"], row["reason"], row["line"]) for row in rejected.to_pylist()],
        has_before=has_before,
        has_after=has_after,
    )


def locations_of(records: pa.Table) -> list[LineLocation]:
    """Return the locations of records."""
    return list(zip(records["file_id"].to_pylist(), records["line_offset"].to_pylist(), strict=True))


def _find_blocks(reader: RecordReader, widths: Mapping[LineLocation, int], ends: Mapping[int, int]) -> list[_Block]:
    """Return the records around the locations, ``widths`` bytes on each side, sorted by file and offset."""
    ranges = _plan_ranges(widths, ends)
    if not ranges:
        return []
    found = locations_of(reader.query(render_ranges(_QUERIES["places_in_ranges"]), range_parameters(ranges)))
    blocks = []
    for lines in ranges:
        low = bisect_left(found, (lines.file_id, lines.start))
        high = bisect_left(found, (lines.file_id, lines.end))
        blocks.append(_Block(lines, [offset for _, offset in found[low:high]]))
    return blocks


def _plan_ranges(widths: Mapping[LineLocation, int], ends: Mapping[int, int]) -> list[ByteRange]:
    """Return the ranges of bytes around the locations. Ranges of one file that overlap or touch become one."""
    ranges: list[ByteRange] = []
    for (file_id, offset), width in sorted(widths.items()):
        start, end = max(offset - width, 0), min(offset + width, max(ends.get(file_id, 0), offset + 1))
        if ranges and ranges[-1].file_id == file_id and start <= ranges[-1].end:
            ranges[-1] = ByteRange(file_id, ranges[-1].start, max(end, ranges[-1].end))
        else:
            ranges.append(ByteRange(file_id, start, end))
    return ranges


def _is_wide_enough(
    location: LineLocation, width: int, blocks: Sequence[_Block], extent: Extent, ends: Mapping[int, int]
) -> bool:
    """Return whether the block has enough records around the location, and one more on each side.

    The extra record tells whether two groups touch.
    """
    if width >= _MAX_BYTES:
        return True
    block = _block_of(location, blocks)
    at = bisect_left(block.offsets, location[1])
    has_before = at > extent.before or block.lines.start == 0
    has_after = len(block.offsets) - at - 1 > extent.after or block.lines.end >= ends.get(location[0], 0)
    return has_before and has_after


def _block_of(location: LineLocation, blocks: Sequence[_Block]) -> _Block:
    at = bisect_right(blocks, location, key=lambda block: (block.lines.file_id, block.lines.start))
    return blocks[at - 1]


def _group(matches: Sequence[LineLocation], extent: Extent, blocks: Sequence[_Block]) -> Context:
    shown: dict[int, set[int]] = {}  # by the identity of a block, the indexes of the records around its matches
    incomplete = []
    for location in matches:
        block = _block_of(location, blocks)
        indexes = block.around(location[1], extent)
        shown.setdefault(id(block), set()).update(indexes)
        if indexes.stop - bisect_left(block.offsets, location[1]) <= extent.after:
            incomplete.append(location)
    groups = [group for block in blocks for group in _cut(block, sorted(shown.get(id(block), ())))]
    first = {location: at for at, location in reversed(list(enumerate(matches)))}
    # A group of no match is around a location that has no record.
    groups.sort(
        key=lambda group: min((first[location] for location in group.locations if location in first), default=0)
    )
    return Context(groups, incomplete)


def _cut(block: _Block, indexes: Sequence[int]) -> list[Group]:
    """Return the records with these indexes as groups of consecutive ones."""
    groups: list[Group] = []
    start = 0
    for at in range(1, len(indexes) + 1):
        if at == len(indexes) or indexes[at] != indexes[at - 1] + 1:
            locations = [(block.lines.file_id, block.offsets[index]) for index in indexes[start:at]]
            low = indexes[start]
            groups.append(Group(locations, (block.lines.file_id, block.offsets[low - 1]) if low else None))
            start = at
    return groups


def _joined(numbers: Sequence[int]) -> str:
    return ",".join(map(str, numbers))


def _bounds(files: Sequence[int], offsets: Sequence[int]) -> dict[str, Value]:
    return {
        "lowest_file": min(files),
        "highest_file": max(files),
        "lowest_offset": min(offsets),
        "highest_offset": max(offsets),
    }
