"""Reads the rows of a table whose columns have names, as a format file reads the groups of a pattern."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.csv.header import Header, assign_columns, find_date_and_time
from puppylog.formats.csv.rows import TextRows, split_fields
from puppylog.formats.dating import Dating
from puppylog.formats.file.assembly import Matched, Rejected, assemble_rows
from puppylog.formats.file.definition import ATTRIBUTES, Cell, Definition
from puppylog.formats.file.document import Document, FieldTable
from puppylog.formats.file.fields import Fields
from puppylog.formats.file.heads import Records
from puppylog.formats.integers import count_up
from puppylog.formats.regex.fields import TIME
from puppylog.formats.rows import Rows

FEWER: Final = "fewer fields than in the header"
MORE: Final = "more fields than in the header"
UNCLOSED: Final = "an unclosed quote"
NO_HEADER: Final = "no header before it"

_TYPES: Final = {"severity": "severity", "host": "host", "request": "request", TIME: "time", "response_bytes": "bytes"}


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns of a table become."""

    names: tuple[str, ...]
    cells: tuple[Cell, ...]

    @classmethod
    def of_header(cls, header: Header) -> "Columns":
        """Return the columns of a header: those with known names fill columns, the others become attributes."""
        pair = find_date_and_time(header.names)
        fills = {name: column for column, name in assign_columns(header.names).items()}
        cells = []
        for name in header.names:
            column = fills.get(name, ATTRIBUTES)
            if pair is not None and (name in pair or column == TIME):
                column = ATTRIBUTES
            if pair is None or name not in pair:
                cells.append(Cell(name, _TYPES.get(column, ""), column, name, FieldTable()))
        if pair is not None:
            cells.append(Cell(" and ".join(pair), "time", TIME, "time", FieldTable(groups=list(pair))))
        return cls(header.names, tuple(cells))


def make_definition(name: str, severity: Mapping[str, str]) -> Definition:
    """Return what `Fields` needs to know of a format: its name, and its notation of severities."""
    document = Document(name=name, title=name, severity=severity)
    return Definition(name, name, name, document, (), {}, None, None)


@dataclass(frozen=True, slots=True)
class Table:
    """How the rows of a table are read."""

    columns: Columns
    delimiter: str  # the character between two fields
    definition: Definition  # see `make_definition`
    has_quotes: bool = True  # whether a field may be in quotes
    empty: str = ""  # what an empty field is written as


def read_table(rows: TextRows, wanted: pa.Array, table: Table, dating: Dating) -> Rows:
    """Return the rows of a table.

    Args:
        rows: the rows of a text.
        wanted: bool: whether a row is a record, and no header, comment or blank line.
        table: how they are read.
        dating: what the stamps before have shown; is updated.
    """
    texts = rows.texts.filter(wanted)
    count = len(table.columns.names)
    fields, sizes = split_fields(texts, table.delimiter, has_quotes=table.has_quotes)
    is_unclosed = rows.is_unclosed.filter(wanted)
    fits = pc.and_not(pc.equal(sizes, pa.scalar(count, pa.int64())), is_unclosed)
    everything = count_up(len(texts))
    if table.empty:
        fields = pc.if_else(pc.equal(fields, table.empty), "", fields)
    values = _take_columns(fields, sizes, fits, table.columns.names)
    read = Fields(table.definition, len(everything.filter(fits)))
    read.read(values, table.columns.cells)
    is_short = pc.less(sizes, pa.scalar(count, pa.int64()))
    is_wrong = pc.invert(pc.or_(fits, is_unclosed))
    rejected = [
        Rejected(everything.filter(is_unclosed), UNCLOSED),
        Rejected(everything.filter(pc.and_(is_wrong, is_short)), FEWER),
        Rejected(everything.filter(pc.and_not(is_wrong, is_short)), MORE),
    ]
    matched = [Matched(everything.filter(fits), read)]
    records = _as_records(rows, wanted)
    return assemble_rows(records, matched, rejected, table.definition.name, dating)


def reject_rows(rows: TextRows, wanted: pa.Array, name: str, dating: Dating) -> Rows:
    """Return the rows of a text without a header: all of them are rejected."""
    everything = count_up(pc.sum(wanted.cast(pa.int64())).as_py() or 0)
    return assemble_rows(_as_records(rows, wanted), [], [Rejected(everything, NO_HEADER)], name, dating)


def _take_columns(fields: pa.Array, sizes: pa.Array, fits: pa.Array, names: Sequence[str]) -> dict[str, pa.Array]:
    """Return the values of each column in the rows that fit."""
    first = pc.subtract(pc.cumulative_sum(sizes), sizes).filter(fits)
    return {name: fields.take(pc.add(first, pa.scalar(place, pa.int64()))) for place, name in enumerate(names)}


def _as_records(rows: TextRows, wanted: pa.Array) -> Records:
    texts = rows.texts.filter(wanted)
    kept = pa.repeat(True, len(texts))
    records = Records(texts, rows.starts.filter(wanted), rows.ends.filter(wanted), kept)
    joined = rows.lines - len(rows.texts)
    in_rows = joined + len(texts)  # a row with several lines is always a record
    return replace(records, rowless=rows.lines - in_rows, continued=joined)
