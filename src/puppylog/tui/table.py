"""Tables of text: aligned columns, cut to a terminal's width and never cut elsewhere.

Rows may come in blocks without end; the first block decides the widths, a later cell that is wider pushes its line.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Final, TextIO

from puppylog.tui.clean import clean, cut, cut_start, width_of

_GAP: Final = "  "
# A column that has to give way keeps at least so much, or nobody could tell what is in it.
_LEAST_WIDTH: Final = 8
# A text column that is cut below this width says little: other columns are left out before.
_READABLE_WIDTH: Final = 24
_BOLD: Final = "\x1b[1m{}\x1b[0m"


@dataclass(slots=True)
class TableWriter:
    """Writes one table to ``out``. Cells may hold anything: they are cleaned here."""

    out: TextIO
    names: Sequence[str]
    right: Sequence[bool]  # which columns hold numbers
    width: int | None = None  # of the terminal; None cuts nothing
    bold: bool = False
    rigid: Sequence[bool] = ()  # which columns say nothing when they are cut, such as times; empty: none of them
    paths: Collection[str] = ()  # columns that are cut at their start: the end of a path tells it from others
    cut_names: set[str] = field(default_factory=set)  # of the columns in which something was cut
    _widths: list[int] = field(default_factory=list)

    def write(self, rows: Sequence[Sequence[str]]) -> None:
        """Write rows, and the header before the first of them."""
        cells = [[clean(cell) for cell in row] for row in rows]
        if not self._widths:
            names = [clean(name) for name in self.names]
            natural = [max(map(width_of, column)) for column in zip(names, *cells, strict=True)]
            self._widths = natural if self.width is None else self._fit(natural, self.width)
            header = self._line(names)
            self.out.write((_BOLD.format(header) if self.bold else header) + "\n")
        self.out.writelines(self._line(row) + "\n" for row in cells)

    def _fit(self, natural: Sequence[int], width: int) -> list[int]:
        room = width - len(_GAP) * (len(natural) - 1)
        rigid = self.rigid or [False] * len(natural)
        kept = sum(cells for cells, is_rigid in zip(natural, rigid, strict=True) if is_rigid)
        giving = [cells for cells, is_rigid in zip(natural, rigid, strict=True) if not is_rigid]
        if kept + sum(min(cells, _LEAST_WIDTH) for cells in giving) > room:
            return fit(natural, room)
        given = iter(fit(giving, room - kept))
        return [cells if is_rigid else next(given) for cells, is_rigid in zip(natural, rigid, strict=True)]

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
    """Return the columns to leave out of a table, in their order, so that the others can be read.

    Args:
        natural: the width of each column if nothing in it is cut.
        rigid: which columns say nothing when they are cut.
        expendable: the columns that may be left out. The first is left out first, and no more than it takes.
        width: of the terminal.
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
    """Return widths that together take at most ``total``: the widest columns give way first, as far as they can."""
    widths = list(natural)
    limit = max(widths, default=0)
    while sum(widths) > total and limit > _LEAST_WIDTH:
        limit -= 1
        widths = [min(width, limit) for width in natural]
    # What the last step took too much goes back, from the left.
    for at, (width, wanted) in enumerate(zip_longest(list(widths), natural)):
        if width < wanted and sum(widths) < total:
            widths[at] += 1
    return widths
