"""Rows of text that a command has without asking a store. They are written without Arrow, which takes 40 ms to load."""

import sys
from collections.abc import Collection, Sequence

from puppylog.cli.surroundings import get_surroundings, wants_color
from puppylog.cli.truncation import tell_hidden_columns
from puppylog.rows.cells import csv_cell, json_object
from puppylog.settings import Settings
from puppylog.tui.table import TableWriter


def write_texts(
    names: Sequence[str], rows: Sequence[Sequence[str]], settings: Settings, wrapped: Collection[str] = ()
) -> None:
    """Write rows to stdout, in the same way as `output.write_rows`.

    Args:
        names: of the columns.
        rows: a text for each column.
        settings: the settings of the command.
        wrapped: names of columns with sentences, which a table wraps instead of cutting them.
    """
    out = sys.stdout
    match settings.output:
        case "table":
            _write_table(names, rows, settings, wrapped)
        case "jsonl":
            out.writelines(json_object(names, row) + "\n" for row in rows)
        case "json":
            out.write("[\n" + ",\n".join(json_object(names, row) for row in rows) + "\n]\n" if rows else "[]\n")
        case "csv":
            out.writelines(",".join(map(csv_cell, row)) + "\n" for row in [names, *rows])
        case _:
            import pyarrow as pa  # noqa: PLC0415 - only these formats need Arrow

            from puppylog.cli.output import write_table  # noqa: PLC0415 - likewise

            columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
            write_table(pa.table(columns, list(names)), settings)


def _write_table(
    names: Sequence[str], rows: Sequence[Sequence[str]], settings: Settings, wrapped: Collection[str]
) -> None:
    width = get_surroundings().find_width()
    places = [names.index(name) for name in wrapped]
    table = TableWriter(sys.stdout, names, [False] * len(names), width, wants_color(settings), wrapped=places)
    table.write(rows)
    sys.stdout.flush()  # so that the note on stderr follows the table
    cut, left_out = ([names[at] for at in sorted(columns)] for columns in (table.cut_columns, table.hidden))
    tell_hidden_columns(settings, cut, left_out, width)
