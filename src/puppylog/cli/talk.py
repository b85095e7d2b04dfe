"""What commands say besides data: lines on stderr. Each is cleaned, for it may echo a file or a user."""

import sys

from puppylog.settings import Settings
from puppylog.tui.clean import clean


def tell(settings: Settings, text: str) -> None:
    """Say what has been done; nothing with ``--quiet``."""
    if not settings.quiet:
        warn(text)


def warn(text: str) -> None:
    """Say what is wrong."""
    sys.stderr.write(f"puppylog: {clean(text)}\n")
    sys.stderr.flush()
