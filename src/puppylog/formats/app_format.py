"""The format ``app``, and the parser of formats whose records begin with a stamp of any style."""

from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from puppylog.formats import native
from puppylog.formats.app import add_records
from puppylog.formats.base import Options
from puppylog.formats.dating import Dating, Heads
from puppylog.formats.last_start import find_last_start
from puppylog.formats.line_format import parse_lines
from puppylog.formats.named_zones import resolve_rows
from puppylog.formats.record_times import RecordTimes
from puppylog.formats.rows import Rows, RowsBuilder, rows_from_buffers
from puppylog.model.record import Parsed


class ReadText(Protocol):
    """Returns the rows of a text, whose stamps update the dating."""

    def __call__(self, text: bytes | memoryview, dating: Dating, *, joins: bool) -> Rows:
        """Return the rows."""


@dataclass(frozen=True, slots=True)
class DatedFormat:
    """Implements `puppylog.formats.base.Format` for readers of stamps of every style."""

    name: str
    options: Options
    reader: ReadText

    def open(self, context: str = "", modified_at_us: int | None = None) -> "DatedParser":
        rest, times = RecordTimes.open(context)
        return DatedParser(self, Dating.open(rest, self.options.year, modified_at_us), times)

    def find_mismatch(self, line: str) -> int:  # noqa: ARG002 - the protocol's; these formats reject no line
        return 0


@dataclass(frozen=True, slots=True)
class DatedParser:
    """Implements `puppylog.formats.base.Parser`.

    Its context is the context of `Dating`, and the context of `RecordTimes`.
    """

    format: DatedFormat
    dating: Dating
    times: RecordTimes

    @property
    def name(self) -> str:
        return self.format.name

    @property
    def context(self) -> str:
        return self.times.extend(self.dating.context)

    def parse(self, data: bytes | memoryview, offset: int, read_at_us: int) -> Parsed:
        options = self.format.options

        def read(text: bytes | memoryview) -> Rows:
            return resolve_rows(self.format.reader(text, self.dating, joins=options.joins_lines))

        return parse_lines(read, data, offset, read_at_us, options.zone, times=self.times)

    def find_last_start(self, lines: bytes) -> int:
        if not self.format.options.joins_lines:
            return len(lines)
        return find_last_start(partial(self.format.reader, dating=deepcopy(self.dating), joins=True), lines)


def read_app(text: bytes | memoryview, dating: Dating, *, joins: bool = True) -> Rows:
    """Return the rows of a text; see `puppylog.formats.line_format.Reader`.

    Args:
        text: see `puppylog.formats.line_format.Reader`.
        dating: what the stamps before have shown; is updated.
        joins: whether a line that begins no record continues the record before; otherwise it is a record.
    """
    if native.lines is None:
        builder = RowsBuilder(bytes(text))
        add_records(builder, dating, joins=joins)
        return builder.build()
    rows, *shown, heads = native.lines.app(text, *dating.for_native(), joins, int(dating.heads))
    dating.take(*shown)
    dating.heads = Heads(heads)
    return rows_from_buffers(rows, ())
