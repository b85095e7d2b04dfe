"""Turns the fields of records into columns and attributes; each array has one value for each record.

A value that does not fit its column becomes an attribute under the name of its field, so nothing is lost. Only a time
that cannot be read is a reason to reject the record: a wrong time is worse than a rejected line.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.attributes import quote_json
from puppylog.formats.file import texts
from puppylog.formats.file.definition import ATTRIBUTES, Cell, Definition
from puppylog.formats.file.document import FieldTable
from puppylog.formats.file.json_fields import read_json_field
from puppylog.formats.file.pairs import split_pairs
from puppylog.formats.journal.export import read_entry
from puppylog.formats.journal.fields import NAMES as JOURNAL_NAMES
from puppylog.formats.names import ALL_NAMES, NameTable
from puppylog.formats.quoting import quote
from puppylog.formats.regex.fields import TIME, assign_fields
from puppylog.formats.severity import severity_columns
from puppylog.model.record import RECORDS

NULL: Final = pa.scalar(None, pa.string())

_SURE: Final = frozenset({"severity", "message", "host", "ruser"})
"""Columns that a key of pairs fills by its name alone. For other columns the name is no proof of the meaning."""

_NO_TABLE: Final = FieldTable()


class Fields:
    """The columns and attributes of the records that one pattern matches."""

    def __init__(self, definition: Definition, count: int) -> None:
        """Create empty columns.

        Args:
            definition: the format.
            count: the number of records.
        """
        self._definition = definition
        self._count = count
        self._has_message = False
        self.columns: dict[str, pa.Array] = {}
        self.members: dict[str, pa.Array] = {}  # attributes by name: JSON values or nulls
        self.objects: list[pa.Array] = []  # more attributes: the contents of JSON objects, or nulls
        self.stamps: pa.Array | None = None  # strings; null where the record has no stamp
        self.time_cell: Cell | None = None
        self.instants: tuple[pa.Array, pa.Array] | None = None  # of a field of type json: ts_us and is_local

    def read(self, values: Mapping[str, pa.Array], cells: Sequence[Cell]) -> None:
        """Fill the columns from the groups of a pattern.

        Args:
            values: the texts of each group by its name; the text of a group that matched nothing is empty.
            cells: what each group becomes.
        """
        self._has_message = any(cell.column == "message" for cell in cells)
        for cell in cells:
            if cell.name in values:
                text = values[cell.name]
            else:
                text = pc.binary_join_element_wise(*(values[group] for group in cell.table.groups), " ")
            self._read_cell(cell, text)
        self._add_constants()

    def _read_cell(self, cell: Cell, values: pa.Array) -> None:
        if cell.column == TIME:
            self._set_stamps(cell, values)
        else:
            readers: Mapping[str, Callable[[Cell, pa.Array], None]] = {
                "bytes": self._read_bytes,
                "duration": self._read_duration,
                "host": self._read_host,
                "integer": self._read_integer,
                "journal": self._read_journal,
                "json": self._read_json,
                "number": self._read_number,
                "pairs": self._read_pairs,
                "quoted": self._read_quoted,
                "request": self._read_request,
                "severity": self._read_severity,
            }
            readers.get(cell.type, self._read_text)(cell, values)

    def _set_stamps(self, cell: Cell, values: pa.Array) -> None:
        self.time_cell = cell
        self.stamps = values

    def _read_text(self, cell: Cell, values: pa.Array) -> None:
        if cell.column == "message":
            self._fill(cell.column, texts.null_if_empty(values))
        elif cell.column in {"status_code", "response_bytes"}:
            self._read_integer(cell, values)
        elif cell.column != ATTRIBUTES:
            self._fill(cell.column, texts.null_if_unknown(values))
        elif cell.type:
            self._add(cell.key, quote_json(texts.null_if_empty(values)))
        else:
            self._add(cell.key, texts.to_json(texts.null_if_unknown(values)))

    def _read_quoted(self, cell: Cell, values: pa.Array) -> None:
        self._read_text(cell, texts.unquote(values))

    def _read_integer(self, cell: Cell, values: pa.Array) -> None:
        self._fill_number(cell, values, texts.read_integers(texts.null_if_unknown(values)))

    def _read_bytes(self, cell: Cell, values: pa.Array) -> None:
        self._fill_number(cell, values, texts.read_sizes(texts.null_if_unknown(values)))

    def _fill_number(self, cell: Cell, values: pa.Array, numbers: pa.Array) -> None:
        """Fill a numeric column or an attribute with int64. A text that is no such number becomes an attribute."""
        if cell.column == "status_code":
            in_range = pc.and_(pc.greater_equal(numbers, -(1 << 15)), pc.less(numbers, 1 << 15))
            numbers = pc.if_else(in_range, numbers, None)
        if cell.column == ATTRIBUTES:
            self._add(cell.key, numbers.cast(pa.string()))
        else:
            self._fill(cell.column, numbers.cast(RECORDS.field(cell.column).type))
        self._keep_unread(cell, texts.null_if_unknown(values), numbers)

    def _read_number(self, cell: Cell, values: pa.Array) -> None:
        known = texts.null_if_unknown(values)
        self._add(cell.key, texts.to_json(known))

    def _read_duration(self, cell: Cell, values: pa.Array) -> None:
        known = texts.null_if_unknown(values)
        milliseconds = texts.read_durations(known, cell.table.unit)
        key = cell.table.name or (cell.key if cell.key.endswith("_ms") else f"{cell.key}_ms")
        self._add(key, texts.write_numbers(milliseconds))
        self._keep_unread(cell, known, milliseconds)

    def _read_host(self, cell: Cell, values: pa.Array) -> None:
        hosts, ports, forwarded = texts.split_hosts(texts.null_if_unknown(values))
        is_client = cell.column == "host"
        if cell.column == ATTRIBUTES:
            self._add(cell.key, quote_json(hosts))
        else:
            self._fill(cell.column, hosts)
        self._add("client_port" if is_client else f"{cell.key}_port", ports)
        self._add("forwarded_for" if is_client else f"{cell.key}_list", quote_json(forwarded))

    def _read_request(self, cell: Cell, values: pa.Array) -> None:
        method, route, proto, garbage = texts.split_requests(texts.null_if_unknown(values))
        for column, found in (("request_method", method), ("request_route", route), ("request_proto", proto)):
            self._fill(column, found)
        if self._has_message:
            self._add(cell.key, quote_json(garbage))
        else:
            self._fill("message", garbage)

    def _read_severity(self, cell: Cell, values: pa.Array) -> None:
        encoded = texts.null_if_empty(pc.ascii_trim_whitespace(values)).dictionary_encode()
        words: list[str | None] = []
        written: list[str | None] = []
        unread: list[str | None] = []
        for text in encoded.dictionary.to_pylist():
            word, member = self._find_severity(text)
            words.append(word)
            written.append(member)
            unread.append(quote(text) if word is None else None)
        for column, found in (("severity_text", written), (cell.key, unread)):
            self._add(column, pa.array(found, pa.string()).take(encoded.indices))
        self._fill("severity", pa.array(words, pa.string()).take(encoded.indices))

    def _find_severity(self, text: str) -> tuple[str | None, str | None]:
        """Return the word of the scale, and the JSON of the written word if that is kept."""
        word = self._definition.document.severity.get(text)
        if word is None:
            word, members = severity_columns(text.strip("[]<>(): "))
            return word, members[0][1] if members else None
        is_word = text.isalpha() and len(text) > 1 and text.lower() != word
        return word, quote(text) if is_word else None

    def _read_pairs(self, cell: Cell, values: pa.Array) -> None:
        found = split_pairs(values, cell.table.separator)
        cells = self._cells_of_keys(found.keys)
        for key, inner in cells.items():
            self._read_cell(inner, found.get(key).fill_null(""))
        self.objects.append(found.write_members({*cells, *self.members}))
        if found.rest is not None:
            self._add(cell.key, quote_json(found.rest))

    def _cells_of_keys(self, keys: Sequence[str]) -> dict[str, Cell]:
        """Return what the keys of pairs become that do not become attributes as they are."""
        declared = {key: self._definition.cells[key] for key in keys if key in self._definition.cells}
        filled = {*self.columns, *(cell.column for cell in declared.values())}
        named = {}
        for column, key in assign_fields([key for key in keys if key not in declared]).items():
            if column in _SURE and column not in filled:
                named[key] = Cell(key, column if column in {"severity", "host"} else "", column, key, _NO_TABLE)
        return declared | named

    def _read_journal(self, cell: Cell, values: pa.Array) -> None:
        lines = [read_entry(text).decode().removesuffix("\n") for text in values.to_pylist()]
        self._read_json(cell, pa.array(lines, pa.string()), JOURNAL_NAMES)

    def _read_json(self, cell: Cell, values: pa.Array, names: NameTable = ALL_NAMES) -> None:
        found = read_json_field(values, names)
        for name, column in found.columns.items():
            self._fill(name, column)
        self.objects.append(found.members)
        self._add(cell.key, quote_json(found.unread))
        if self.stamps is None:
            self.instants = found.ts_us, found.is_local

    def _keep_unread(self, cell: Cell, values: pa.Array, read: pa.Array) -> None:
        self._add(cell.key, quote_json(pc.if_else(read.is_null(), values, NULL)))

    def _fill(self, column: str, values: pa.Array) -> None:
        """Fill a column where it is null."""
        before = self.columns.get(column)
        self.columns[column] = values if before is None else pc.coalesce(before, values)

    def _add(self, key: str, values: pa.Array) -> None:
        """Add an attribute where it is null."""
        if values.null_count == len(values):
            return
        before = self.members.get(key)
        self.members[key] = values if before is None else pc.coalesce(before, values)

    def _add_constants(self) -> None:
        for name, value in self._definition.document.constants.items():
            if name in RECORDS.names:
                constant = pa.scalar(value).cast(RECORDS.field(name).type)
                self._fill(name, pa.repeat(constant, self._count))
            else:
                self._add(name, pa.repeat(write_json(value), self._count))


def write_json(value: str | float | bool) -> str:
    """Return a constant as JSON."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return quote(value) if isinstance(value, str) else repr(value)
