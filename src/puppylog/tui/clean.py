r"""Log text is hostile: a character that a terminal obeys, hides or reorders is shown as an escape such as ``\x1b``.

The rule: a character that is not printable for Python (`str.isprintable`) is never written as itself. These are the
control characters of C0 and C1, line and paragraph separators, bidirectional overrides, zero-width and other format
characters, lone surrogates, and code points that are not assigned. Combining marks stay, because names need them.
"""

import re
from collections.abc import Iterable
from typing import Final

# Each character of these ranges takes one cell: ASCII, Latin letters, and the characters of ellipses, frames and bars.
# Text of other characters is measured by wcwidth, whose import costs 25 ms, a sixth of the time of a command.
_NARROW: Final = re.compile("[ -~¡-¬®-˿…─-▟]*")


def clean(text: str) -> str:
    r"""Return ``text`` on one line and safe for a terminal: ``"a\x1b[2J"`` becomes ``"a\\x1b[2J"``."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def clean_json(document: str) -> str:
    r"""Return the JSON ``document``, a single line, with each character that is not printable as ``\uXXXX``.

    The result decodes to the same value.
    """
    if document.isprintable():
        return document
    return "".join(char if char.isprintable() else _json_escape(char) for char in document)


def _json_escape(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


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
