"""Tables of text: aligned columns, cut to a terminal's width and never cut elsewhere.

Rows may come in blocks without end; the first block decides the widths, a later cell that is wider pushes its line.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Final, TextIO

from puppylog.tui.clean import clean, cut, width_of

_GAP: Final = "  "
# A column that has to give way keeps at least so much, or nobody could tell what is in it.
_LEAST_WIDTH: Final = 8
_BOLD: Final = "\x1b[1m{}\x1b[0m"


@dataclass(slots=True)
class TableWriter:
    """Writes one table to ``out``. Cells may hold anything: they are cleaned here."""

    out: TextIO
    names: Sequence[str]
    right: Sequence[bool]  # which columns hold numbers
    width: int | None = None  # of the terminal; None cuts nothing
    bold: bool = False
    _widths: list[int] = field(default_factory=list)

    def write(self, rows: Sequence[Sequence[str]]) -> None:
        """Write rows, and the header before the first of them."""
        cells = [[clean(cell) for cell in row] for row in rows]
        if not self._widths:
            names = [clean(name) for name in self.names]
            natural = [max(map(width_of, column)) for column in zip(names, *cells, strict=True)]
            self._widths = natural if self.width is None else fit(natural, self.width - len(_GAP) * (len(natural) - 1))
            header = self._line(names)
            self.out.write((_BOLD.format(header) if self.bold else header) + "\n")
        self.out.writelines(self._line(row) + "\n" for row in cells)

    def _line(self, row: Sequence[str]) -> str:
        padded = [self._pad(*cell) for cell in zip(row, self._widths, self.right, strict=True)]
        return _GAP.join(padded).rstrip()

    def _pad(self, cell: str, width: int, right: bool) -> str:
        if self.width is not None:
            cell = cut(cell, width)
        blanks = " " * (width - width_of(cell))
        return blanks + cell if right else cell + blanks


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
