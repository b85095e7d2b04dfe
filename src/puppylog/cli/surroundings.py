"""What a command gets from its process: the time and the terminal. Tests, and the screens in the pages, fix both."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TextIO

import click

from puppylog.settings import Settings, utc_now


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The clock and the terminal of a command."""

    clock: Callable[[], datetime] = utc_now  # returns the current time
    columns: int | None = None  # the width in cells to write for; None: that of stdout, if stdout is a terminal

    def find_width(self) -> int | None:
        """Return the width of the terminal in cells; None if the command writes to no terminal."""
        if self.columns is not None:
            return self.columns
        if not sys.stdout.isatty():
            return None
        from shutil import get_terminal_size  # noqa: PLC0415 - only a terminal needs it, and it takes 2 ms of CPU

        return get_terminal_size().columns


def get_surroundings() -> Surroundings:
    """Return the surroundings that the running command was given, or else those of the process."""
    ctx = click.get_current_context(silent=True)
    given = None if ctx is None else ctx.find_object(Surroundings)
    return given or Surroundings()


def wants_color(settings: Settings) -> bool:
    """Return whether output to stdout is coloured."""
    return settings.color if settings.color is not None else sys.stdout.isatty()


def can_redraw(out: TextIO) -> bool:
    """Return whether lines that were written to ``out`` can be replaced: on a terminal that is not a dumb one."""
    return out.isatty() and not is_dumb()


def is_dumb() -> bool:
    """Return whether the terminal, if there is one, says that it obeys no control sequences."""
    return os.environ.get("TERM") == "dumb"
