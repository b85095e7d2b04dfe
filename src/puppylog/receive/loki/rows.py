"""Pushed entries become rows: lines are read, and get the time, the labels and the metadata of their entries.

The text that is read has one line for each entry. Unless a format is given, a line that is a JSON object fills columns
and attributes, and any other line is the message. Then a newline within an entry is written as a carriage return in the
text, so that offsets tell entries apart; the message keeps its newlines. With a format, an entry of several lines is
read as these lines, because they may be continuation lines.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.base import Format, Options
from puppylog.formats.record_times import READ, mark_sources, set_untimed
from puppylog.formats.registry import find_format
from puppylog.model.record import NO_RECORDS, NO_REJECTS, RECORDS, REJECTS, Parsed, join_parsed
from puppylog.receive.loki.attributes import add_members
from puppylog.receive.loki.streams import Members, PushedStream
from puppylog.receive.received import ReceivedLines

_NO_ENTRY: Final = "not an entry: it must be an array of a time and a line"
_SAME_US: Final = 999
"""A time in a line that is less than a millisecond away from the entry's is the same one, rounded or taken anew."""

_JSON: Final = find_format("json", Options(joins_lines=False))
_PLAIN: Final = find_format("plain", Options(joins_lines=False))
_REPLACEMENT: Final = "\ufffd".encode()
_EMPTY_OBJECT: Final = b"{}"  # read in place of an empty line that has metadata: such an entry is a record


@dataclass(frozen=True, slots=True)
class _Entries:
    """The entries of one source, in columns."""

    lines: Sequence[bytes]  # without the newline at the end
    times_us: Sequence[int | None]
    streams: Sequence[int]  # the number of the stream of each entry
    labels: Sequence[Members]  # of each stream
    metadata: Mapping[int, Members]  # by the number of the entry


def build_lines(
    source: str, group: str | None, streams: Sequence[PushedStream], format_: Format | None, received_at_us: int
) -> ReceivedLines:
    """Return the lines of the streams of one source.

    Args:
        source: the name of the source.
        group: the log group.
        streams: the streams.
        format_: the format of the lines; None: JSON objects or messages.
        received_at_us: the time of entries without a readable time, in microseconds since the epoch.
    """
    entries = _join(streams)
    if format_ is None:
        parsed, data = _parse_objects_and_messages(entries, received_at_us)
        name = ""
    else:
        data = b"".join(line + b"\n" for line in entries.lines)
        parser = format_.open("", received_at_us)
        parsed, name = parser.parse(data, 0, received_at_us), parser.name
    records = parsed.records
    if parsed.before or parsed.read:
        records = set_untimed(records, pa.scalar(received_at_us, RECORDS.field("ts").type), None)
    records = _add_entries(records, entries, _find_entries(entries.lines, records), received_at_us)
    rejects = parsed.rejects
    if refused := [value for stream in streams for value in stream.rejected]:
        rejects = _append_refused(rejects, refused, len(data))
        data += b"".join(value + b"\n" for value in refused)
    return ReceivedLines(source, group, Parsed(records, rejects, data, 0, parsed.rowless), len(data), name)


def _join(streams: Sequence[PushedStream]) -> _Entries:
    lines: list[bytes] = []
    times_us: list[int | None] = []
    numbers: list[int] = []
    metadata: dict[int, Members] = {}
    for number, stream in enumerate(streams):
        metadata |= {len(lines) + at: members for at, members in stream.metadata.items()}
        lines += stream.lines
        times_us += stream.times_us
        numbers += [number] * len(stream.lines)
    if any(line.endswith(b"\n") for line in lines):
        lines = [line.removesuffix(b"\n").removesuffix(b"\r") for line in lines]
    if b"\0" in b"".join(lines):  # PostgreSQL refuses text with a NUL
        lines = [line.replace(b"\0", _REPLACEMENT) for line in lines]
    if metadata:
        lines = [line or (_EMPTY_OBJECT if at in metadata else b"") for at, line in enumerate(lines)]
    return _Entries(lines, times_us, numbers, [stream.labels for stream in streams], metadata)


