"""A format that reads each line by itself. What all of them share: bytes that are no text, offsets, zones, rejects.

A reader sees only valid UTF-8, and positions in it. Bytes that are not UTF-8 are replaced before, and its positions are
led back to where the lines stand in the file.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.base import Parser
from puppylog.formats.byte_order_mark import skip_mark
from puppylog.formats.integers import view_integers
from puppylog.formats.lines import Lines, is_utf8, slice_bytes
from puppylog.formats.repeated_hour import RepeatedHour
from puppylog.formats.rows import NO_TIME, Rows
from puppylog.model.record import NO_REJECTS, RECORDS, REJECTS, Parsed, join_parsed

Reader: TypeAlias = Callable[[bytes | memoryview], Rows]
r"""Makes a row of each line of a text: whole lines of UTF-8, each ended by ``\n``."""

_UTC: Final = "UTC"
_NEWLINE = 10
_NO_TIME = pa.scalar(NO_TIME, pa.int64())
_PART_BYTES = 64 << 20  # read at once: columns of texts count their bytes in 31 bits, and escapes make six of one


@dataclass(frozen=True, slots=True)
class LineFormat:
    """A `puppylog.formats.base.Format`; in UTC its own parser, because a line needs nothing from the lines before."""

    name: str
    reader: Reader
    zone: ZoneInfo
    mismatch_finder: Callable[[str], int] = lambda _: 0
    context: str = ""

    def open(self, context: str = "", modified_at_us: int | None = None) -> Parser:  # noqa: ARG002 - the protocol's
        return self if self.zone.key == _UTC else LineParser(self, RepeatedHour.open(context)[1])

    def parse(self, data: bytes | memoryview, offset: int, read_at_us: int) -> Parsed:
        return parse_lines(self.reader, data, offset, read_at_us, self.zone)

    def find_mismatch(self, line: str) -> int:
        return self.mismatch_finder(line)


@dataclass(frozen=True, slots=True)
class LineParser:
    """A `puppylog.formats.base.Parser`. Its context is that of the hour that comes twice."""

    format: LineFormat
    hour: RepeatedHour

    @property
    def name(self) -> str:
        return self.format.name

    @property
    def context(self) -> str:
        return self.hour.extend("")

    def parse(self, data: bytes | memoryview, offset: int, read_at_us: int) -> Parsed:
        return parse_lines(self.format.reader, data, offset, read_at_us, self.format.zone, hour=self.hour)


def parse_lines(
    reader: Reader,
    data: bytes | memoryview,
    offset: int,
    read_at_us: int,
    zone: ZoneInfo,
    *,
    hour: RepeatedHour | None = None,
) -> Parsed:
    """Do what `puppylog.formats.base.Parser.parse` must, by a reader.

    Args:
        reader: makes rows of the lines.
        data: see there, as for what follows.
        offset: in bytes.
        read_at_us: microseconds since the epoch.
        zone: of stamps that name none.
        hour: what is known of stamps before that are shown twice; it learns from these lines. None: nothing.

    Raises:
        ValueError: the last line has no end.
    """
    if len(data) and data[-1] != _NEWLINE:
        raise ValueError("the last line of the data has no newline")
    data, offset = skip_mark(data, offset)
    known = RepeatedHour() if hour is None else hour

    def instants_of(rows: Rows) -> pa.Array:
        return _instants(rows, read_at_us, zone, known)

    parts = [_parse_part(reader, part, offset + start, instants_of) for start, part in _iter_parts(memoryview(data))]
    return join_parsed(parts)


def _iter_parts(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    start = 0
    while start < len(data):
        end = start + _PART_BYTES
        while end < len(data):
            newline = bytes(data[end - _PART_BYTES : end]).rfind(b"\n")
            if newline >= 0:
                end += newline + 1 - _PART_BYTES
                break
            end += _PART_BYTES
        yield start, data[start:end]
        start = min(end, len(data))


def _parse_part(reader: Reader, data: memoryview, offset: int, instants_of: Callable[[Rows], pa.Array]) -> Parsed:
    repaired = None if is_utf8(data) else str(data, "utf-8", "replace").encode()
    rows = reader(data if repaired is None else repaired)
    at, rejected_starts, rejected_ends, columns = rows.at, rows.rejected_starts, rows.rejected_ends, dict(rows.columns)
    if repaired is not None:
        lines = _RepairedLines(data, repaired)
        at, rejected_starts, rejected_ends = map(lines.find_in_bytes, (at, rejected_starts, rejected_ends))
        columns["attributes"] = _flag_damaged(columns["attributes"], lines.are_damaged(rows.at))
    start = pa.scalar(offset, pa.int64())
    columns |= {"line_offset": pc.add(at, start), "ts": instants_of(rows)}
    records = pa.RecordBatch.from_arrays([columns[name] for name in RECORDS.names], schema=RECORDS)
    if not len(rejected_starts):
        return Parsed(records, NO_REJECTS, rowless=rows.rowless)
    rejected = [pc.add(rejected_starts, start), rows.reasons, slice_bytes(data, rejected_starts, rejected_ends)]
    return Parsed(records, pa.RecordBatch.from_arrays(rejected, schema=REJECTS), rowless=rows.rowless)


class _RepairedLines:
    """Where the lines of a repaired text are in the bytes that were read. A repair adds and removes no newline."""

    def __init__(self, raw: memoryview, text: bytes) -> None:
        self._raw, self._text = Lines.split(raw, pa.binary()), Lines.split(text, pa.binary())
        self._damaged = pc.not_equal(self._raw.texts, self._text.texts)

    def find_in_bytes(self, at: pa.Array) -> pa.Array:
        """Return positions in the bytes for positions in the text; a position beyond its line moves to its newline."""
        line = self._line_of(at)
        in_line = pc.subtract(at, self._text.starts.take(line))
        return pc.min_element_wise(pc.add(self._raw.starts.take(line), in_line), self._raw.newlines.take(line))

    def are_damaged(self, at: pa.Array) -> pa.Array:
        """Return whether the lines at these positions in the text had bytes that are not UTF-8."""
        return self._damaged.take(self._line_of(at))

    def _line_of(self, at: pa.Array) -> pa.Array:
        """Return the number of the line of each position."""
        line = pc.index_in(at, value_set=self._text.starts)
        if not line.null_count:
            return line
        starts = view_integers(self._text.starts)  # some positions are within their line
        return pa.array([bisect_right(starts, position) - 1 for position in view_integers(at)], pa.int32())


def _flag_damaged(attributes: pa.Array, damaged: pa.Array) -> pa.Array:
    flag = '"invalid_utf8": true}'
    flagged = pc.binary_join_element_wise(pc.utf8_slice_codeunits(attributes, 0, -1), flag, ", ")
    return pc.if_else(damaged, pc.coalesce(flagged, pa.scalar("{" + flag)), attributes)


def _instants(rows: Rows, read_at_us: int, zone: ZoneInfo, hour: RepeatedHour) -> pa.Array:
    """Return the times in UTC."""
    ts_us, has_none = rows.ts_us, pc.equal(rows.ts_us, _NO_TIME)
    if pc.any(has_none).as_py():
        ts_us = pc.if_else(has_none, pa.scalar(read_at_us, pa.int64()), ts_us)
    if zone.key != _UTC:
        is_local = pc.and_not(rows.is_local.cast(pa.bool_()), has_none)
        ts_us = pc.replace_with_mask(ts_us, is_local, hour.resolve(ts_us.filter(is_local), zone))
    return ts_us.view(RECORDS.field("ts").type)
