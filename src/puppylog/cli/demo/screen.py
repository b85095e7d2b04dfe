"""The output of the demo: lines and, on a terminal, a status line below them that changes."""

import threading
from typing import TextIO

import click

from puppylog.cli.surroundings import can_redraw
from puppylog.tui.clean import clean, cut

_CLEAR_LINE = "\r\x1b[K"


class Screen:
    """Writes lines, safely from several threads. The status line is shown only on a terminal that can redraw it."""

    def __init__(self, out: TextIO, *, color: bool | None, width: int) -> None:
        self.is_live = can_redraw(out)
        self._color = self.is_live if color is None else color
        self._out = out
        self._width = width
        self._status = ""
        self._lock = threading.Lock()

    def say(self, text: str = "", **style: bool | str) -> None:
        """Write a line, cleaned because it may quote a log."""
        self._write(click.style(clean(text), **style) if self._color and style else clean(text))  # type: ignore[arg-type] # of click's styles

    def show(self, status: str) -> None:
        """Replace the status line."""
        if self.is_live:
            with self._lock:
                self._status = cut(clean(status), self._width - 1)
                self._out.write(f"{_CLEAR_LINE}{self._status}")
                self._out.flush()

    def hide(self) -> None:
        """Erase the status line before other output."""
        if self._status:
            self.show("")

    def _write(self, line: str) -> None:
        with self._lock:
            if self._status:
                self._out.write(_CLEAR_LINE)
            self._out.write(f"{line}\n{self._status}")
            self._out.flush()
