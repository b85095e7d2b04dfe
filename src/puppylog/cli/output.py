r"""What commands write to stdout: tables, JSON, JSON lines, CSV, Parquet, Arrow. Golden files test the formats.

Every writer takes record batches one after another and holds few of them, so a long answer streams. Text from logs is
hostile: JSON writes a character that a terminal obeys as ``\uXXXX``, which loses nothing; tables and CSV show an
escape. A CSV cell that a spreadsheet would run as a formula gets an apostrophe before it. A program that needs every
byte should read JSON.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import pyarrow as pa

from puppylog.cli.surroundings import get_surroundings, wants_color
from puppylog.cli.tables import Layout, TextWriter, show_columns
from puppylog.rows.base import Writer
from puppylog.rows.sink import open_binary_stdout
from puppylog.settings import Settings
from puppylog.tui.clean import clean
from puppylog.tui.table import GAP
from puppylog.tui.wrap import wrap

# A field is wrapped to this width in cells at least, however narrow the terminal is.
_MIN_FIELD: Final = 16


def open_writer(settings: Settings, schema: pa.Schema, layout: Layout | None = None) -> Writer:
    """Return a writer to stdout in the format that the settings name.

    Args:
        settings: the settings of the command.
        schema: the schema of the rows.
        layout: what a table does with the columns; the other formats have all columns.
    """
    match settings.output:
        case "json" | "jsonl" | "csv":
            from puppylog.rows.text import WRITERS  # noqa: PLC0415 - a table needs none of these, written in C

            return WRITERS[settings.output](sys.stdout, schema, settings.data_zone)
        case "parquet":
            from puppylog.rows.parquet import ParquetWriter  # noqa: PLC0415 - only this format loads Parquet

            return ParquetWriter(open_binary_stdout("parquet"), schema)
        case "arrow":
            from puppylog.rows.arrow import ArrowWriter  # noqa: PLC0415 - only this format loads Arrow's IPC

            return ArrowWriter(open_binary_stdout("arrow"), schema)
    return TextWriter(sys.stdout, schema, settings, width=terminal_width(), bold=wants_color(settings), layout=layout)


def terminal_width() -> int | None:
    """Return the width of the terminal at stdout in cells; None if stdout is not a terminal."""
    return get_surroundings().find_width()


def write_rows(
    rows: Sequence[Mapping[str, object]], schema: pa.Schema, settings: Settings, layout: Layout | None = None
) -> None:
    """Write rows that a command has built itself."""
    write_table(pa.Table.from_pylist(rows, schema), settings, layout)


def write_record(
    row: Mapping[str, object], schema: pa.Schema, settings: Settings, layout: Layout | None = None
) -> None:
    """Write one row; as a table, one field per line, wrapped below its first character to fit a terminal."""
    table = pa.Table.from_pylist([row], schema)
    if settings.output != "table":
        write_table(table, settings)
        return
    layout = layout or Layout()
    headings = [layout.headings.get(name, name) for name in schema.names]
    margin = max(map(len, headings)) + len(GAP)
    width = terminal_width()
    for heading, [text] in zip(headings, show_columns(table.to_batches()[0], settings, layout), strict=True):
        value = clean(text)
        lines = [value] if width is None else wrap(value, max(_MIN_FIELD, width - margin))
        sys.stdout.write(f"{heading:{margin}}{lines[0]}\n")
        sys.stdout.writelines(f"{'':{margin}}{line}\n" for line in lines[1:])


def write_table(table: pa.Table, settings: Settings, layout: Layout | None = None) -> None:
    """Write all rows of a table."""
    write_batches(table.schema, table.to_batches(), settings, layout)


def write_batches(
    schema: pa.Schema, batches: Iterable[pa.RecordBatch], settings: Settings, layout: Layout | None = None
) -> None:
    """Write batches as they arrive."""
    writer = open_writer(settings, schema, layout)
    for batch in batches:
        writer.write(batch)
    writer.close()
