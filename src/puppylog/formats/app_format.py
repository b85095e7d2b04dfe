"""The format ``app``, and the class of formats whose records begin with a stamp of any style."""

from dataclasses import dataclass

from puppylog.formats import native
from puppylog.formats.app import add_records
from puppylog.formats.base import Options, Parser
from puppylog.formats.dating import Dating, Heads
from puppylog.formats.named_zones import resolve_rows
from puppylog.formats.record_times import RecordTimes
from puppylog.formats.rows import Rows, RowsBuilder, rows_from_buffers
from puppylog.formats.stamped_parser import ReadText, StampedParser


@dataclass(frozen=True, slots=True)
class DatedFormat:
    """Implements `puppylog.formats.base.Format` for readers of stamps of every style."""

    name: str
    options: Options
    reader: ReadText[Dating]

    def open(self, context: str = "", modified_at_us: int | None = None) -> Parser:
        rest, times = RecordTimes.open(context)
        dating = Dating.open(rest, self.options.year, modified_at_us)
        return StampedParser(self.name, self._read, self.options, dating, times)

    def find_mismatch(self, line: str) -> int:  # noqa: ARG002 - the protocol's; these formats reject no line
        return 0

    def _read(self, text: bytes | memoryview, dating: Dating, *, joins: bool) -> Rows:
        return resolve_rows(self.reader(text, dating, joins=joins))


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
