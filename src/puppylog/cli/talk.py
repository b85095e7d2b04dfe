"""What commands say besides data: lines on stderr. Each is cleaned, for it may echo a file or a user."""

import sys

from puppylog.settings import Settings
from puppylog.tui.clean import clean, width_of


def tell(settings: Settings, text: str) -> None:
    """Say what has been done; nothing with ``--quiet``."""
    if not settings.quiet:
        warn(text)


def warn(text: str) -> None:
    """Say what is wrong."""
    sys.stderr.write(f"puppylog: {clean(text)}\n")
    sys.stderr.flush()


def point(text: str, at: int) -> None:
    """Show a text with a caret below the character that stands at ``at``."""
    before = clean(text[:at])
    sys.stderr.write(f"  {before}{clean(text[at:])}\n  {' ' * width_of(before)}^\n")
    sys.stderr.flush()
