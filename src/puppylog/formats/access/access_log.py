"""The format itself: the lines of a block, the parts of its lines, and the columns that they become.

Where there are native readers, one of them does the same; the rows do not differ.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats import native
from puppylog.formats.access.clock import read_times
from puppylog.formats.access.head import read_head
from puppylog.formats.access.lines import Entries, find_entries, find_lines
from puppylog.formats.access.mismatch import find_mismatch
from puppylog.formats.access.reason import Reason, Reasons, first_reasons, reason_texts
from puppylog.formats.access.request import read_request
from puppylog.formats.access.response import Numbers, Variant, read_response
from puppylog.formats.attributes import build_objects, quote_json
from puppylog.formats.base import UTC
from puppylog.formats.block import Block, find_damaged, find_newlines, iter_blocks, starts_of
from puppylog.formats.byte_order_mark import skip_mark
from puppylog.formats.line_format import parse_lines
from puppylog.formats.rows import Rows, rows_from_buffers
from puppylog.formats.spans import Spans, Taker
from puppylog.formats.words import Flags, Positions
from puppylog.model.record import NO_REJECTS, RECORDS, REJECTS, Parsed, join_parsed

_BLOCK_BYTES = 5 << 20
"""Parsed at once. With less, the calls into numpy weigh more, and the columns of blocks must be joined, which costs a
quarter of the time; with much more, nothing stays in any cache. A tailer's chunk should fit into one."""


_REASONS = tuple(reason.text for reason in Reason)
_NUMBERS = {variant: number for number, variant in enumerate(Variant)}


@dataclass(frozen=True, slots=True)
class AccessLog:
    """A `puppylog.formats.base.Format`, and its own parser: a line needs nothing from the lines before."""

    variant: Variant
    known_as: str = ""  # instead of the variant's own name
    context: str = ""

    @property
    def name(self) -> str:
        return self.known_as or self.variant.value

    def open(self, context: str = "", about_us: int | None = None) -> "AccessLog":  # noqa: ARG002 - the protocol's
        return self

    def parse(self, data: bytes | memoryview, offset: int, read_at_us: int) -> Parsed:
        if native.lines is not None:
            return parse_lines(self._read, data, offset, read_at_us, UTC)
        data, offset = skip_mark(data, offset)
        parts = [_parse_block(block, self.variant) for block in iter_blocks(data, offset, _BLOCK_BYTES)]
        return join_parsed(parts)

    def locate(self, line: str) -> int:
        return find_mismatch(line, self.variant)

    def _read(self, text: bytes | memoryview) -> Rows:
        return rows_from_buffers(native.lines.access(text, _NUMBERS[self.variant]), _REASONS)


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the parts made of the entries of a block."""

    line: Positions
    times_us: Positions
    numbers: Numbers
    texts: dict[str, Spans]  # by column; and two that become attributes
    reasons: Reasons


def _parse_block(block: Block, variant: Variant) -> Parsed:
    lines = find_lines(block.text)
    reading = _read(block, find_entries(block.words, lines), variant)
    newlines = find_newlines(block.raw) if block.is_damaged else lines.marks[lines.newline]
    starts = starts_of(newlines)
    reasons = np.where(lines.until > lines.since, Reason.NO_REQUEST, Reason.EMPTY).astype(np.uint8)
    reasons[reading.line] = reading.reasons
    rejected = np.flatnonzero(reasons != Reason.NONE)
    if not rejected.size:
        return Parsed(_build_records(block, reading, slice(None), starts), NO_REJECTS)
    return Parsed(
        _build_records(block, reading, np.flatnonzero(reading.reasons == Reason.NONE), starts),
        _build_rejects(block, reasons[rejected], Spans(starts, newlines).keep(rejected)),
    )


def _read(block: Block, entries: Entries, variant: Variant) -> _Reading:
    times_us, time_reasons = read_times(block.text, entries.quotes[0])
    head = read_head(block, entries)
    request = read_request(block, entries)
    response = read_response(block, entries, variant)
    return _Reading(
        entries.line,
        times_us,
        response.numbers,
        {
            "host": head.host,
            "ident": head.ident,
            "ruser": head.user,
            "request_method": request.method,
            "request_route": request.route,
            "request_proto": request.proto,
            "referer": response.referer,
            "user_agent": response.agent,
            "message": request.message,
            "vhost": head.vhost,
            "extra": response.extra,
        },
        first_reasons(time_reasons, head.reasons, response.reasons),
    )


def _build_records(block: Block, reading: _Reading, rows: Positions | slice, starts: Positions) -> pa.RecordBatch:
    """Make the records of the entries ``rows``, whose lines start at ``starts`` in the raw bytes."""
    line = reading.line[rows]
    taker = Taker(block.text, line.size)
    texts = {name: taker.take_texts(spans.keep(rows)) for name, spans in reading.texts.items()}
    numbers = reading.numbers
    columns = {
        **texts,
        "line_offset": pa.array(starts[line] + block.offset),
        "ts": pa.array(reading.times_us[rows]).view(RECORDS.field("ts").type),
        "status_code": _nullable(numbers.status[rows].astype(np.int16), numbers.has_status[rows]),
        "response_bytes": _nullable(numbers.size_bytes[rows], numbers.has_size[rows]),
        "severity": pa.nulls(line.size, pa.string()),
        "attributes": _build_attributes(block, texts["vhost"], texts["extra"], line),
    }
    return pa.RecordBatch.from_arrays([columns[name] for name in RECORDS.names], schema=RECORDS)


def _build_attributes(block: Block, vhost: pa.Array, extra: pa.Array, line: Positions) -> pa.Array:
    is_damaged = find_damaged(block)[line] if block.is_damaged else np.zeros(line.size, np.bool_)
    present = np.asarray(vhost.is_valid()) | np.asarray(extra.is_valid()) | is_damaged
    if not present.any():
        return pa.nulls(line.size, pa.string())
    rows = pa.array(np.flatnonzero(present))
    members = {
        "vhost": quote_json(vhost.take(rows)),
        "extra": quote_json(extra.take(rows)),
        "invalid_utf8": pc.if_else(pa.array(is_damaged[present]), "true", pa.scalar(None, pa.string())),
    }
    return build_objects(members, present)


def _build_rejects(block: Block, reasons: Reasons, raw_lines: Spans) -> pa.RecordBatch:
    columns = [
        pa.array(raw_lines.since + block.offset),
        reason_texts(reasons),
        Taker(block.raw, reasons.size).take_bytes(raw_lines),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=REJECTS)


def _nullable(values: Positions, present: Flags) -> pa.Array:
    return pa.array(values) if present.all() else pa.array(values, mask=~present)
