"""Records of several lines, such as a message with its stack trace.

The first line is read in a format; the others are added to its message, or become it where the format has none. In
JSON, a first line that does not fit alone is read once more together with the others: an object may take several lines.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TypeAlias

import pyarrow as pa

from puppylog.formats.base import Format, Parser
from puppylog.formats.byte_order_mark import skip_mark
from puppylog.formats.integers import view_integers
from puppylog.model.record import RECORDS, REJECTS, Parsed

MarkStarts: TypeAlias = Callable[[Sequence[bytes]], Sequence[bool]]
"""Says of each line whether it begins a record."""


@dataclass(frozen=True, slots=True)
class Multiline:
    """A `puppylog.formats.base.Format` over another one."""

    format: Format
    mark_starts: MarkStarts

    @property
    def name(self) -> str:
        return self.format.name

    def open(self, context: str = "", modified_at_us: int | None = None) -> "MultilineParser":
        return MultilineParser(self.format.open(context, modified_at_us), self.mark_starts)

    def find_mismatch(self, line: str) -> int:
        return self.format.find_mismatch(line)


@dataclass(frozen=True, slots=True)
class MultilineParser:
    """A `puppylog.formats.base.Parser`; ``data`` must begin and end where records do, as far as that is known."""

    parser: Parser
    mark_starts: MarkStarts

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
        rests = [lines[at + 1 : end] for at, end in zip(first, [*first[1:], len(lines)], strict=True)]
        parsed = self.parser.parse(b"".join(head + b"\n" for head in heads), 0, read_at_us)
        starts = _starts_of(lines)
        places = _Places(heads, [starts[at] + offset for at in first])
        rowless = parsed.rowless + len(lines) - len(heads)
        records = _extend(parsed.records, rests, places)
        rejects = parsed.rejects
        if self.parser.name == "json" and rejects.num_rows:
            offsets, numbers = places.of(rejects["line_offset"])
            objects = {at: _join_lines(heads[head], rests[head]) for at, head in enumerate(numbers) if rests[head]}
            whole, fits = self._read_objects(objects, offsets, read_at_us)
            records = pa.concat_batches([records, whole]).sort_by("line_offset")
            left = sorted({*range(rejects.num_rows)} - {*fits})
            rejects = rejects.take(pa.array(left, pa.int64()))
        return Parsed(records, _lengthen(rejects, rests, places), rowless=rowless)

    def _find_heads(self, lines: Sequence[bytes]) -> list[int]:
        """Return the numbers of the lines that begin a record."""
        first: list[int] = []
        is_after_empty = True  # the first line continues nothing, and an empty line is continued by nothing
        for number, (line, is_start) in enumerate(zip(lines, self.mark_starts(lines), strict=True)):
            is_head = is_start or is_after_empty
            if is_head:
                first.append(number)
            is_after_empty = is_head and line in {b"", b"\r"}
        return first

    def _read_objects(
        self, objects: Mapping[int, bytes], offsets: pa.Array, read_at_us: int
    ) -> tuple[pa.RecordBatch, list[int]]:
        """Read objects, each in one line, by their numbers; return the records at their offsets, and which they are."""
        numbers, lines = list(objects), list(objects.values())
        records = self.parser.parse(b"".join(line + b"\n" for line in lines), 0, read_at_us).records
        starts = _starts_of(lines)
        fits = [numbers[bisect_right(starts, at) - 1] for at in view_integers(records["line_offset"])]
        position = RECORDS.get_field_index("line_offset")
        return records.set_column(position, RECORDS.field(position), offsets.take(pa.array(fits, pa.int64()))), fits


def _join_lines(head: bytes, rest: Sequence[bytes]) -> bytes:
    """Return an object of several lines in one. Line breaks become blanks: within a string they would not be JSON."""
    return b" ".join(line.removesuffix(b"\r") for line in (head, *rest))


class _Places:
    """Where the first lines stand, alone and in their file."""

    def __init__(self, heads: Sequence[bytes], in_file: Sequence[int]) -> None:
        self._alone = _starts_of(heads)
        self._in_file = in_file

    def of(self, offsets: pa.Array) -> tuple[pa.Array, list[int]]:
        """Return the offsets in the file, and which first line each is in."""
        alone = view_integers(offsets)
        heads = [bisect_right(self._alone, at) - 1 for at in alone]
        in_file = [self._in_file[head] + at - self._alone[head] for at, head in zip(alone, heads, strict=True)]
        return pa.array(in_file, pa.int64()), heads


def _starts_of(lines: Sequence[bytes]) -> list[int]:
    """Return where each line starts in the lines joined by newlines, in bytes."""
    return list(accumulate((len(line) + 1 for line in lines), initial=0))[:-1]


def _extend(records: pa.RecordBatch, rests: Sequence[Sequence[bytes]], places: _Places) -> pa.RecordBatch:
    offsets, heads = places.of(records["line_offset"])
    texts = [b"\n".join(rests[head]).decode("utf-8", "replace") for head in heads]
    messages = [
        "\n".join(filter(None, (message, text))) or None
        for message, text in zip(records["message"].to_pylist(), texts, strict=True)
    ]
    changed = {"line_offset": offsets, "message": pa.array(messages, pa.string())}
    return pa.RecordBatch.from_arrays([changed.get(name, records[name]) for name in RECORDS.names], schema=RECORDS)


def _lengthen(rejects: pa.RecordBatch, rests: Sequence[Sequence[bytes]], places: _Places) -> pa.RecordBatch:
    offsets, heads = places.of(rejects["line_offset"])
    lines = [b"\n".join((line, *rests[head])) for line, head in zip(rejects["line"].to_pylist(), heads, strict=True)]
    columns = [offsets, rejects["reason"], pa.array(lines, pa.binary())]
    return pa.RecordBatch.from_arrays(columns, schema=REJECTS)
