"""A format that reads each line by itself. What all of them share: bytes that are no text, offsets, zones, rejects.

A reader sees only valid UTF-8, and positions in it. Bytes that are not UTF-8 are replaced before, and its positions are
led back to where the lines stand in the file.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.base import Parser
from puppylog.formats.byte_order_mark import skip_mark
from puppylog.formats.fold import Fold
from puppylog.formats.rows import NO_TIME, Rows
from puppylog.formats.spans import Spans, Taker, view_lines
from puppylog.formats.words import Bytes, Flags, Positions
from puppylog.model.record import NO_REJECTS, RECORDS, REJECTS, Parsed, join_parsed

Reader: TypeAlias = Callable[[bytes | memoryview], Rows]
r"""Makes a row of each line of a text: whole lines of UTF-8, each ended by ``\n``."""

_UTC: Final = "UTC"
_NEWLINE = 10
_PART_BYTES = 64 << 20  # read at once: columns of texts count their bytes in 31 bits, and escapes make six of one


@dataclass(frozen=True, slots=True)
class LineFormat:
    """A `puppylog.formats.base.Format`; in UTC its own parser, because a line needs nothing from the lines before."""

    name: str
    reader: Reader
    zone: ZoneInfo
    locator: Callable[[str], int] = lambda _: 0
    context: str = ""

    def open(self, context: str = "", about_us: int | None = None) -> Parser:  # noqa: ARG002 - the protocol's
        return self if self.zone.key == _UTC else LineParser(self, Fold.open(context)[1])

    def parse(self, data: bytes | memoryview, offset: int, read_at_us: int) -> Parsed:
        return parse_lines(self.reader, data, offset, read_at_us, self.zone)

    def locate(self, line: str) -> int:
        return self.locator(line)


@dataclass(frozen=True, slots=True)
class LineParser:
    """A `puppylog.formats.base.Parser`. Its context is that of the hour that comes twice."""

    format: LineFormat
    fold: Fold

    @property
    def name(self) -> str:
        return self.format.name

    @property
    def context(self) -> str:
        return self.fold.extend("")

    def parse(self, data: bytes | memoryview, offset: int, read_at_us: int) -> Parsed:
        return parse_lines(self.format.reader, data, offset, read_at_us, self.format.zone, fold=self.fold)


def parse_lines(
    reader: Reader, data: bytes | memoryview, offset: int, read_at_us: int, zone: ZoneInfo, *, fold: Fold | None = None
) -> Parsed:
    """Do what `puppylog.formats.base.Parser.parse` must, by a reader.

    Args:
        reader: makes rows of the lines.
        data: see there, as for what follows.
        offset: in bytes.
        read_at_us: microseconds since the epoch.
        zone: of stamps that name none.
        fold: what is known of stamps before that are shown twice; it learns from these lines. None: nothing.

    Raises:
        ValueError: the last line has no end.
    """
    if len(data) and data[-1] != _NEWLINE:
        raise ValueError("the last line of the data has no newline")
    data, offset = skip_mark(data, offset)
    known = Fold() if fold is None else fold

    def instants_of(rows: Rows) -> pa.Array:
        return _instants(rows, read_at_us, zone, known)

    parts = [_parse_part(reader, part, offset + since, instants_of) for since, part in _iter_parts(memoryview(data))]
    return join_parsed(parts)


def _iter_parts(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    since = 0
    while since < len(data):
        until = since + _PART_BYTES
        while until < len(data):
            newline = bytes(data[until - _PART_BYTES : until]).rfind(b"\n")
            if newline >= 0:
                until += newline + 1 - _PART_BYTES
                break
            until += _PART_BYTES
        yield since, data[since:until]
        since = min(until, len(data))


def _parse_part(reader: Reader, data: memoryview, offset: int, instants_of: Callable[[Rows], pa.Array]) -> Parsed:
    raw = np.frombuffer(data, np.uint8)
    text = _repair(data, raw)
    rows = reader(data if text is None else text)
    place = None if text is None else _Place(raw, np.frombuffer(text, np.uint8))
    at, rejected = rows.at, Spans(rows.rejected_at, rows.rejected_until)
    if place is not None:
        at = place.lead_back(at)
        rejected = Spans(place.lead_back(rejected.since), place.lead_back(rejected.until))
    columns = {
        **rows.columns,
        "line_offset": pa.array(at + offset),
        "ts": instants_of(rows),
    }
    if place is not None:
        columns["attributes"] = _flag_damaged(columns["attributes"], place.are_damaged(rows.at))
    records = pa.RecordBatch.from_arrays([columns[name] for name in RECORDS.names], schema=RECORDS)
    return Parsed(records, _build_rejects(raw, rejected, rows.reasons, offset), joined=rows.joined)


def _repair(data: memoryview, raw: Bytes) -> bytes | None:
    """Return the data as UTF-8 if it is not."""
    if raw.max() < 0x80:
        return None
    try:
        str(data, "utf-8")
    except UnicodeDecodeError:
        return str(data, "utf-8", "replace").encode()
    return None


class _Place:
    """Where the lines of a repaired text stand in the bytes that came. No repair makes or takes a newline."""

    def __init__(self, raw: Bytes, text: Bytes) -> None:
        self._text_starts, self._raw_starts = _starts_of(text), _starts_of(raw)
        lines = [view_lines(text, self._text_starts), view_lines(raw, self._raw_starts)]
        self._damaged = np.asarray(pc.not_equal(*lines))

    def lead_back(self, at: Positions) -> Positions:
        """Return positions in the bytes for positions in the text."""
        line = self._line_of(at)
        last = self._raw_starts[line + 1] - 1
        back: Positions = np.minimum(self._raw_starts[line] + at - self._text_starts[line], last)
        return back

    def are_damaged(self, at: Positions) -> Flags:
        """Return whether the lines at these positions in the text had bytes that are not UTF-8."""
        return self._damaged[self._line_of(at)]

    def _line_of(self, at: Positions) -> Positions:
        after: Positions = np.searchsorted(self._text_starts, at, side="right")
        return after - 1


def _starts_of(text: Bytes) -> Positions:
    """Return where each line starts, and where the last one ends."""
    return np.concatenate([[0], np.flatnonzero(text == _NEWLINE) + 1])


def _flag_damaged(attributes: pa.Array, damaged: Flags) -> pa.Array:
    flag = '"invalid_utf8": true}'
    flagged = pc.binary_join_element_wise(pc.utf8_slice_codeunits(attributes, 0, -1), flag, ", ")
    return pc.if_else(pa.array(damaged), pc.coalesce(flagged, pa.scalar("{" + flag)), attributes)


def _instants(rows: Rows, read_at_us: int, zone: ZoneInfo, fold: Fold) -> pa.Array:
    """Return the times in UTC."""
    ts_us, has_none = rows.ts_us, rows.ts_us == NO_TIME
    if has_none.any():
        ts_us = np.where(has_none, read_at_us, ts_us)
    if zone.key != _UTC and rows.is_local.any():
        is_local = rows.is_local & ~has_none
        ts_us = ts_us.copy()
        ts_us[is_local] = fold.resolve(ts_us[is_local], zone)
    return pa.array(ts_us).view(RECORDS.field("ts").type)


def _build_rejects(raw: Bytes, lines: Spans, reasons: pa.Array, offset: int) -> pa.RecordBatch:
    if not lines.since.size:
        return NO_REJECTS
    columns = [pa.array(lines.since + offset), reasons, Taker(raw, lines.since.size).take_bytes(lines)]
    return pa.RecordBatch.from_arrays(columns, schema=REJECTS)
