"""Records with one field per line."""

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from typing import Final

import pyarrow as pa

from puppylog.cli.logs.columns import Column, select_columns
from puppylog.cli.logs.origins import Origins
from puppylog.model.query.matches import Matches
from puppylog.model.source import name_source
from puppylog.rows.plain import text_of
from puppylog.rows.values import plain_rows
from puppylog.tui.fields import Row, iter_attributes
from puppylog.tui.times import localize
from puppylog.tui.vertical import VerticalLayout

# The columns of a record, after its time and its source, and before its attributes.
_VERTICAL: Final = (
    *("line_offset", "host", "ident", "ruser", "request_method", "request_route", "request_proto"),
    *("status_code", "response_bytes", "referer", "user_agent", "severity", "message"),
)


class VerticalDrawer:
    """Draws records with one field per line: all fields that are not null, or the columns that were asked for."""

    def __init__(
        self,
        width: int | None,
        zone: tzinfo | None,
        columns: Sequence[Column] | None,
        origins: Origins,
        *,
        color: bool,
        matches: Matches,
        has_marks: bool = False,
    ) -> None:
        """Draw for a terminal of this width in cells; None: stdout is not a terminal."""
        self._layout = VerticalLayout(width, color, matches, has_marks)
        self._zone, self._columns, self._origins = zone, columns, origins

    def prepare(self, rows: Sequence[Row]) -> None:
        """Do nothing: each record has its own width of names."""

    def draw(self, row: Row, *, is_context: bool = False) -> Iterator[str]:
        """Yield the lines of a record."""
        fields = self._list_fields(row) if self._columns is None else self._list_columns(row, self._columns)
        return self._layout.draw(fields, is_context=is_context)

    def draw_rejected(self, line: str) -> Iterator[str]:
        """Yield the lines of a rejected line of a log."""
        return self._layout.draw([("rejected", line)], is_context=True)

    def _list_fields(self, row: Row) -> list[tuple[str, str]]:
        origin = self._origins.find(row["file_id"])
        fields = [("ts", localize(row["ts"], self._zone).isoformat())]
        if origin is not None:
            fields.append(("source", name_source(origin.source_uri)))
        fields += [(name, str(row[name])) for name in _VERTICAL if row[name] is not None]
        return [*fields, *((name, text) for name, text, _ in iter_attributes(row["attributes"]))]

    def _list_columns(self, row: Row, columns: Sequence[Column]) -> list[tuple[str, str]]:
        selected = select_columns(pa.Table.from_pylist([row]), columns, self._origins)
        [values] = plain_rows(selected.to_batches()[0], self._zone)
        return [(column.name, text_of(value, null="-")) for column, value in zip(columns, values, strict=False)]
