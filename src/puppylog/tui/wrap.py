"""Text that is too long for its place: wrapped, or cut where a word ends. Widths are in cells of a terminal."""

import re
from collections.abc import Iterator
from typing import Final

from puppylog.tui.clean import cut, cut_start, is_narrow, take, width_of

# A long word ends after one of these characters, if more than a third of the line is used: paths and routes have them.
_JOINT: Final = re.compile(r"[/?&;,=:_.-](?=[^/?&;,=:_.-])")


def wrap(text: str, width: int) -> list[str]:
    """Return cleaned ``text`` as lines of at most ``width`` cells, at least one. Only a word wider than that is broken.

    >>> wrap("cannot read 2015-05-17", 12), wrap("/shop/articles/1", 12)
    (['cannot read', '2015-05-17'], ['/shop/', 'articles/1'])
    """
    if width_of(text) <= width:
        return [text]
    if longest_word(text) > width:
        text = " ".join(part for word in text.split(" ") for part in _iter_parts(word, max(2, width)))
    if is_narrow(text):
        import textwrap  # noqa: PLC0415 - most tables wrap nothing

        return textwrap.wrap(text, max(1, width), break_on_hyphens=False) or [""]
    import wcwidth  # noqa: PLC0415 - see clean.py

    return wcwidth.wrap(text, max(2, width), break_on_hyphens=False) or [""]


def _iter_parts(word: str, width: int) -> Iterator[str]:
    """Yield the parts of a word, each of them at most ``width`` cells wide. No two neighbours fit into one line."""
    while width_of(word) > width:
        kept = take(word, width)
        joints = [found.end() for found in _JOINT.finditer(word, len(kept) // 3, len(kept) + 1)]
        end = max((joint for joint in joints if joint <= len(kept)), default=len(kept))
        yield word[:end]
        word = word[end:]
    yield word


def cut_at_word(text: str, width: int) -> str:
    """Return cleaned ``text`` cut to at most ``width`` cells: after a word, or else at a joint of a long word.

    >>> cut_at_word("no space left on device", 12), cut_at_word("/shop/articles/1", 12)
    ('no space…', '/shop/…')
    """
    if width_of(text) <= width:
        return text
    kept = take(text, width - 1)
    if text[len(kept) : len(kept) + 1] == " ":
        return kept.rstrip() + "…" if width > 0 else ""
    third = len(kept) // 3
    blank = kept.rfind(" ", third)
    joints = [found.end() for found in _JOINT.finditer(text, third, len(kept) + 1) if found.end() <= len(kept)]
    if joints and blank < 2 * third and joints[-1] > blank:
        return kept[: joints[-1]] + "…"
    return kept[:blank].rstrip() + "…" if blank > 0 else cut(text, width)


def cut_path(text: str, width: int) -> str:
    """Return the end of a cleaned path in at most ``width`` cells, from a directory on if one begins soon.

    >>> cut_path("/srv/production/logs/a.log", 20)
    '…/logs/a.log'
    """
    shown = cut_start(text, width)
    slash = shown.find("/", 1, len(shown) // 2 + 1)
    return shown if slash < 0 or shown == text else f"…{shown[slash:]}"


def longest_word(text: str) -> int:
    """Return the width of the widest word of cleaned ``text``: 0 without a word."""
    return max(map(width_of, text.split(" ")), default=0)
