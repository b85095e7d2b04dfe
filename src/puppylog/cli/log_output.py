"""How ``puppylog logs`` writes records: as lines for people, one field per line, or in one of the other formats."""

import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import tzinfo
from typing import Final, Protocol, TextIO

import pyarrow as pa

from puppylog.cli.log_columns import Column, Origins, select_columns
from puppylog.cli.output import open_writer
from puppylog.cli.values import plain_rows, text_of
from puppylog.cli.writers.base import Writer
from puppylog.model.stream import name_source
from puppylog.settings import Settings
from puppylog.tui.fields import DIM, Row, iter_attributes
from puppylog.tui.records import localize
from puppylog.tui.runs import Run, paint
from puppylog.tui.vertical import VerticalLayout

_ROWS: Final = 2048  # rows that are written at a time
_BREAK: Final = "--"
# The columns of a record with one field per line, behind its time and its source, and before its attributes.
_VERTICAL: Final = (
    *("line_offset", "host", "ident", "ruser", "request_method", "request_route", "request_proto"),
    *("status_code", "response_bytes", "referer", "user_agent", "severity", "message"),
)


class RecordPrinter(Protocol):
    """Writes several tables of records as one answer. `close` writes the end of the answer; it must be called once."""

    def write(self, records: pa.Table, breaks: Collection[int] = ()) -> None:
        """Write records.

        Args:
            records: with the columns of ``log_records``; with context also ``is_match``.
            breaks: the numbers of the rows before which lines of the file are left out.
        """

    def close(self) -> None: ...


class Drawer(Protocol):
    """Draws records as lines of text."""

    def prepare(self, rows: Sequence[Row]) -> None:
        """Fit the widths of columns to the rows that are drawn next."""

    def draw(self, row: Row, *, is_context: bool = False) -> Iterator[str]:
        """Yield the lines of a record."""


class TablePrinter:
    """Writes rows in the format of the settings: all columns of the records, or those that were asked for."""

    def __init__(self, settings: Settings, columns: Sequence[Column] | None, origins: Origins) -> None:
        self._settings, self._columns, self._origins = settings, columns, origins
        self._writer: Writer | None = None

    def write(self, records: pa.Table, breaks: Collection[int] = ()) -> None:
        """Write records. Rows of these formats do not show where lines are left out."""
        del breaks
        if self._columns is not None:
            records = select_columns(records, self._columns, self._origins)
        records = _mark_json(records)
        if self._writer is None:
            self._writer = open_writer(self._settings, records.schema)
        for batch in records.to_batches(max_chunksize=_ROWS):
            if batch.num_rows:
                self._writer.write(batch)
        sys.stdout.flush()

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


class LinePrinter:
    """Writes records as lines."""

    def __init__(self, out: TextIO, drawer: Drawer, *, color: bool, note: Callable[[], None] | None = None) -> None:
        """Write to ``out``. `close` calls ``note``, which may say on stderr what is not shown."""
        self._out, self._drawer, self._color, self._note = out, drawer, color, note

    def write(self, records: pa.Table, breaks: Collection[int] = ()) -> None:
        """Write records, with a line ``--`` where lines of the file are left out."""
        for start in range(0, records.num_rows, _ROWS):
            rows = records.slice(start, _ROWS).to_pylist()
            self._drawer.prepare(rows)
            for at, row in enumerate(rows, start):
                if at in breaks:
                    self._out.write(paint([Run(_BREAK, DIM)], color=self._color) + "\n")
                drawn = self._drawer.draw(row, is_context=not row.get("is_match", True))
                self._out.write("".join(f"{line}\n" for line in drawn))
        self._out.flush()

    def close(self) -> None:
        if self._note is not None:
            self._note()


class VerticalDrawer:
    """Draws records with one field per line: all fields that are not null, or the columns that were asked for."""

    def __init__(
        self, layout: VerticalLayout, zone: tzinfo | None, columns: Sequence[Column] | None, origins: Origins
    ) -> None:
        self._layout, self._zone, self._columns, self._origins = layout, zone, columns, origins

    def prepare(self, rows: Sequence[Row]) -> None:
        """Do nothing: each record has its own width of names."""

    def draw(self, row: Row, *, is_context: bool = False) -> Iterator[str]:
        """Yield the lines of a record."""
        fields = self._list_fields(row) if self._columns is None else self._list_columns(row, self._columns)
        return self._layout.draw(fields, is_context=is_context)

    def _list_fields(self, row: Row) -> list[tuple[str, str]]:
        origin = self._origins.find(row["file_id"])
        fields = [("ts", localize(row["ts"], self._zone).isoformat())]
        if origin is not None:
            fields.append(("source", name_source(origin.source_uri)))
        fields += [(name, str(row[name])) for name in _VERTICAL if row[name] is not None]
        return [*fields, *iter_attributes(row["attributes"])]

    def _list_columns(self, row: Row, columns: Sequence[Column]) -> list[tuple[str, str]]:
        selected = select_columns(pa.Table.from_pylist([row]), columns, self._origins)
        [values] = plain_rows(selected.to_batches()[0], self._zone)
        return [(column.name, text_of(value, null="-")) for column, value in zip(columns, values, strict=False)]


def _mark_json(records: pa.Table) -> pa.Table:
    """Return the records with attributes of Arrow's JSON type, so that they are written as objects, not as text."""
    at = records.schema.get_field_index("attributes")
    if at < 0 or not pa.types.is_string(records.schema.field(at).type):
        return records
    storage = records["attributes"].combine_chunks()
    marked = pa.ExtensionArray.from_storage(pa.json_(storage.type), storage)
    return records.set_column(at, "attributes", marked)
