"""Lines on a terminal that are redrawn in place. A line that is too long is cut, never wrapped.

No terminal mode is changed (the cursor stays visible), so a process that is killed leaves a usable terminal.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TextIO

from puppylog.tui.clean import clean, cut

_COLORS: Final = {"bold": 1, "red": 31, "green": 32, "yellow": 33}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text, all in one colour: red, green, yellow, bold, or none."""

    text: str
    color: str = ""


@dataclass(slots=True)
class Live:
    """An area at the cursor of ``out`` that shows the lines of the last call of `show`.

    Not safe for several threads: the caller holds a lock, or uses one thread.
    """

    out: TextIO
    has_color: bool
    size: Callable[[], tuple[int, int]] = shutil.get_terminal_size
    _height: int = field(default=0, init=False)

    def show(self, lines: Sequence[Line]) -> None:
        """Replace the lines shown before; if the terminal is too low, the last line says how many are left out."""
        columns, rows = self.size()
        shown = list(lines[: max(1, rows - 1)])
        if len(shown) < len(lines) and len(shown) > 1:
            shown[-1] = Line(f"and {len(lines) - len(shown) + 1} more lines, which do not fit the terminal", "yellow")
        # The last column stays free: after it is filled, some terminals move to the next line and others do not.
        drawn = "".join(self._draw(line, columns - 1) + "\x1b[K\n" for line in shown)
        self.out.write(self._back() + drawn + "\x1b[J")
        self.out.flush()
        self._height = len(shown)

    def clear(self) -> None:
        """Erase the lines, so that other output can be written."""
        if self._height:
            self.out.write(self._back() + "\x1b[J")
            self.out.flush()
        self._height = 0

    def _back(self) -> str:
        return f"\r\x1b[{self._height}A" if self._height else ""

    def _draw(self, line: Line, width: int) -> str:
        text = cut(clean(line.text), width)
        color = _COLORS.get(line.color)
        return f"\x1b[{color}m{text}\x1b[0m" if self.has_color and color is not None else text
