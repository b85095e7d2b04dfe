"""Records of several lines, such as a message with its stack trace.

A format reads the first line of a record. The continuation lines are added to the message of that record, or become its
message. In JSON an object may take several lines: a first line that is rejected alone is read again together with
its continuation lines.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TypeAlias

import pyarrow as pa

from puppylog.formats.base import Format, Parser
from puppylog.formats.byte_order_mark import skip_mark
from puppylog.formats.integers import view_integers
from puppylog.model.record import RECORDS, REJECTS, Parsed

MarkStarts: TypeAlias = Callable[[Sequence[bytes]], Sequence[bool]]
"""A function that returns for each line whether it begins a record."""


@dataclass(frozen=True, slots=True)
class Multiline:
    """Implements `puppylog.formats.base.Format` with another format, which reads the first lines of the records."""

    format: Format
    mark_starts: MarkStarts
    find_last_start: Callable[[bytes], int] = len
    """See `puppylog.formats.base.Parser.find_last_start`."""

    @property
    def name(self) -> str:
        return self.format.name

    def open(self, context: str = "", modified_at_us: int | None = None) -> "MultilineParser":
        return MultilineParser(self.format.open(context, modified_at_us), self.mark_starts, self.find_last_start)

    def find_mismatch(self, line: str) -> int:
        return self.format.find_mismatch(line)


@dataclass(frozen=True, slots=True)
class MultilineParser:
    """Implements `puppylog.formats.base.Parser`. A record must not be divided between two calls of `parse`."""

    parser: Parser
    mark_starts: MarkStarts
    find_last_start: Callable[[bytes], int] = len

    @property
    def name(self) -> str:
        return self.parser.name

    @property
    def context(self) -> str:
        return self.parser.context

    def parse(self, data: bytes | memoryview, offset: int, read_at_us: int) -> Parsed:
        data, offset = skip_mark(data, offset)
        lines = bytes(data).split(b"\n")[:-1]
        first = self._find_heads(lines)
        if len(first) == len(lines):
            return self.parser.parse(data, offset, read_at_us)
        heads = [lines[at] for at in first]
        continuations = [lines[at + 1 : end] for at, end in zip(first, [*first[1:], len(lines)], strict=True)]
        parsed = self.parser.parse(b"".join(head + b"\n" for head in heads), 0, read_at_us)
        starts = _starts_of(lines)
        head_offsets = _HeadOffsets(heads, [starts[at] + offset for at in first])
        parts = [parsed]
        records = _add_lines_to_records(parsed.records, continuations, head_offsets)
        rejects = parsed.rejects
        if self.parser.name == "json" and rejects.num_rows:
            offsets, numbers = head_offsets.find(rejects["line_offset"])
            objects = {
                at: _join_lines(heads[head], continuations[head])
                for at, head in enumerate(numbers)
                if continuations[head]
            }
            whole, fits = self._read_objects(objects, offsets, read_at_us)
            parts.append(whole)
            records = pa.concat_batches([records, whole.records]).sort_by("line_offset")
            left = sorted({*range(rejects.num_rows)} - {*fits})
            rejects = rejects.take(pa.array(left, pa.int64()))
        return Parsed(
            records,
            _add_lines_to_rejects(rejects, continuations, head_offsets),
            rowless=parsed.rowless,
            continued=len(lines) - len(heads),
            before=sum(part.before for part in parts),
            read=sum(part.read for part in parts),
            ambiguous_zones=sum(part.ambiguous_zones for part in parts),
        )

    def _find_heads(self, lines: Sequence[bytes]) -> list[int]:
        """Return the numbers of the lines that begin a record."""
        first: list[int] = []
        is_after_empty = True  # the first line is not a continuation line, nor is a line after an empty record
        for number, (line, is_start) in enumerate(zip(lines, self.mark_starts(lines), strict=True)):
            is_head = is_start or is_after_empty
            if is_head:
                first.append(number)
            is_after_empty = is_head and line in {b"", b"\r"}
        return first

    def _read_objects(
        self, objects: Mapping[int, bytes], offsets: pa.Array, read_at_us: int
    ) -> tuple[Parsed, list[int]]:
        """Return what the objects become, and the number of the object of each record; an object that does not fit has
        no record.

        Args:
            objects: JSON objects by number, each in one line.
            offsets: int64: by number, the offset in bytes of each object in the file.
            read_at_us: the time of records without a time of their own, in microseconds since the epoch.
        """
        numbers, lines = list(objects), list(objects.values())
        parsed = self.parser.parse(b"".join(line + b"\n" for line in lines), 0, read_at_us)
        records = parsed.records
        starts = _starts_of(lines)
        fits = [numbers[bisect_right(starts, at) - 1] for at in view_integers(records["line_offset"])]
        position = RECORDS.get_field_index("line_offset")
        moved = records.set_column(position, RECORDS.field(position), offsets.take(pa.array(fits, pa.int64())))
        return replace(parsed, records=moved), fits


def _join_lines(head: bytes, continuation: Sequence[bytes]) -> bytes:
    """Return the lines of an object as one line. Line breaks become blanks, because JSON allows none in a string."""
    return b" ".join(line.removesuffix(b"\r") for line in (head, *continuation))


class _HeadOffsets:
    """Converts offsets in the text of the first lines alone to offsets in the file."""

    def __init__(self, heads: Sequence[bytes], in_file: Sequence[int]) -> None:
        self._alone = _starts_of(heads)
        self._in_file = in_file

    def find(self, offsets: pa.Array) -> tuple[pa.Array, list[int]]:
        """Return for each offset in the text the offset in the file, and the number of its first line."""
        alone = view_integers(offsets)
        heads = [bisect_right(self._alone, at) - 1 for at in alone]
        in_file = [self._in_file[head] + at - self._alone[head] for at, head in zip(alone, heads, strict=True)]
        return pa.array(in_file, pa.int64()), heads


def _starts_of(lines: Sequence[bytes]) -> list[int]:
    """Return the offset in bytes of each line in the text of all lines, each with a newline."""
    return list(accumulate((len(line) + 1 for line in lines), initial=0))[:-1]


def _add_lines_to_records(
    records: pa.RecordBatch, continuations: Sequence[Sequence[bytes]], head_offsets: _HeadOffsets
) -> pa.RecordBatch:
    offsets, heads = head_offsets.find(records["line_offset"])
    texts = [b"\n".join(continuations[head]).decode("utf-8", "replace") for head in heads]
    messages = [
        "\n".join(filter(None, (message, text))) or None
        for message, text in zip(records["message"].to_pylist(), texts, strict=True)
    ]
    changed = {"line_offset": offsets, "message": pa.array(messages, pa.string())}
    return pa.RecordBatch.from_arrays([changed.get(name, records[name]) for name in RECORDS.names], schema=RECORDS)


def _add_lines_to_rejects(
    rejects: pa.RecordBatch, continuations: Sequence[Sequence[bytes]], head_offsets: _HeadOffsets
) -> pa.RecordBatch:
    offsets, heads = head_offsets.find(rejects["line_offset"])
    lines = [
        b"\n".join((line, *continuations[head])) for line, head in zip(rejects["line"].to_pylist(), heads, strict=True)
    ]
    columns = [offsets, rejects["reason"], pa.array(lines, pa.binary())]
    return pa.RecordBatch.from_arrays(columns, schema=REJECTS)
