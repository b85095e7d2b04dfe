"""The format ``zeek``: logs of Zeek and Bro, whose directives name the separator, the fields and their types."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.base import Format, Options
from puppylog.formats.csv.header import Header
from puppylog.formats.csv.parser import TableFormat
from puppylog.formats.csv.table import Columns, Table, make_definition
from puppylog.formats.file.definition import ATTRIBUTES, Cell
from puppylog.formats.file.document import FieldTable
from puppylog.formats.regex.fields import TIME

_DEFINITION: Final = make_definition(
    "zeek", {"Reporter::INFO": "info", "Reporter::WARNING": "warning", "Reporter::ERROR": "error"}
)
_FIELDS: Final = "#fields"
_EMPTY: Final = "(empty)"
_NAMES: Final = {
    "ts": (TIME, "time"),
    "id.orig_h": ("host", "text"),
    "id.orig_p": (ATTRIBUTES, ""),
    "level": ("severity", "severity"),
    "message": ("message", "text"),
    "msg": ("message", "text"),
    "method": ("request_method", "text"),
    "uri": ("request_route", "text"),
    "status_code": ("status_code", "integer"),
    "response_body_len": ("response_bytes", "integer"),
    "referrer": ("referer", "text"),
    "user_agent": ("user_agent", "text"),
    "username": ("ruser", "text"),
}
_KEYS: Final = {"id.orig_p": "client_port"}
_MESSAGES: Final = ("message", "msg")


@dataclass(frozen=True, slots=True)
class ZeekDialect:
    """Implements `puppylog.formats.csv.parser.Dialect`."""

    name: str = "zeek"

    def read_header(self, line: str) -> Header | None:
        """Return the header of the line ``#fields``; the character after it separates the fields."""
        delimiter = line.removeprefix(_FIELDS)[:1]
        if not line.startswith(_FIELDS) or not delimiter:
            return None
        names = line.split(delimiter)[1:]
        return Header(line, delimiter, tuple(names)) if len({*names}) == len(names) else None

    def find_headers(self, data: bytes, header: Header | None) -> Sequence[tuple[int, Header]]:
        found: list[tuple[int, Header]] = []
        at = 0 if data.startswith(_FIELDS.encode()) else data.find(b"\n" + _FIELDS.encode()) + 1
        while at > 0 or (not found and data.startswith(_FIELDS.encode())):
            line = data[at : data.index(b"\n", at)].decode("utf-8", "replace").removesuffix("\r")
            other = self.read_header(line)
            if other is not None and other != header:
                found.append((at, other))
                header = other
            at = data.find(b"\n" + _FIELDS.encode(), at) + 1
            if at == 0:
                break
        return found

    def find_directives(self, texts: pa.Array, header: Header | None) -> pa.Array:  # noqa: ARG002 - the protocol's
        return pc.starts_with(texts, "#")

    def make_table(self, header: Header) -> Table:
        message = next((name for name in _MESSAGES if name in header.names), "")
        cells = []
        for name in header.names:
            column, type_ = _NAMES.get(name, (ATTRIBUTES, ""))
            if name in _MESSAGES and name != message:
                column = ATTRIBUTES
            table = FieldTable(unit="s") if column == TIME else FieldTable()
            cells.append(Cell(name, type_, column, _KEYS.get(name, name), table))
        columns = Columns(header.names, tuple(cells))
        return Table(columns, header.delimiter, _DEFINITION, has_quotes=False, empty=_EMPTY)


def make_zeek(options: Options) -> Format:
    """Return the format."""
    return TableFormat(ZeekDialect(), options)
