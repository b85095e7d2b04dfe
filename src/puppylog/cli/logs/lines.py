"""Records as lines of text that a layout draws."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Final, Protocol, TextIO, TypeAlias

import pyarrow as pa

from puppylog.tui.fields import DIM, Row
from puppylog.tui.runs import Run, paint

_ROWS: Final = 2048  # rows that are drawn at a time
_BREAK: Final = "--"

Rejected: TypeAlias = Mapping[int, Sequence[bytes]]
"""By the number of a row, the rejected lines right before its line."""

NO_REJECTED: Final[Rejected] = {}


class Drawer(Protocol):
    """Draws records as lines of text."""

    def prepare(self, rows: Sequence[Row]) -> None:
        """Fit the widths of columns to the rows that are drawn next."""

    def draw(self, row: Row, *, is_context: bool = False) -> Iterator[str]:
        """Yield the lines of a record."""

    def draw_rejected(self, line: str) -> Iterator[str]:
        """Yield the lines of a rejected line of a log."""


class LinePrinter:
    """Writes records as lines."""

    def __init__(self, out: TextIO, drawer: Drawer, *, color: bool, note: Callable[[], None] | None = None) -> None:
        """Write to ``out``. `close` calls ``note``, which may say on stderr what is not shown."""
        self._out, self._drawer, self._color, self._note = out, drawer, color, note

    def write(self, records: pa.Table, breaks: Collection[int] = (), rejected: Rejected = NO_REJECTED) -> None:
        """Write records and rejected lines, with a line ``--`` where lines of the file are left out."""
        for start in range(0, records.num_rows, _ROWS):
            rows = records.slice(start, _ROWS).to_pylist()
            self._drawer.prepare(rows)
            for at, row in enumerate(rows, start):
                if at in breaks:
                    self._out.write(paint([Run(_BREAK, DIM)], color=self._color) + "\n")
                for line in rejected.get(at, ()):
                    text = line.decode(errors="backslashreplace")
                    self._out.writelines(f"{drawn}\n" for drawn in self._drawer.draw_rejected(text))
                drawn = self._drawer.draw(row, is_context=not row.get("is_match", True))
                self._out.writelines(f"{line}\n" for line in drawn)
        self._out.flush()

    def close(self) -> None:
        if self._note is not None:
            self._note()
