"""Messages of commands: lines on stderr. Each is cleaned, because it may quote a log or an argument.

A message that cannot be written is dropped, and the command continues: a collector must not stop because the disk that
holds its stderr is full.
"""

import os
import sys
from contextlib import suppress
from typing import Final

from puppylog.settings import Settings
from puppylog.tui.clean import clean, cut, cut_start, width_of

_INDENT: Final = "  "
# How many cells of the text around a caret are shown, at least.
_MIN_WIDTH: Final = 16

PREFIX: Final = "puppylog: "
"""The beginning of each message."""


def tell(settings: Settings, text: str) -> None:
    """Write a message, unless ``--quiet`` is given."""
    if not settings.quiet:
        warn(text)


def warn(text: str) -> None:
    """Write a message about something that is wrong, even with ``--quiet``."""
    _write(f"{PREFIX}{clean(text)}\n")


def show_caret(text: str, at: int) -> None:
    """Write ``text``, and a caret below its character at index ``at``.

    On a terminal that is narrower than the text, only the part of it around the caret is written.
    """
    before, after = clean(text[:at]), clean(text[at:])
    width = _width_of_stderr()
    behind = max(width_of(after), 1)  # the caret may stand behind the text
    if width is not None and len(_INDENT) + width_of(before) + behind > width:
        available = max(width - len(_INDENT), _MIN_WIDTH)
        before = cut_start(before, max(available // 2, available - behind))
        after = cut(after, available - width_of(before))
    _write(f"{_INDENT}{before}{after}\n{_INDENT}{' ' * width_of(before)}^\n")


def _width_of_stderr() -> int | None:
    """Return the width of the terminal at stderr in cells; None if stderr is not a terminal."""
    with suppress(OSError, ValueError, AttributeError):
        return os.get_terminal_size(sys.stderr.fileno()).columns
    return None


def _write(text: str) -> None:
    with suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.flush()
