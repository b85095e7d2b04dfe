"""What all formats share that read each line by itself: invalid UTF-8, offsets, time zones and rejected lines.

A reader reads valid UTF-8 only, and returns offsets in that text. If a reader refuses a text, this module replaces the
bytes that are not UTF-8, runs the reader again, and converts the reader's offsets to offsets in the file.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.ansi import remove_colours
from puppylog.formats.base import Parser
from puppylog.formats.byte_order_mark import skip_mark
from puppylog.formats.integers import view_integers
from puppylog.formats.last_start import find_last_start
from puppylog.formats.lines import Lines, slice_bytes
from puppylog.formats.record_times import BEFORE, READ, ArrivalTimes, FoundTimes, RecordTimes
from puppylog.formats.rows import Rows
from puppylog.model.record import NO_REJECTS, RECORDS, REJECTS, Parsed, join_parsed

Reader: TypeAlias = Callable[[bytes | memoryview], Rows]
r"""A function that returns the rows of a text: whole lines of UTF-8, each ended by ``\n``.

It raises UnicodeError, and changes no state, if the text is not UTF-8. A reader in C notices this while it reads the
lines, which costs less than another pass over the text.
"""

_NEWLINE = 10
_PART_BYTES = 64 << 20  # read at once: Arrow's strings have 31-bit offsets, and an escape may make six bytes of one


class Colours(Enum):
    """What is done about the colours of a terminal. To look for them costs a fast reader up to a tenth of its speed."""

    REMOVED = auto()
    IF_REJECTED = auto()
    """They are removed if a line is rejected. For a reader that rejects every line with colours, this is the same."""
    KEPT = auto()


@dataclass(frozen=True, slots=True)
class LineFormat:
    """Implements `puppylog.formats.base.Format` with a reader that needs nothing from the lines before."""

    name: str
    reader: Reader
    zone: ZoneInfo
    mismatch_finder: Callable[[str], int] = lambda _: 0
    joins: bool = False
    """Whether the reader joins lines that do not begin a record to the record before."""
    rejects_colours: bool = False
    """Whether the reader rejects every line with the colours of a terminal."""

    def open(self, context: str = "", modified_at_us: int | None = None) -> Parser:  # noqa: ARG002 - the protocol's
        return LineParser(self, RecordTimes.open(context)[1])

    def find_mismatch(self, line: str) -> int:
        return self.mismatch_finder(line)

    def may_fit(self, sample: bytes) -> bool:
        return begins_record(self.reader, sample)


@dataclass(frozen=True, slots=True)
class LineParser:
    """Implements `puppylog.formats.base.Parser`. Its context is the context of `RecordTimes`."""

    format: LineFormat
    times: RecordTimes

    @property
    def name(self) -> str:
        return self.format.name

    @property
    def context(self) -> str:
        return self.times.extend("")

    def parse(self, data: bytes | memoryview, offset: int, read_at_us: int) -> Parsed:
        colours = Colours.IF_REJECTED if self.format.rejects_colours else Colours.REMOVED
        zone = self.format.zone
        return parse_lines(self.format.reader, data, offset, read_at_us, zone, times=self.times, colours=colours)

    def find_last_start(self, lines: bytes) -> int:
        return find_last_start(self.format.reader, lines) if self.format.joins else len(lines)


def parse_lines(
    reader: Reader,
    data: bytes | memoryview,
    offset: int,
    read_at_us: int,
    zone: ZoneInfo,
    *,
    times: RecordTimes | ArrivalTimes | None = None,
    colours: Colours = Colours.REMOVED,
) -> Parsed:
    """Implement `puppylog.formats.base.Parser.parse` with a reader.

    Args:
        reader: returns the rows of the lines.
        data: as in `puppylog.formats.base.Parser.parse`.
        offset: the offset in bytes of ``data`` in its file.
        read_at_us: the time of records without a time of their own, in microseconds since the epoch.
        zone: the time zone of stamps that name no zone.
        times: the state after the lines before, which this call updates, or the times of arrival. None at the start of
            a file.
        colours: what is done about the colours of a terminal.

    Raises:
        ValueError: the last line does not end with a newline.
    """
    if len(data) and data[-1] != _NEWLINE:
        raise ValueError("the last line of the data has no newline")
    data, offset = skip_mark(data, offset)
    known = RecordTimes() if times is None else times

    def find_times(rows: Rows) -> FoundTimes:
        return known.find(rows, read_at_us, zone)

    parts = [_parse_part(reader, part, offset + start, find_times, colours) for start, part in _iter_parts(data)]
    return join_parsed(parts)


def begins_record(reader: Reader, sample: bytes) -> bool:
    """Return whether one of these lines begins a record. This costs a third of parsing them.

    Args:
        reader: see `Reader`.
        sample: whole lines at the start of a file.
    """
    text = remove_colours(bytes(skip_mark(sample, 0)[0]))
    try:
        rows = reader(text)
    except UnicodeError:
        rows = reader(str(text, "utf-8", "replace").encode())
    return len(rows.starts) > rows.orphans


def _iter_parts(whole: bytes | memoryview) -> Iterator[tuple[int, bytes | memoryview]]:
    if 0 < len(whole) <= _PART_BYTES:
        yield 0, whole  # not a view: it need not be copied
        return
    start, data = 0, memoryview(whole)
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


def _parse_part(
    reader: Reader,
    data: bytes | memoryview,
    offset: int,
    find_times: Callable[[Rows], FoundTimes],
    colours: Colours,
) -> Parsed:
    raw = data if isinstance(data, bytes) else bytes(data)
    decoded = remove_colours(raw) if colours is Colours.REMOVED else raw
    text, rows = _read(reader, decoded)
    if len(rows.reasons) and colours is Colours.IF_REJECTED:
        decoded = remove_colours(raw)
        if decoded is not raw:
            text, rows = _read(reader, decoded)
    at, rejected_starts, rejected_ends, columns = (
        rows.starts,
        rows.rejected_starts,
        rows.rejected_ends,
        dict(rows.columns),
    )
    runs = pa.array([start for start, _ in rows.joined_runs], pa.int64())
    if text is not raw:
        lines = _RepairedLines(raw, decoded, text)
        at, rejected_starts, runs = map(lines.find_in_bytes, (at, rejected_starts, runs))
        rejected_ends = lines.find_newlines(rejected_ends)
        if text is not decoded:
            columns["attributes"] = _flag_damaged(columns["attributes"], lines.are_damaged(rows))
    start = pa.scalar(offset, pa.int64())
    times = find_times(rows)
    columns |= {"line_offset": pc.add(at, start), "ts": times.ts, "attributes": times.mark(columns["attributes"])}
    records = pa.RecordBatch.from_arrays([columns[name] for name in RECORDS.names], schema=RECORDS)
    rejects = NO_REJECTS
    if len(rejected_starts):
        rejected = [pc.add(rejected_starts, start), rows.reasons, slice_bytes(data, rejected_starts, rejected_ends)]
        rejects = pa.RecordBatch.from_arrays(rejected, schema=REJECTS)
    return Parsed(
        records,
        rejects,
        rowless=rows.rowless,
        continued=rows.continued,
        orphans=rows.orphans,
        before=times.count(BEFORE),
        read=times.count(READ),
        ambiguous_zones=rows.ambiguous_zones,
        parts=rows.parts,
        joined_runs=[(at + offset, size) for at, (_, size) in zip(runs.to_pylist(), rows.joined_runs, strict=True)],
    )


def _read(reader: Reader, decoded: bytes) -> tuple[bytes, Rows]:
    """Return the text that the reader has read, and its rows."""
    try:
        return decoded, reader(decoded)
    except UnicodeError:
        text = str(decoded, "utf-8", "replace").encode()
        return text, reader(text)


class _RepairedLines:
    """Maps offsets in a text that was read to offsets in the bytes of the file.

    Removing colours and replacing bytes neither adds nor removes a newline, so both have the same lines.
    """

    def __init__(self, raw: bytes, decoded: bytes, text: bytes) -> None:
        """Prepare.

        Args:
            raw: the bytes of the file.
            decoded: the same without colours.
            text: the same with the bytes replaced that are not UTF-8.
        """
        self._raw, self._text = (Lines.split(lines, pa.binary()) for lines in (raw, text))
        self._damaged = pc.not_equal(Lines.split(decoded, pa.binary()).texts, self._text.texts)

    def find_in_bytes(self, at: pa.Array) -> pa.Array:
        """Return offsets in the bytes for offsets in the text. An offset past the end of its line becomes that end."""
        line = self._line_of(at)
        in_line = pc.subtract(at, self._text.starts.take(line))
        return pc.min_element_wise(pc.add(self._raw.starts.take(line), in_line), self._raw.newlines.take(line))

    def find_newlines(self, at: pa.Array) -> pa.Array:
        """Return the offsets in the bytes of newlines, for their offsets in the text."""
        newlines = view_integers(self._text.newlines)
        return self._raw.newlines.take(pa.array([bisect_left(newlines, one) for one in view_integers(at)], pa.int64()))

    def are_damaged(self, rows: Rows) -> pa.Array:
        """Return for each record whether the bytes of one of its lines are not UTF-8."""
        damaged = self._damaged.take(self._line_of(rows.starts))
        if not rows.continued:
            return damaged
        starts = sorted([*rows.starts.to_pylist(), *rows.rejected_starts.to_pylist()])
        lines = self._text.starts.filter(self._damaged).to_pylist()
        of_rows = {starts[place - 1] for place in (bisect_right(starts, line) for line in lines) if place}
        return pc.or_(damaged, pc.is_in(rows.starts, value_set=pa.array(of_rows, pa.int64())))

    def _line_of(self, at: pa.Array) -> pa.Array:
        """Return for each offset in the text the number of its line, from 0."""
        line = pc.index_in(at, value_set=self._text.starts)
        if not line.null_count:
            return line
        starts = view_integers(self._text.starts)  # some offsets are within a line
        return pa.array([bisect_right(starts, position) - 1 for position in view_integers(at)], pa.int32())


def _flag_damaged(attributes: pa.Array, damaged: pa.Array) -> pa.Array:
    flag = '"invalid_utf8": true}'
    flagged = pc.binary_join_element_wise(pc.utf8_slice_codeunits(attributes, 0, -1), flag, ", ")
    return pc.if_else(damaged, pc.coalesce(flagged, pa.scalar("{" + flag)), attributes)
