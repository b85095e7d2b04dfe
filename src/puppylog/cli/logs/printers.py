"""What writes the records of one answer, and which of these writers an answer needs.

The writers that only some options need are imported when they are: their imports take longer than a small answer.
"""

import sys
from collections.abc import Callable

import pyarrow as pa

from puppylog.cli.logs.lines import LinePrinter
from puppylog.cli.logs.origins import Origins
from puppylog.cli.logs.printer import RecordPrinter
from puppylog.cli.logs.shape import Shape
from puppylog.cli.output import terminal_width
from puppylog.cli.surroundings import wants_color
from puppylog.cli.truncation import tell_left_out
from puppylog.model.query.matches import Matches
from puppylog.monitor.search import Cursor
from puppylog.settings import Settings
from puppylog.stores.base import Store
from puppylog.tui.records import RecordLayout


def open_printer(settings: Settings, store: Store, shape: Shape) -> RecordPrinter:
    """Return what writes records to stdout in the output of the settings and in this shape.

    Raises:
        UsageError: a column that is asked for does not exist.
    """
    if settings.output == "raw":
        from puppylog.cli.logs.raw import RawPrinter  # noqa: PLC0415 - see above

        return RawPrinter(settings, store)
    columns, origins = None, Origins(store)
    if shape.columns is not None:
        from puppylog.cli.logs.columns import read_columns  # noqa: PLC0415 - see above

        columns = read_columns(store, shape.columns)
    if settings.output != "table" or (columns is not None and not shape.is_vertical):
        from puppylog.cli.logs.table import TablePrinter  # noqa: PLC0415 - see above

        return TablePrinter(settings, columns, origins)
    width, color = terminal_width(), wants_color(settings)
    matches = Matches()
    # Matches are found even without colours: a terminal shows fields that match and are otherwise left out.
    if shape.query is not None and (color or width is not None):
        from puppylog.model.query.finders import find_matches  # noqa: PLC0415 - see above

        matches = find_matches(shape.query)
    has_marks = shape.extent is not None and not color
    if shape.is_vertical:
        from puppylog.cli.logs.vertical import VerticalDrawer  # noqa: PLC0415 - see above

        drawer = VerticalDrawer(
            width, settings.zone, columns, origins, color=color, matches=matches, has_marks=has_marks
        )
        return LinePrinter(sys.stdout, drawer, color=color)
    layout = RecordLayout(width, settings.zone, color, origins.name_stream, matches, has_marks)
    return LinePrinter(sys.stdout, layout, color=color, note=lambda: tell_left_out(settings, list(layout.left_out)))


def choose_writer(store: Store, shape: Shape, printer: RecordPrinter) -> Callable[[pa.Table, Cursor], None]:
    """Return the function that writes the records of a search, given a cursor after them."""
    if shape.extent is not None:
        from puppylog.cli.logs.context import ContextWriter  # noqa: PLC0415 - see above

        context = ContextWriter(store, shape.extent, printer, is_reversed=shape.is_reversed)
        return lambda records, cursor: context.write(records, cursor.offsets)
    return lambda records, _: printer.write(_reverse(records) if shape.is_reversed else records)


def _reverse(records: pa.Table) -> pa.Table:
    """Return the rows in the opposite order."""
    return records.take(pa.array(range(records.num_rows - 1, -1, -1), pa.int64()))