def _parse_objects_and_messages(entries: _Entries, received_at_us: int) -> tuple[Parsed, bytes]:
    """Return the rows of all lines, none of which is rejected, and the text with one line for each entry."""
    data = b"\n".join(entries.lines) + b"\n" if entries.lines else b""
    divided: list[int] = []  # the numbers of the entries of several lines
    if data.count(b"\n") > len(entries.lines):
        divided = [at for at, line in enumerate(entries.lines) if b"\n" in line]
        data = b"".join(line.replace(b"\n", b"\r") + b"\n" for line in entries.lines)
    objects = _JSON.open().parse(data, 0, received_at_us)
    if not objects.rejects.num_rows:
        return objects, data
    lines = objects.rejects["line"].to_pylist()
    messages = _PLAIN.open().parse(b"\n".join(lines) + b"\n", 0, received_at_us)
    offsets = objects.rejects["line_offset"].take(_find_entries(lines, messages.records))
    columns = dict(zip(RECORDS.names, messages.records.columns, strict=True)) | {"line_offset": offsets}
    # A time in the line stays in the message, so it need not be kept as an attribute.
    columns["ts"] = pa.array([received_at_us] * len(offsets), RECORDS.field("ts").type)
    if divided:
        columns["message"] = _restore_newlines(columns["message"], offsets, entries.lines, divided)
    records = pa.RecordBatch.from_arrays(list(columns.values()), schema=RECORDS)
    if objects.records.num_rows:
        records = pa.concat_batches([objects.records, records])
        records = records.take(pc.sort_indices(records["line_offset"]))
    return replace(join_parsed([objects, messages]), records=records, rejects=NO_REJECTS), data


def _restore_newlines(
    messages: pa.Array, offsets: pa.Array, lines: Sequence[bytes], divided: Sequence[int]
) -> pa.Array:
    starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
    whole = {starts[at]: lines[at].decode("utf-8", "replace") for at in divided}
    pairs = zip(offsets.to_pylist(), messages.to_pylist(), strict=True)
    return pa.array([whole.get(offset, message) for offset, message in pairs], pa.string())


def _find_entries(lines: Sequence[bytes], records: pa.RecordBatch) -> pa.Array:
    """Return the number of the entry of each record."""
    offsets = records["line_offset"]
    starts = pa.array(accumulate((len(line) + 1 for line in lines), initial=0), pa.int64())
    found = pc.index_in(offsets, value_set=starts)
    # A record in the middle of an entry belongs to the entry of the record before, unless that one has no record.
    return found if not found.null_count else _search_entries(starts.to_pylist(), offsets.to_pylist())


def _search_entries(starts: Sequence[int], offsets: Sequence[int]) -> pa.Array:
    entry = 0
    found = []
    for offset in offsets:  # ascending
        while starts[entry + 1] <= offset:
            entry += 1
        found.append(entry)
    return pa.array(found, pa.int32())


def _add_entries(records: pa.RecordBatch, entries: _Entries, at: pa.Array, received_at_us: int) -> pa.RecordBatch:
    """Return the records with the times, labels and metadata of their entries.

    Args:
        records: the records as their lines say.
        entries: the entries.
        at: the number of the entry of each record.
        received_at_us: the time of records whose lines have no time.
    """
    if not records.num_rows:
        return NO_RECORDS
    columns = dict(zip(RECORDS.names, records.columns, strict=True))
    received = pa.scalar(received_at_us, pa.int64())
    of_line = columns["ts"].cast(pa.int64())
    of_entry = pa.array(entries.times_us, pa.int64()).take(at)
    ts = pc.coalesce(of_entry, received)
    is_close = pc.and_(
        pc.less_equal(pc.subtract(of_line, ts), _SAME_US), pc.less_equal(pc.subtract(ts, of_line), _SAME_US)
    )
    has_other = pc.and_not(pc.not_equal(of_line, received), is_close)
    columns["ts"] = ts.cast(RECORDS.field("ts").type)
    line_time = None
    if pc.any(has_other).as_py():
        line_time = pc.replace_substring(pc.if_else(has_other, records["ts"], None).cast(pa.string()), " ", "T")
    columns["severity"], columns["attributes"] = add_members(
        records,
        pa.array(entries.streams, pa.int32()).take(at),
        entries.labels,
        metadata=[entries.metadata.get(entry) for entry in at.to_pylist()] if entries.metadata else None,
        line_time=line_time,
    )
    if of_entry.null_count:
        sources = pc.if_else(of_entry.is_null(), pa.scalar(READ), pa.scalar(None, pa.string()))
        columns["attributes"] = mark_sources(columns["attributes"], sources)
    return pa.RecordBatch.from_arrays(list(columns.values()), schema=RECORDS)


def _append_refused(rejects: pa.RecordBatch, values: Sequence[bytes], offset: int) -> pa.RecordBatch:
    starts = list(accumulate((len(value) + 1 for value in values), initial=offset))[:-1]
    refused = pa.RecordBatch.from_arrays(
        [pa.array(starts, pa.int64()), pa.array([_NO_ENTRY] * len(values)), pa.array(values, pa.binary())],
        schema=REJECTS,
    )
    return pa.concat_batches([rejects, refused])
