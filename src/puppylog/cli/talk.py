"""What commands say besides data: lines on stderr. Each is cleaned, for it may echo a file or a user.

A line that cannot be written is lost, and the command goes on: a collector must not stop because the disk that takes
its stderr is full.
"""

import sys
from contextlib import suppress

from puppylog.settings import Settings
from puppylog.tui.clean import clean, width_of


def tell(settings: Settings, text: str) -> None:
    """Say what has been done; nothing with ``--quiet``."""
    if not settings.quiet:
        warn(text)


def warn(text: str) -> None:
    """Say what is wrong."""
    _write(f"puppylog: {clean(text)}\n")


def point(text: str, at: int) -> None:
    """Show a text with a caret below the character that stands at ``at``."""
    before = clean(text[:at])
    _write(f"  {before}{clean(text[at:])}\n  {' ' * width_of(before)}^\n")


def _write(text: str) -> None:
    with suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.flush()
