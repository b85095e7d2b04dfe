"""The parser of tables, for every dialect. It keeps the header, and changes it where a line is another header."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.base import Options
from puppylog.formats.byte_order_mark import skip_mark
from puppylog.formats.csv.header import Header
from puppylog.formats.csv.rows import find_toggles, split_rows
from puppylog.formats.csv.table import Table, read_table, reject_rows
from puppylog.formats.dating import Dating
from puppylog.formats.file.heads import without_return
from puppylog.formats.line_format import parse_lines
from puppylog.formats.lines import Lines
from puppylog.formats.record_times import RecordTimes
from puppylog.formats.rows import Rows
from puppylog.model.record import Parsed, join_parsed

_MARK: Final = "\nheader "


class Dialect(Protocol):
    """What differs between kinds of tables."""

    @property
    def name(self) -> str:
        """The name of the format."""

    def read_header(self, line: str) -> Header | None:
        """Return the header that a line is, from the context of a parser; None for other lines."""

    def find_headers(self, data: bytes, header: Header | None) -> Sequence[tuple[int, Header]]:
        """Return the lines at which the header changes, each with its offset in bytes, in the order of the lines.

        Args:
            data: whole lines.
            header: the header before them; None if there is none.
        """

    def find_directives(self, texts: pa.Array, header: Header | None) -> pa.Array:
        """Return for each row whether it makes no record although it is not blank."""

    def make_table(self, header: Header) -> Table:
        """Return how the rows below a header are read."""


@dataclass(frozen=True, slots=True)
class TableFormat:
    """Implements `puppylog.formats.base.Format`."""

    dialect: Dialect
    options: Options

    @property
    def name(self) -> str:
        return self.dialect.name

    def open(self, context: str = "", modified_at_us: int | None = None) -> "TableParser":
        rest, times = RecordTimes.open(context)
        dates, _, line = rest.partition(_MARK)
        header = self.dialect.read_header(line) if line else None
        return TableParser(self, Dating.open(dates, self.options.year, modified_at_us), times, header)

    def is_header(self, lines: bytes) -> bool:
        """Return whether lines have a header, and no row below it yet."""
        headers = self.dialect.find_headers(lines, None)
        return len(headers) == 1 and not lines[headers[0][0] :].partition(b"\n")[2].strip()

    def may_fit(self, sample: bytes) -> bool:
        return bool(self.dialect.find_headers(bytes(skip_mark(sample, 0)[0]), None))

    def find_mismatch(self, line: str) -> int:  # noqa: ARG002 - the protocol's; what fits depends on the header
        return 0


class TableParser:
    """Implements `puppylog.formats.base.Parser`.

    Its context is what `Dating` keeps of the stamps, the header, and the context of `RecordTimes`.
    """

    def __init__(self, format_: TableFormat, dating: Dating, times: RecordTimes, header: Header | None) -> None:
        self._dialect = format_.dialect
        self._zone = format_.options.zone
        self._dating = dating
        self._times = times
        self._set_header(header)

    @property
    def name(self) -> str:
        return self._dialect.name

    @property
    def context(self) -> str:
        header = "" if self._header is None else f"{_MARK}{self._header.line}"
        return self._times.extend(f"{self._dating.context}{header}")

    def parse(self, data: bytes | memoryview, offset: int, read_at_us: int) -> Parsed:
        data, offset = skip_mark(data, offset)
        parts, at = [], 0
        for start, header in self._dialect.find_headers(bytes(data), self._header):
            if start > at:
                parts.append(self._parse(data[at:start], offset + at, read_at_us))
            self._set_header(header)
            at = start
        if at < len(data) or not parts:
            parts.append(self._parse(data[at:], offset + at, read_at_us))
        return join_parsed(parts)

    def find_last_start(self, lines: bytes) -> int:
        """Return the offset at which the last row begins if it may still go on; ``len(lines)`` if it is complete."""
        table = self._table or self._find_table(lines)
        if not lines or table is None or not table.has_quotes:
            return len(lines)
        split = Lines.split(str(lines, "utf-8", "replace").encode(), pa.string())
        opened = None
        for first, last in find_toggles(without_return(split.texts), table.delimiter).iter_pairs():
            opened = (opened or first) if last is None else None
        if opened is None:
            return len(lines)
        at = len(lines)
        for _ in range(len(split.texts) - opened):
            at = lines.rfind(b"\n", 0, at - 1) + 1
        return at

    def _find_table(self, lines: bytes) -> Table | None:
        """Return how the rows below the first header in ``lines`` are read."""
        headers = self._dialect.find_headers(lines, None)
        return self._dialect.make_table(headers[0][1]) if headers else None

    def _set_header(self, header: Header | None) -> None:
        self._header = header
        self._table: Table | None = None if header is None else self._dialect.make_table(header)

    def _parse(self, data: bytes | memoryview, offset: int, read_at_us: int) -> Parsed:
        return parse_lines(self._read, data, offset, read_at_us, self._zone, times=self._times)

    def _read(self, text: bytes | memoryview) -> Rows:
        dialect, header, table = self._dialect, self._header, self._table
        delimiter, has_quotes = (",", False) if table is None else (table.delimiter, table.has_quotes)
        rows = split_rows(text, delimiter, has_quotes=has_quotes)
        is_blank = pc.equal(pc.ascii_trim(rows.texts, " \t\r"), "")
        wanted = pc.invert(pc.or_(is_blank, dialect.find_directives(rows.texts, header)))
        if table is None:
            return reject_rows(rows, wanted, dialect.name, self._dating)
        return read_table(rows, wanted, table, self._dating)
