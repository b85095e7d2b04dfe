"""Messages of commands: lines on stderr. Each is cleaned, because it may quote a log or an argument.

A message that cannot be written is dropped, and the command continues: a collector must not stop because the disk that
holds its stderr is full.
"""

import sys
from contextlib import suppress

from puppylog.settings import Settings
from puppylog.tui.clean import clean, width_of


def tell(settings: Settings, text: str) -> None:
    """Write a message, unless ``--quiet`` is given."""
    if not settings.quiet:
        warn(text)


def warn(text: str) -> None:
    """Write a message about something that is wrong, even with ``--quiet``."""
    _write(f"puppylog: {clean(text)}\n")


def show_caret(text: str, at: int) -> None:
    """Write ``text``, and a caret below its character at index ``at``."""
    before = clean(text[:at])
    _write(f"  {before}{clean(text[at:])}\n  {' ' * width_of(before)}^\n")


def _write(text: str) -> None:
    with suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.flush()
