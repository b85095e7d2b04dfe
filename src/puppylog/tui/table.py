"""Tables of text: aligned columns, cut only to fit a terminal.

Rows may arrive in any number of blocks. The first block decides the widths of the columns; without a terminal, a wider
cell of a later block shifts the cells to its right.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Final, TextIO

from puppylog.tui.clean import clean, cut, cut_start, width_of

_GAP: Final = "  "
# A column is never narrowed below this width, because its cells could not be told apart.
_LEAST_WIDTH: Final = 8
# Expendable columns are left out before a text column is narrowed below this width.
_READABLE_WIDTH: Final = 24
_BOLD: Final = "\x1b[1m{}\x1b[0m"


@dataclass(slots=True)
class TableWriter:
    """Writes one table to ``out``. Cells may hold any text: `write` cleans it."""

    out: TextIO
    names: Sequence[str]
    right: Sequence[bool]  # per column, whether it is aligned to the right, as numbers are
    width: int | None = None  # of the terminal, in cells; None: nothing is cut
    bold: bool = False  # whether the header is bold
    rigid: Sequence[bool] = ()  # per column, whether it is useless when cut, as times are; empty: no column is
    paths: Collection[str] = ()  # names of columns that are cut at their start, because a path is known by its end
    cut_names: set[str] = field(default_factory=set)  # names of the columns in which a cell was cut
    _widths: list[int] = field(default_factory=list)

    def write(self, rows: Sequence[Sequence[str]]) -> None:
        """Write rows; the first call writes the header before them."""
        cells = [[clean(cell) for cell in row] for row in rows]
        if not self._widths:
            names = [clean(name) for name in self.names]
            natural = [max(map(width_of, column)) for column in zip(names, *cells, strict=True)]
            self._widths = natural if self.width is None else self._fit(natural, self.width)
            header = self._line(names)
            self.out.write((_BOLD.format(header) if self.bold else header) + "\n")
        self.out.writelines(self._line(row) + "\n" for row in cells)

    def _fit(self, natural: Sequence[int], width: int) -> list[int]:
        available = width - len(_GAP) * (len(natural) - 1)
        rigid = self.rigid or [False] * len(natural)
        kept = sum(cells for cells, is_rigid in zip(natural, rigid, strict=True) if is_rigid)
        flexible = [cells for cells, is_rigid in zip(natural, rigid, strict=True) if not is_rigid]
        if kept + sum(min(cells, _LEAST_WIDTH) for cells in flexible) > available:
            return fit(natural, available)
        fitted = iter(fit(flexible, available - kept))
        return [cells if is_rigid else next(fitted) for cells, is_rigid in zip(natural, rigid, strict=True)]

    def _line(self, row: Sequence[str]) -> str:
        padded = [self._pad(*cell) for cell in zip(row, self._widths, self.right, self.names, strict=True)]
        return _GAP.join(padded).rstrip()

    def _pad(self, cell: str, width: int, right: bool, name: str) -> str:
        if self.width is not None and width_of(cell) > width:
            cell = cut_start(cell, width) if name in self.paths else cut(cell, width)
            self.cut_names.add(name)
        blanks = " " * (width - width_of(cell))
        return blanks + cell if right else cell + blanks


def find_columns_to_hide(
    natural: Mapping[str, int], rigid: Sequence[bool], expendable: Sequence[str], width: int
) -> list[str]:
    """Return the columns to leave out of a table, in the table's order, so that the others are readable.

    Args:
        natural: by column, the width in cells at which no cell is cut.
        rigid: per column, whether it is useless when cut.
        expendable: the columns that may be left out, the first one first. No more are left out than necessary.
        width: of the terminal, in cells.
    """
    needed = {
        name: cells if is_rigid else min(cells, _READABLE_WIDTH)
        for (name, cells), is_rigid in zip(natural.items(), rigid, strict=True)
    }
    hidden: set[str] = set()
    for name in expendable:
        shown = [cells for other, cells in needed.items() if other not in hidden]
        if sum(shown) + len(_GAP) * (len(shown) - 1) <= width:
            break
        hidden.add(name)
    return [name for name in natural if name in hidden]


def fit(natural: Sequence[int], total: int) -> list[int]:
    """Return the widths of columns, narrowed to a sum of ``total``: the widest first, and none below _LEAST_WIDTH."""
    widths = list(natural)
    limit = max(widths, default=0)
    while sum(widths) > total and limit > _LEAST_WIDTH:
        limit -= 1
        widths = [min(width, limit) for width in natural]
    # The last step may have narrowed too many columns by one cell: widen them again, from the left.
    for at, (width, wanted) in enumerate(zip_longest(list(widths), natural)):
        if width < wanted and sum(widths) < total:
            widths[at] += 1
    return widths
