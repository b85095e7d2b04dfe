r"""What commands write to stdout: tables, JSON, JSON lines, CSV, Parquet, Arrow. Golden files test the formats.

Every writer takes record batches one after another and holds few of them, so a long answer streams. Text from logs is
hostile: JSON writes a character that a terminal obeys as ``\uXXXX``, which loses nothing; tables and CSV show an
escape. A CSV cell that a spreadsheet would run as a formula gets an apostrophe before it. A program that needs every
byte should read JSON.
"""

import shutil
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import tzinfo
from typing import Final, TextIO

import pyarrow as pa

from puppylog.cli.truncation import tell_hidden_columns
from puppylog.cli.values import are_numbers, plain_rows, text_of
from puppylog.cli.writers.base import Writer
from puppylog.cli.writers.sink import open_binary_stdout
from puppylog.cli.writers.text import CsvWriter, JsonlWriter, JsonWriter
from puppylog.settings import Settings
from puppylog.tui.clean import clean, width_of
from puppylog.tui.table import TableWriter, find_columns_to_hide

# Rows of a table that are formatted at a time: enough for a low cost per row, few enough that the first appears soon.
_BLOCK_ROWS: Final = 2048


def open_writer(
    settings: Settings, schema: pa.Schema, left_out: Sequence[str] = (), paths: Collection[str] = ()
) -> Writer:
    """Return a writer to stdout in the format that the settings name.

    Args:
        settings: the settings of the command.
        schema: the schema of the rows.
        left_out: names of columns that are left out of the rows; a table names them on stderr.
        paths: names of columns with paths, which a table cuts at their start.
    """
    out, zone = sys.stdout, settings.zone
    match settings.output:
        case "json":
            return JsonWriter(out, schema, zone)
        case "jsonl":
            return JsonlWriter(out, schema, zone)
        case "csv":
            return CsvWriter(out, schema, zone)
        case "parquet":
            from puppylog.cli.writers.parquet import ParquetWriter  # noqa: PLC0415 - only this format loads Parquet

            return ParquetWriter(open_binary_stdout("parquet"), schema)
        case "arrow":
            from puppylog.cli.writers.arrow import ArrowWriter  # noqa: PLC0415 - only this format loads Arrow's IPC

            return ArrowWriter(open_binary_stdout("arrow"), schema)
    return TextWriter(
        out,
        schema,
        zone,
        width=terminal_width(),
        bold=wants_color(settings),
        settings=settings,
        left_out=left_out,
        paths=paths,
    )


def terminal_width() -> int | None:
    """Return the width of the terminal at stdout in cells; None if stdout is not a terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def wants_color(settings: Settings) -> bool:
    """Return whether output to stdout is coloured."""
    return settings.color if settings.color is not None else sys.stdout.isatty()


def write_rows(
    rows: Sequence[Mapping[str, object]],
    schema: pa.Schema,
    settings: Settings,
    *,
    expendable: Sequence[str] = (),
    paths: Collection[str] = (),
) -> None:
    """Write rows that a command has built itself.

    Args:
        rows: the rows.
        schema: the schema of the rows.
        settings: the settings of the command.
        expendable: names of columns that a table leaves out, the first one first, until it fits the terminal. Stderr
            names those that are left out.
        paths: names of columns with paths, which a table cuts at their start.
    """
    table = pa.Table.from_pylist(rows, schema)
    hidden = _find_hidden(table, settings, expendable)
    writer = open_writer(settings, table.drop_columns(hidden).schema, hidden, paths)
    for batch in table.drop_columns(hidden).to_batches():
        writer.write(batch)
    writer.close()


def _find_hidden(table: pa.Table, settings: Settings, expendable: Sequence[str]) -> list[str]:
    width = terminal_width()
    if settings.output != "table" or width is None:
        return []
    texts = [[clean(text) for text in row] for batch in table.to_batches() for row in _text_rows(batch, settings.zone)]
    columns = zip(table.column_names, *texts, strict=True)
    natural = {cells[0]: max(map(width_of, cells)) for cells in columns}
    return find_columns_to_hide(natural, _rigid(table.schema), expendable, width)


def write_record(row: Mapping[str, object], schema: pa.Schema, settings: Settings) -> None:
    """Write one row; as a table, one field per line."""
    table = pa.Table.from_pylist([row], schema)
    if settings.output != "table":
        write_table(table, settings)
        return
    [values] = plain_rows(table.to_batches()[0], settings.zone)
    width = max(map(len, schema.names))
    for name, value in zip(schema.names, values, strict=True):
        sys.stdout.write(f"{name:{width}}  {clean(text_of(value, null='-'))}\n")


def write_table(table: pa.Table, settings: Settings) -> None:
    """Write all rows of a table."""
    write_batches(table.schema, table.to_batches(), settings)


def write_batches(schema: pa.Schema, batches: Iterable[pa.RecordBatch], settings: Settings) -> None:
    """Write batches as they arrive."""
    writer = open_writer(settings, schema)
    for batch in batches:
        writer.write(batch)
    writer.close()


class TextWriter:
    """A table for people, cut to fit the terminal if stdout is one."""

    def __init__(
        self,
        out: TextIO,
        schema: pa.Schema,
        zone: tzinfo | None,
        *,
        width: int | None,
        bold: bool,
        settings: Settings | None = None,
        left_out: Sequence[str] = (),
        paths: Collection[str] = (),
    ) -> None:
        """Write to ``out``. With ``settings``, `close` names on stderr the columns that were cut or left out."""
        self._zone = zone
        self._out, self._settings, self._left_out = out, settings, left_out
        self._table = TableWriter(out, schema.names, are_numbers(schema), width, bold, _rigid(schema), paths)
        self._is_empty = True

    def write(self, batch: pa.RecordBatch) -> None:
        for offset in range(0, batch.num_rows, _BLOCK_ROWS):
            self._is_empty = False
            self._table.write(_text_rows(batch.slice(offset, _BLOCK_ROWS), self._zone))

    def close(self) -> None:
        if self._is_empty:
            self._table.write([])
        if self._settings is not None:
            self._out.flush()  # so that the note on stderr follows the table
            cut = [name for name in self._table.names if name in self._table.cut_names]
            tell_hidden_columns(self._settings, cut, self._left_out)


def _text_rows(batch: pa.RecordBatch, zone: tzinfo | None) -> list[list[str]]:
    return [[text_of(value, null="-") for value in row] for row in plain_rows(batch, zone)]


def _rigid(schema: pa.Schema) -> list[bool]:
    """Return per column whether it is useless when cut: numbers and times are."""
    numbers = are_numbers(schema)
    return [is_number or pa.types.is_timestamp(kind) for is_number, kind in zip(numbers, schema.types, strict=True)]
