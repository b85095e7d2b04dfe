"""The format ``app`` and its parser, which uses the reader in C, or the reader in Python."""

from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Final

from puppylog.formats import native
from puppylog.formats.app import add_records
from puppylog.formats.base import Options
from puppylog.formats.calendar import Calendar
from puppylog.formats.dating import Dating, Order
from puppylog.formats.last_start import find_last_start
from puppylog.formats.line_format import parse_lines
from puppylog.formats.named_zones import resolve_rows
from puppylog.formats.record_times import RecordTimes
from puppylog.formats.rows import Rows, RowsBuilder, rows_from_buffers
from puppylog.model.record import Parsed

_NAME: Final = "app"


@dataclass(frozen=True, slots=True)
class App:
    """Implements `puppylog.formats.base.Format`."""

    options: Options
    name: str = _NAME

    def open(self, context: str = "", modified_at_us: int | None = None) -> "AppParser":
        rest, times = RecordTimes.open(context)
        return AppParser(self.options, Dating.open(rest, self.options.year, modified_at_us), times)

    def find_mismatch(self, line: str) -> int:  # noqa: ARG002 - the protocol's; the format rejects no line
        return 0


@dataclass(frozen=True, slots=True)
class AppParser:
    """Implements `puppylog.formats.base.Parser`.

    Its context is the context of `Dating`, and the context of `RecordTimes`.
    """

    options: Options
    dating: Dating
    times: RecordTimes
    name: str = _NAME

    @property
    def context(self) -> str:
        return self.times.extend(self.dating.context)

    def parse(self, data: bytes | memoryview, offset: int, read_at_us: int) -> Parsed:
        def read(text: bytes | memoryview) -> Rows:
            return resolve_rows(read_app(text, self.dating, joins=self.options.joins_lines))

        return parse_lines(read, data, offset, read_at_us, self.options.zone, times=self.times)

    def find_last_start(self, lines: bytes) -> int:
        if not self.options.joins_lines:
            return len(lines)
        return find_last_start(partial(read_app, dating=deepcopy(self.dating)), lines)


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
    known = dating.calendar if dating.calendar is not None else Calendar(0, 0)
    given = (known.year, known.month, known.day, known.is_fixed, int(dating.order), joins)
    rows, known.year, known.month, known.day, order = native.lines.app(text, *given)
    dating.order = Order(order)
    return rows_from_buffers(rows, ())
