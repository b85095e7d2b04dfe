r"""Log text is hostile: a character that a terminal obeys, hides or reorders is shown as an escape such as ``\x1b``.

The rule: a character that is not printable for Python (`str.isprintable`) is never written as itself. These are the
control characters of C0 and C1, line and paragraph separators, bidirectional overrides, zero-width and other format
characters, lone surrogates, and code points that are not assigned. Combining marks stay, because names need them.
"""

import unicodedata
from typing import Final

_WIDE: Final = frozenset("WF")
_MARKS: Final = frozenset({"Mn", "Me"})


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


def width_of(text: str) -> int:
    """Return the width of cleaned ``text`` in cells of a terminal: East Asian wide characters take two, marks none."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def cut(text: str, width: int) -> str:
    """Return cleaned ``text`` cut to at most ``width`` cells, with an ellipsis at its end if it was cut."""
    if width_of(text) <= width:
        return text
    taken, cells = [], 1  # one cell is the ellipsis
    for char in text:
        cells += _cells(char)
        if cells > width:
            break
        taken.append(char)
    return "".join(taken) + "…" if width > 0 else ""


def cut_start(text: str, width: int) -> str:
    """Return the end of cleaned ``text`` in at most ``width`` cells, with an ellipsis at its start if it was cut."""
    if width_of(text) <= width:
        return text
    first, cells = len(text), 1  # one cell is the ellipsis
    for at in range(len(text) - 1, -1, -1):
        cells += _cells(text[at])
        if cells > width:
            break
        if _cells(text[at]):  # not a mark, which belongs to the character before
            first = at
    return f"…{text[first:]}" if width > 0 else ""


def _cells(char: str) -> int:
    if unicodedata.category(char) in _MARKS:
        return 0
    return 2 if unicodedata.east_asian_width(char) in _WIDE else 1
