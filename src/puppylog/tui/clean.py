"""Text in cells of a terminal: how wide it is, and how it is cut. Log text is cleaned first."""

import re
from collections.abc import Iterable
from typing import Final

from puppylog.model.printable import clean, clean_json

__all__ = ["clean", "clean_json", "cut", "cut_start", "is_narrow", "take", "width_of"]

# Each character of these ranges takes one cell: ASCII, Latin letters, and the characters of ellipses, frames and bars.
# Text of other characters is measured by wcwidth, whose import costs 25 ms, a sixth of the time of a command.
_NARROW: Final = re.compile("[ -~¡-¬®-˿…─-▟]*")


def is_narrow(text: str) -> bool:
    """Return whether it is known without wcwidth that each character of ``text`` takes one cell."""
    return _NARROW.fullmatch(text) is not None


def width_of(text: str) -> int:
    """Return the width of cleaned ``text`` in cells of a terminal: East Asian wide characters take two, marks none."""
    if text.isascii() or is_narrow(text):
        return len(text)
    return sum(width for _, width in _measure(text))


def take(text: str, width: int) -> str:
    """Return the longest start of cleaned ``text`` that is at most ``width`` cells wide."""
    if is_narrow(text):
        return text[: max(0, width)]
    taken, cells = [], 0
    for characters, their_width in _measure(text):
        cells += their_width
        if cells > width:
            break
        taken.append(characters)
    return "".join(taken)


def cut(text: str, width: int) -> str:
    """Return cleaned ``text`` cut to at most ``width`` cells, with an ellipsis at its end if it was cut."""
    if width_of(text) <= width:
        return text
    return take(text, width - 1) + "…" if width > 0 else ""


def cut_start(text: str, width: int) -> str:
    """Return the end of cleaned ``text`` in at most ``width`` cells, with an ellipsis at its start if it was cut."""
    if width_of(text) <= width:
        return text
    if is_narrow(text):
        return f"…{text[len(text) - width + 1 :]}" if width > 0 else ""
    taken, cells = [], 1  # one cell is the ellipsis
    for characters, their_width in reversed([*_measure(text)]):
        cells += their_width
        if cells > width:
            break
        taken.append(characters)
    return f"…{''.join(reversed(taken))}" if width > 0 else ""


def _measure(text: str) -> Iterable[tuple[str, int]]:
    """Yield each character of ``text`` together with its marks, and the width of both in cells."""
    import wcwidth  # noqa: PLC0415 - see _NARROW

    for characters in wcwidth.iter_graphemes(text):
        yield characters, wcwidth.width(characters, control_codes="ignore")
