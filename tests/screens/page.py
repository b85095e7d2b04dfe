"""The page docs/screens.md: each screen of 80 columns, with links to the other widths."""

from collections.abc import Sequence
from typing import Final

from screens.screens import WIDTHS, Screen

_SHOWN: Final = 80
_HEAD: Final = """# Screens

What commands show in a terminal of 80 columns, and below each screen links to what they show in other widths. From
within the folder `tests`, `python -m screens` makes this page from two small logs, and a test compares it with the
commands. On a terminal, screens have colours.
"""


def write_page(screens: Sequence[Screen]) -> str:
    """Return the text of the page."""
    parts = [_HEAD]
    for screen in screens:
        if screen.columns == _SHOWN:
            others = [f"[{width}](screens/{screen.name}-{width}.txt)" for width in WIDTHS]
            parts.append(
                f"## `puppylog {screen.command}`\n\n```text\n{screen.text}```\n\nColumns: {' · '.join(others)}\n"
            )
    return "\n".join(parts)
