"""Tables for people: rounded numbers, short times, and columns that fit the terminal.

The other formats of `output` have every column and the exact values.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TextIO

import pyarrow as pa

from puppylog.cli.truncation import tell_hidden_columns
from puppylog.model.number import format_number
from puppylog.rows.plain import text_of
from puppylog.rows.values import are_numbers, plain_column
from puppylog.settings import Settings
from puppylog.tui.table import TableWriter
from puppylog.tui.times import format_times

NULL: Final = "-"
# Rows that are formatted at a time: enough for a low cost per row, few enough that the first appears soon.
_BLOCK_ROWS: Final = 2048
# A whole number below this is shown without separators, because it may be a year or a port.
_MIN_SEPARATED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Layout:
    """What a table does with the columns of an answer. Columns are named as in the schema."""

    expendable: Sequence[str] | None = None  # left out if the table does not fit, the first one first; None: the last
    paths: Collection[str] = ()  # cut at their start, because a path is known by its end
    wrapped: Collection[str] = ()  # sentences, which are wrapped instead of cut
    headings: Mapping[str, str] = field(default_factory=dict)  # of the columns whose heading is not their name
    shown: Mapping[str, Callable[[Any], str]] = field(default_factory=dict)  # how a value that is not null is written
    left_out: Sequence[str] = ()  # columns that the schema does not have, but the answer would; stderr names them
    has_fractions: bool = False  # whether times have milliseconds
    is_exact: bool = False  # whether values are written as JSON has them


class TextWriter:
    """Writes a table, fitted to ``width`` if that is the width of a terminal."""

    def __init__(
        self,
        out: TextIO,
        schema: pa.Schema,
        settings: Settings,
        *,
        width: int | None,
        bold: bool,
        layout: Layout | None = None,
    ) -> None:
        self._out, self._settings, self._layout = out, settings, layout or Layout()
        self._is_empty = True
        names = schema.names
        expendable = self._layout.expendable
        self._table = TableWriter(
            out,
            _headings(schema, self._layout, settings),
            [*_are_aligned_right(schema)],
            width,
            bold,
            rigid=[*_are_aligned_right(schema)],
            paths=[names.index(name) for name in self._layout.paths],
            wrapped=[names.index(name) for name in self._layout.wrapped],
            expendable=None if expendable is None else [names.index(name) for name in expendable],
        )

    def write(self, batch: pa.RecordBatch) -> None:
        for offset in range(0, batch.num_rows, _BLOCK_ROWS):
            self._is_empty = False
            columns = show_columns(batch.slice(offset, _BLOCK_ROWS), self._settings, self._layout)
            self._table.write(list(zip(*columns, strict=True)))

    def close(self) -> None:
        if self._is_empty:
            self._table.write([])
        self._out.flush()  # so that the note on stderr follows the table
        headings = self._table.names
        cut = [headings[at] for at in sorted(self._table.cut_columns)]
        left_out = [headings[at] for at in self._table.hidden]
        tell_hidden_columns(self._settings, cut, [*left_out, *self._layout.left_out], self._table.width)


def show_columns(batch: pa.RecordBatch, settings: Settings, layout: Layout) -> list[list[str]]:
    """Return the texts of the cells, column by column."""
    now = settings.clock()
    return [
        _show_column(column, settings, layout, layout.shown.get(name), now)
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
    ]


def _show_column(
    column: pa.Array, settings: Settings, layout: Layout, show: Callable[[Any], str] | None, now: datetime
) -> list[str]:
    if layout.is_exact:
        return [text_of(value, null=NULL) for value in plain_column(column, settings.data_zone)]
    if show is not None:
        return [NULL if value is None else show(value) for value in column.to_pylist()]
    if pa.types.is_timestamp(column.type) and column.type.tz is not None:
        instants = _read_instants(column, column.type)
        if instants is not None:
            return format_times(instants, settings.zone, now, fractions=layout.has_fractions)
    return [show_value(value) for value in plain_column(column, settings.zone)]


def _read_instants(column: pa.Array, kind: pa.TimestampType) -> list[datetime | None] | None:
    """Return the instants of a column; None if Python cannot hold one of them."""
    try:
        if kind.unit != "us":
            column = column.cast(pa.timestamp("us", kind.tz), safe=False)  # loads Arrow's functions
        return list(column.to_pylist())
    except (OverflowError, ValueError):
        return None


def show_value(value: Any) -> str:  # noqa: ANN401 - Plain is recursive, and isinstance narrows it here
    """Return a plain value as people read it."""
    if isinstance(value, float):
        return format_number(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}" if abs(value) >= _MIN_SEPARATED else str(value)
    return text_of(value, null=NULL)


def _headings(schema: pa.Schema, layout: Layout, settings: Settings) -> list[str]:
    """Return the headings. The first one of a time names the zone, if the user has chosen one."""
    headings = [layout.headings.get(name, name) for name in schema.names]
    times = [at for at, kind in enumerate(schema.types) if _is_instant(kind) and schema.names[at] not in layout.shown]
    if times and settings.zone_name:
        headings[times[0]] += f" ({settings.zone_name})"
    return headings


def _are_aligned_right(schema: pa.Schema) -> list[bool]:
    """Return per column whether it is a number or a time: these end below each other, and are useless when cut."""
    numbers = are_numbers(schema)
    return [is_number or _is_instant(kind) for is_number, kind in zip(numbers, schema.types, strict=True)]


def _is_instant(kind: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(kind))
