"""Formats of container runtimes, whose messages may take several lines, and may be divided into parts.

A reader joins the lines of a message to a record (see `container_lines`), but cannot read a record, such as JSON, in a
message of several parts, and a part may end within a character. So where a reader finds parts, the lines are written
again with each such message on one line, and read again. Few lines are longer than the 16 KiB of a part.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise
from typing import TypeAlias

import pyarrow as pa

from puppylog.formats.ansi import remove_colours
from puppylog.formats.base import Parser
from puppylog.formats.byte_order_mark import skip_mark
from puppylog.formats.container_lines import ContainerLine
from puppylog.formats.integers import view_integers
from puppylog.formats.json_objects import JsonFormat
from puppylog.formats.line_format import LineFormat
from puppylog.formats.rows import MAX_RECORD_BYTES, MAX_RECORD_LINES
from puppylog.model.record import Parsed, join_parsed

ReadContainerLine: TypeAlias = Callable[[str], ContainerLine | None]
"""A function that returns a line of a container, or None if the line is none."""

JoinParts: TypeAlias = Callable[[Sequence[bytes]], bytes | None]
"""A function that returns the lines of a message of several parts as one line, or None if it cannot join them."""


@dataclass(frozen=True, slots=True)
class ContainerFormat:
    """Implements `puppylog.formats.base.Format` with a format whose reader joins the lines of containers."""

    lines: LineFormat | JsonFormat
    read_line: ReadContainerLine
    parts: re.Pattern[bytes]
    """Matches at the start of lines that may be a part and not the last one."""
    join_parts: JoinParts

    @property
    def name(self) -> str:
        return self.lines.name

    def open(self, context: str = "", modified_at_us: int | None = None) -> "ContainerParser":
        return ContainerParser(self, self.lines.open(context, modified_at_us))

    def may_fit(self, sample: bytes) -> bool:
        return self.lines.may_fit(sample)

    def find_mismatch(self, line: str) -> int:
        return self.lines.find_mismatch(line)

    def count_continuations(self, lines: bytes) -> int:
        """Return how many of these lines continue the line before them."""
        read = [_read_line(self, line) for line in lines.split(b"\n")]
        return sum(before is not None and now is not None and now.continues(before) for before, now in pairwise(read))


@dataclass(slots=True)
class ContainerParser:
    """Implements `puppylog.formats.base.Parser`."""

    format: ContainerFormat
    parser: Parser
    _last: ContainerLine | None = None  # the last line of the last call of `find_last_start`

    @property
    def name(self) -> str:
        return self.parser.name

    @property
    def context(self) -> str:
        return self.parser.context

    def parse(self, data: bytes | memoryview, offset: int, read_at_us: int) -> Parsed:
        before = self.parser.context
        parsed = self.parser.parse(data, offset, read_at_us)
        if not parsed.parts:
            return parsed
        data, offset = skip_mark(data, offset)
        sections = _join_messages(self.format, bytes(data))
        if not any(section.continued for section in sections):
            return parsed
        self.parser = parser = self.format.lines.open(before)
        return join_parsed([_place(parser.parse(each.text, 0, read_at_us), each, offset) for each in sections])

    def find_last_start(self, lines: bytes) -> int:
        previous = self._last
        end = len(lines)
        now, at = self._read_message(lines, end, previous)
        self._last = now
        if now is None:
            return self.parser.find_last_start(lines)
        is_complete = now.is_json and not now.is_part
        while True:
            before, start = self._read_message(lines, at, previous)
            if before is None or not now.continues(before):
                return end if is_complete else at
            if not at:
                return -1
            now, at, is_complete = before, start, False

    def _read_message(self, lines: bytes, end: int, previous: ContainerLine | None) -> tuple[ContainerLine | None, int]:
        """Return the line that ends at an offset, with the text of the parts that it continues, and where these begin.

        Whether the next line continues the message depends on the whole text: its last part may look like JSON, or its
        first part like a line of a stack trace. ``previous`` is the message before the lines.
        """
        if not end:
            return previous, 0
        at = _find_line(lines, end)
        now = message = _read_line(self.format, lines[at:end])
        while now is not None and message is not None:
            start = _find_line(lines, at)
            before = _read_line(self.format, lines[start:at]) if at else previous
            if before is None or not before.is_part or not now.continues(before):
                break
            message = replace(message, text=before.text + message.text)
            if not at:
                break
            now, at = before, start
        return message, at


def _find_line(lines: bytes, end: int) -> int:
    """Return the offset of the line that ends at the offset ``end``, after its newline."""
    return lines.rfind(b"\n", 0, max(end - 1, 0)) + 1


def _read_line(format_: ContainerFormat, line: bytes) -> ContainerLine | None:
    text = remove_colours(bytes(skip_mark(line, 0)[0])).removesuffix(b"\n").removesuffix(b"\r")
    return format_.read_line(text.decode("utf-8", "replace"))


@dataclass(slots=True)
class _Section:
    """Lines with each message of several parts on one line."""

    runs: list[bytes] = field(default_factory=list)  # unchanged lines, or a message on one line
    starts: list[int] = field(default_factory=list)  # where each run begins in the data
    continued: int = 0  # the number of lines that were joined to the line before

    def add(self, start: int, run: bytes) -> None:
        self.starts.append(start)
        self.runs.append(run)

    @property
    def text(self) -> bytes:
        return b"".join(self.runs)

    def find_in_data(self, at: Sequence[int]) -> list[int]:
        """Return the offsets in the data of lines, for their offsets in the text of all runs."""
        ends = list(accumulate(map(len, self.runs)))
        places = [bisect_right(ends, one) for one in at]
        return [
            self.starts[place] + one - ends[place] + len(self.runs[place])
            for place, one in zip(places, at, strict=True)
        ]


def _join_messages(format_: ContainerFormat, data: bytes) -> list[_Section]:
    """Write the lines with each message of several parts on one line.

    A section ends after a message that has the most lines or bytes, so that no further line is joined to it.
    """
    sections = [_Section()]
    done = 0
    for found in format_.parts.finditer(data):
        if (start := found.start()) < done:
            continue
        lines, is_full = _list_parts(format_, data, start)
        line = format_.join_parts(lines) if len(lines) > 1 else None
        if line is None:
            continue
        sections[-1].add(done, data[done:start])
        sections[-1].add(start, line + b"\n")
        sections[-1].continued += len(lines) - 1
        done = start + sum(len(line) + 1 for line in lines)
        if is_full:
            sections.append(_Section())
    sections[-1].add(done, data[done:])
    return sections


def _list_parts(format_: ContainerFormat, data: bytes, start: int) -> tuple[list[bytes], bool]:
    """Return the lines of the message that begins at an offset, without their newlines, and whether it is full."""
    end = data.index(b"\n", start)
    lines = [data[start:end]]
    before = _read_line(format_, lines[0])
    while before is not None and before.is_part and (at := end + 1) < len(data):
        if len(lines) >= MAX_RECORD_LINES or at - start >= MAX_RECORD_BYTES:
            return lines, True
        end = data.index(b"\n", at)
        now = _read_line(format_, data[at:end])
        if now is None or not now.continues(before):
            break
        lines.append(data[at:end])
        before = now
    return lines, False


def _place(parsed: Parsed, section: _Section, offset: int) -> Parsed:
    """Return rows of the text of a section as rows of the data, which starts at an offset in bytes in its file."""

    def place(rows: pa.RecordBatch) -> pa.RecordBatch:
        position = rows.schema.get_field_index("line_offset")
        offsets = [at + offset for at in section.find_in_data(view_integers(rows["line_offset"]))]
        return rows.set_column(position, rows.schema.field(position), pa.array(offsets, pa.int64()))

    return replace(
        parsed,
        records=place(parsed.records),
        rejects=place(parsed.rejects),
        continued=parsed.continued + section.continued,
        joined_runs=[(section.find_in_data([at])[0] + offset, size) for at, size in parsed.joined_runs],
    )
