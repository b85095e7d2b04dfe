"""Tables of text that fit a terminal: columns are left out before a word is cut, and a number or a time is never cut.

Rows may arrive in any number of blocks. The first block decides which columns are shown, and their widths; a number of
a later block that is wider shifts the cells to its right.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Final, TextIO

from puppylog.tui.clean import clean, width_of
from puppylog.tui.wrap import cut_at_word, cut_path, longest_word, wrap

GAP: Final = "  "
# A column of text is never narrowed below this width, because its cells could not be told apart.
_MIN_WIDTH: Final = 8
# A cell of text up to this width is shown whole, or its column is left out.
_READABLE_WIDTH: Final = 24
# A word of a sentence up to this width is shown whole, or its column is left out.
_MAX_WORD_LENGTH: Final = 32
# Wider cells are cut to this width at least, in a narrow terminal, before a column is left out.
_MIN_READABLE_WIDTH: Final = 12
_EMPTY: Final = frozenset({"", "-"})
_BOLD: Final = "\x1b[1m{}\x1b[0m"


@dataclass(slots=True)
class TableWriter:
    """Writes one table to ``out``. Cells may hold any text: `write` cleans it. Columns are counted from 0."""

    out: TextIO
    names: Sequence[str]
    right: Sequence[bool]  # per column, whether it is aligned to the right, as numbers are
    width: int | None = None  # of the terminal, in cells; None: nothing is cut, wrapped or left out
    bold: bool = False  # whether the header is bold
    rigid: Sequence[bool] = ()  # per column, whether it is never cut, as numbers and times; empty: no column is
    paths: Collection[int] = ()  # columns that are cut at their start, because a path is known by its end
    wrapped: Collection[int] = ()  # columns of sentences, which continue on further lines instead of being cut
    expendable: Sequence[int] | None = None  # left out if the table does not fit, the first one first; None: the last
    cut_columns: set[int] = field(default_factory=set)  # columns in which a cell was cut
    hidden: list[int] = field(default_factory=list)  # columns that are left out, though a cell has a value
    _widths: list[int] = field(default_factory=list)  # of the columns that are shown
    _shown: list[int] = field(default_factory=list)
    _unsaid: set[int] = field(default_factory=set)  # columns that are left out, and no cell has had a value so far
    _is_begun: bool = False  # whether the header is written

    def write(self, rows: Sequence[Sequence[str]]) -> None:
        """Write rows; the first call writes the header before them."""
        cells = [[clean(cell) for cell in row] for row in rows]
        if not self._is_begun:
            self._is_begun = True
            names = [clean(name) for name in self.names]
            self._arrange([list(column) for column in zip(names, *cells, strict=True)])
            header = self._line([names[at] for at in self._shown])
            self.out.write((_BOLD.format(header) if self.bold else header) + "\n")
        if self._unsaid:
            self._unsaid -= (filled := {at for at in self._unsaid if any(row[at] not in _EMPTY for row in cells)})
            self.hidden = sorted({*self.hidden, *filled})
        for row in cells:
            self.out.writelines(line + "\n" for line in self._lines([row[at] for at in self._shown]))

    def _arrange(self, columns: Sequence[Sequence[str]]) -> None:
        """Decide which columns are shown, and how wide they are. Each column is its heading and its cells."""
        natural = [max(map(width_of, column)) for column in columns]
        everything = range(len(columns))
        hidden: set[int] = set()
        readable = narrowest = natural
        if self.width is not None:
            rigid = self.rigid or [False] * len(columns)
            readable = [
                natural[at] if rigid[at] else self._readable_width(at, column, natural[at], self.width)
                for at, column in enumerate(columns)
            ]
            narrowest = [cells if rigid[at] else min(cells, _MIN_WIDTH) for at, cells in enumerate(readable)]
            hidden = self._choose_hidden(columns, natural, readable, narrowest, self.width)
        self._shown = [at for at in everything if at not in hidden]
        self._widths = self._fit(natural, readable, narrowest)

    def _choose_hidden(
        self,
        columns: Sequence[Sequence[str]],
        natural: Sequence[int],
        readable: Sequence[int],
        narrowest: Sequence[int],
        width: int,
    ) -> set[int]:
        """Return the columns that are left out: expendable ones without a value, and those that do not fit."""
        everything = range(len(columns))
        from_last = everything[:0:-1]
        expendable = from_last if self.expendable is None else self.expendable
        empty = [at for at in expendable if len(columns[at]) > 1 and _EMPTY.issuperset(columns[at][1:])]
        hidden = set(empty if self.expendable is not None else ())
        if _sum([cells for at, cells in enumerate(natural) if at not in hidden]) > width:
            hidden = hide_columns(readable, [*empty, *expendable], width, hidden)
            hidden = hide_columns(narrowest, from_last, width, hidden)
        self._unsaid = hidden.intersection(empty)
        self.hidden = sorted(hidden - self._unsaid)
        return hidden

    def _readable_width(self, at: int, column: Sequence[str], natural: int, width: int) -> int:
        """Return the width of a column of text below which another column is left out instead."""
        if at in self.wrapped:
            return min(natural, max(_MIN_READABLE_WIDTH, min(max(map(longest_word, column)), _MAX_WORD_LENGTH)))
        if natural <= _READABLE_WIDTH:
            return natural
        return max(_MIN_READABLE_WIDTH, min(_READABLE_WIDTH, width // 4))

    def _fit(self, natural: Sequence[int], readable: Sequence[int], narrowest: Sequence[int]) -> list[int]:
        """Return the widths of the columns that are shown."""
        wanted = [natural[at] for at in self._shown]
        if self.width is None or _sum(wanted) <= self.width:
            return wanted
        available = self.width - len(GAP) * (len(self._shown) - 1)
        least = [readable[at] for at in self._shown]
        if sum(least) > available:
            least = [narrowest[at] for at in self._shown]
        return fit(wanted, available, least)

    def _lines(self, row: Sequence[str]) -> Iterable[str]:
        """Yield the lines of one row: several if a cell of a wrapped column is wider than the column."""
        if not self.wrapped or self.width is None:
            yield self._line(row)
            return
        cells = [
            wrap(cell, width) if at in self.wrapped else [cell]
            for cell, width, at in zip(row, self._widths, self._shown, strict=True)
        ]
        for line in zip_longest(*cells, fillvalue=""):
            yield self._line(line)

    def _line(self, row: Sequence[str]) -> str:
        padded = [self._pad(cell, width, at) for cell, width, at in zip(row, self._widths, self._shown, strict=True)]
        return GAP.join(padded).rstrip()

    def _pad(self, cell: str, width: int, at: int) -> str:
        missing = width - width_of(cell)
        if missing < 0 and self.width is not None and not (self.rigid and self.rigid[at]):
            cell = cut_path(cell, width) if at in self.paths else cut_at_word(cell, width)
            self.cut_columns.add(at)
            missing = width - width_of(cell)
        return " " * missing + cell if self.right[at] else cell + " " * missing


def hide_columns(least: Sequence[int], order: Sequence[int], width: int, hidden: Collection[int] = ()) -> set[int]:
    """Return the columns to leave out of a table, so that the others fit the terminal.

    Args:
        least: by column, the width in cells that it needs.
        order: the columns that may be left out, the first one first. No more are left out than necessary.
        width: of the terminal, in cells.
        hidden: the columns that are left out in any case.
    """
    gone = set(hidden)
    for at in order:
        if _sum([cells for other, cells in enumerate(least) if other not in gone]) <= width:
            break
        gone.add(at)
    return gone


def _sum(widths: Sequence[int]) -> int:
    """Return the width of a line of columns of these widths."""
    return sum(widths) + len(GAP) * (len(widths) - 1)


def fit(natural: Sequence[int], total: int, least: Sequence[int] = ()) -> list[int]:
    """Return the widths of columns, narrowed to a sum of ``total``: the widest first.

    Args:
        natural: by column, the width in cells at which no cell is cut.
        total: the greatest sum of the widths, in cells.
        least: by column, the width below which it is not narrowed; empty: _MIN_WIDTH for each.
    """
    floors = list(least) or [min(width, _MIN_WIDTH) for width in natural]
    widths = list(natural)
    limit = max(widths, default=0)
    while sum(widths) > total and limit > 1:
        limit -= 1
        widths = [max(floor, min(width, limit)) for width, floor in zip(natural, floors, strict=True)]
    # The last step may have narrowed too many columns by one cell: widen them again, from the left.
    for at, (width, wanted) in enumerate(zip(list(widths), natural, strict=True)):
        if width < wanted and sum(widths) < total:
            widths[at] += 1
    return widths
