"""The format of a file, and its parser."""

from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.ansi import remove_colours
from puppylog.formats.base import Format, Options
from puppylog.formats.dating import Dating
from puppylog.formats.file.definition import Definition, read_definition
from puppylog.formats.file.heads import find_heads, split_records
from puppylog.formats.file.matching import read_records
from puppylog.formats.line_format import parse_lines
from puppylog.formats.lines import Lines
from puppylog.formats.record_times import RecordTimes
from puppylog.formats.regex.mismatch import find_mismatch
from puppylog.formats.rows import Rows
from puppylog.model.record import Parsed

_FIRST_BYTES = 64 << 10  # the part of the lines in which the last head is searched first


@dataclass(frozen=True, slots=True)
class FileFormat:
    """Implements `puppylog.formats.base.Format`."""

    definition: Definition
    options: Options = field(default_factory=Options)

    @property
    def name(self) -> str:
        return self.definition.name

    @property
    def joins(self) -> bool:
        """Whether a line that does not begin a record continues the record before."""
        return self.definition.begins is not None and self.options.joins_lines

    def open(self, context: str = "", modified_at_us: int | None = None) -> "FileParser":
        rest, times = RecordTimes.open(context)
        return FileParser(self, Dating.open(rest, self.options.year, modified_at_us), times)

    def find_mismatch(self, line: str) -> int:
        """Return the offset of the first character of a rejected line that does not match the best pattern."""
        reason = next(iter(self.open().parse(f"{line}\n".encode(), 0, 0).rejects["reason"].to_pylist()), "")
        place = 0
        for pattern in self.definition.patterns:
            name = next((name for name in pattern.names if f": {name} is " in reason), "")
            place = max(place, find_mismatch(pattern.regex.partition(f"(?P<{name}>")[0], line))
        return place


def read_format_file(path: Path | Traversable, options: Options = Options()) -> Format:  # noqa: B008 - frozen
    """Return the format that a file defines.

    Args:
        path: the file.
        options: how stamps without a zone or a year are read.

    Raises:
        UsageError: the file cannot be read.
        ConfigurationError: the file has a fault.
    """
    return make_format(read_definition(path), options)


def make_format(definition: Definition, options: Options) -> Format:
    """Return the format of a definition."""
    if definition.layout is not None:
        return definition.layout.make_format(definition.name, options.zone)
    return FileFormat(definition, options)


@dataclass(frozen=True, slots=True)
class FileParser:
    """Implements `puppylog.formats.base.Parser`.

    Its context is what `Dating` keeps of the stamps, and the context of `RecordTimes`.
    """

    format: FileFormat
    dating: Dating
    times: RecordTimes

    @property
    def name(self) -> str:
        return self.format.name

    @property
    def context(self) -> str:
        return self.times.extend(self.dating.context)

    def parse(self, data: bytes | memoryview, offset: int, read_at_us: int) -> Parsed:
        return parse_lines(self._read, data, offset, read_at_us, self.format.options.zone, times=self.times)

    def find_last_start(self, lines: bytes) -> int:
        """Return the offset at which the last record begins that may still go on; see `Parser`."""
        begins = self.format.definition.begins
        if begins is None or not self.format.joins:
            return len(lines)
        size = _FIRST_BYTES
        while lines:
            start = 0 if size >= len(lines) else lines.find(b"\n", len(lines) - size) + 1
            text = remove_colours(lines[start:])  # this removes no newline
            part = Lines.split(str(text, "utf-8", "replace").encode(), pa.string())
            heads = pc.indices_nonzero(find_heads(part.texts, begins, self.format.definition.not_after))
            if len(heads):
                left = len(part.texts) - heads[-1].as_py()
                return _find_line_from_end(lines, left)
            if start == 0:
                return -1
            size *= 8
        return 0

    def _read(self, text: bytes | memoryview) -> Rows:
        definition = self.format.definition
        begins = definition.begins if self.format.joins else None
        records = split_records(text, begins, definition.skip, definition.not_after)
        return read_records(records, definition, self.dating)


def _find_line_from_end(lines: bytes, count: int) -> int:
    """Return the offset of the line that is the first of the last ``count`` lines."""
    at = len(lines)
    for _ in range(count):
        at = lines.rfind(b"\n", 0, at - 1) + 1
    return at
