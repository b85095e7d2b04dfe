"""The format ``csv``: tables with a header, whose delimiter is a comma, a semicolon, a tab or a bar."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.base import Format, Options
from puppylog.formats.csv.header import Header, read_header
from puppylog.formats.csv.parser import TableFormat
from puppylog.formats.csv.table import Columns, Table, make_definition

_DEFINITION: Final = make_definition("csv", {})
_FIRST_LINES: Final = 20  # among which the header is, after comments and blank lines


@dataclass(frozen=True, slots=True)
class CsvDialect:
    """Implements `puppylog.formats.csv.parser.Dialect`."""

    must_name_record: bool = False
    """Whether only a header that names a time or a message counts: for `auto`, which must not guess."""
    name: str = "csv"

    def read_header(self, line: str) -> Header | None:
        header = read_header(line)
        return None if header is None or (self.must_name_record and not header.names_record) else header

    def find_headers(self, data: bytes, header: Header | None) -> Sequence[tuple[int, Header]]:
        found: list[tuple[int, Header]] = []
        if header is None:
            first = self._find_first(data)
            if first is None:
                return ()
            found, header = [first], first[1]
        at = found[0][0] if found else -1
        while (at := _find_line(data, header, at + 1)) >= 0:
            other = _read_other(_line_at(data, at), header)
            if other is not None:
                found.append((at, other))
                header = other
        return found

    def find_directives(self, texts: pa.Array, header: Header | None) -> pa.Array:
        if header is None:
            return pc.starts_with(texts, "#")
        return pc.equal(texts, header.line)

    def make_table(self, header: Header) -> Table:
        return Table(Columns.of_header(header), header.delimiter, _DEFINITION)

    def _find_first(self, data: bytes) -> tuple[int, Header] | None:
        """Return the first line that is not a comment, if it is a header; a comment may be the header, too."""
        at = 0
        for _ in range(_FIRST_LINES):
            if at >= len(data):
                break
            line = _line_at(data, at)
            header = self.read_header(line)
            is_comment = line.startswith("#")
            if header is not None and (not is_comment or header.names_record):
                return at, header
            if line.strip() and not is_comment:
                break
            at = data.index(b"\n", at) + 1
        return None


def make_csv(options: Options, *, must_name_record: bool = False) -> Format:
    """Return the format; see `CsvDialect` for ``must_name_record``."""
    return TableFormat(CsvDialect(must_name_record), options)


def _read_other(line: str, header: Header) -> Header | None:
    """Return the header that a line is, if it differs from ``header`` and shares most of the names."""
    other = None if line == header.line else read_header(line)
    shared = 0 if other is None else len({*other.names} & {*header.names})
    return other if 2 * shared > len(header.names) else None


def _find_line(data: bytes, header: Header, start: int) -> int:
    """Return the offset of the first line at or after ``start`` that begins like a header; -1 if there is none."""
    key = f"{header.first_field}{header.delimiter}".encode()
    if start == 0 and data.startswith(key):
        return 0
    found = data.find(b"\n" + key, max(start - 1, 0))
    return found + 1 if found >= 0 else -1


def _line_at(data: bytes, at: int) -> str:
    return data[at : data.index(b"\n", at)].decode("utf-8", "replace").removesuffix("\r")
