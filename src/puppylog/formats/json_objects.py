"""The format ``json``: an object on each line, or on several lines.

An object of several lines begins with a line that begins with ``{``, does not end with ``}``, and does not end within a
string: such a line was cut off, because a string has no newline. The object ends with a line that begins with ``}``, or
before a line that begins with ``{``. Other lines stand alone, so that a line that is not JSON is rejected by itself.
Lines are read one by one first; only if an object is left open there, they are read together.
"""

import re
from dataclasses import dataclass, replace

import pyarrow as pa

from puppylog.formats.byte_order_mark import skip_mark
from puppylog.formats.line_format import LineFormat, LineParser
from puppylog.formats.record_times import RecordTimes
from puppylog.model.record import REJECTS, Parsed

_ESCAPED = re.compile(rb"\\.", re.DOTALL)
_INNER = (b" ", b"\t", b'"', b"]", b"}", b",")  # a line within an object begins with one of these


@dataclass(frozen=True, slots=True)
class JsonFormat:
    """Implements `puppylog.formats.base.Format`."""

    lines: LineFormat

    @property
    def name(self) -> str:
        return self.lines.name

    def open(self, context: str = "", modified_at_us: int | None = None) -> "JsonParser":  # noqa: ARG002 - the protocol's
        return JsonParser(LineParser(self.lines, RecordTimes.open(context)[1]))

    def may_fit(self, sample: bytes) -> bool:
        return b"{" in sample

    def find_mismatch(self, line: str) -> int:
        return self.lines.find_mismatch(line)


@dataclass(slots=True)
class JsonParser:
    """Implements `puppylog.formats.base.Parser` with a parser of single lines."""

    parser: LineParser

    @property
    def name(self) -> str:
        return self.parser.name

    @property
    def context(self) -> str:
        return self.parser.context

    def parse(self, data: bytes | memoryview, offset: int, read_at_us: int) -> Parsed:
        data, offset = skip_mark(data, offset)
        before = self.parser.context
        parsed = self.parser.parse(data, offset, read_at_us)
        if not any(map(_is_open, parsed.rejects["line"].to_pylist())):
            return parsed
        self.parser = LineParser(self.parser.format, RecordTimes.open(before)[1])
        written = bytes(data)
        text, joined = _join_objects(written)
        parsed = self.parser.parse(text, offset, read_at_us)
        rejects = _restore_lines(parsed.rejects, written, offset)
        return replace(parsed, rejects=rejects, continued=parsed.continued + joined)

    def find_last_start(self, lines: bytes) -> int:
        end = len(lines)
        while end > 0:
            start = lines.rfind(b"\n", 0, end - 1) + 1
            if lines.startswith(b"{", start):
                return start if _is_open(lines[start:end]) else len(lines)
            if lines.startswith(b"}", start):
                return len(lines)
            end = start
        return -1 if lines.startswith(_INNER) else len(lines)


def _join_objects(data: bytes) -> tuple[bytes, int]:
    """Return the lines with blanks instead of the newlines within objects, and the number of these newlines."""
    lines = data.split(b"\n")[:-1]
    parts: list[bytes] = []
    joined = 0
    is_open = False
    for line in lines:
        continues = is_open and not line.startswith(b"{")
        joined += continues
        parts += [b" " if continues else b"\n", line]
        is_open = _is_open(line) or (continues and not line.startswith(b"}"))
    return b"".join([*parts[1:], b"\n"]), joined


def _restore_lines(rejects: pa.RecordBatch, data: bytes, offset: int) -> pa.RecordBatch:
    """Return the rejected lines with their newlines."""
    starts = [start - offset for start in rejects["line_offset"].to_pylist()]
    sizes = map(len, rejects["line"].to_pylist())
    lines = [data[start : start + size] for start, size in zip(starts, sizes, strict=True)]
    position = REJECTS.get_field_index("line")
    return rejects.set_column(position, REJECTS.field(position), pa.array(lines, pa.binary()))


def _is_open(line: bytes) -> bool:
    """Return whether the line begins an object that may continue on the next line."""
    if not line.startswith(b"{") or line.rstrip().endswith(b"}"):
        return False
    return _ESCAPED.sub(b"", line).count(b'"') % 2 == 0
