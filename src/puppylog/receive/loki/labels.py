r"""Labels as text, in the notation of Prometheus: ``{job="web", path="a\"b"}``."""

import re
from collections.abc import Mapping
from typing import Final

_PAIR: Final = re.compile(
    r"""[ \t\n]*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<name>[^\s="{},]+))[ \t\n]*=[ \t\n]*"""
    r"""(?:"(?P<text>(?:[^"\\]|\\.)*)"|`(?P<raw>[^`]*)`)[ \t\n]*(?:,|(?=\}))""",
    re.DOTALL,
)
_ESCAPE: Final = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))", re.DOTALL)
_SHORT: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "a": "\a"}
_MAX_CODE: Final = 0x10FFFF


def parse_labels(text: str) -> Mapping[str, str] | None:
    r"""Return the labels by name; None if the text does not have the notation.

    >>> parse_labels('{job="web", path="C:\\\\logs"}')
    {'job': 'web', 'path': 'C:\\logs'}
    >>> parse_labels("job=web") is None
    True
    """
    text = text.strip()
    if not text.startswith("{") or not text.endswith("}"):
        return None
    labels = {}
    at = 1
    while match := _PAIR.match(text, at):
        name = match["name"] if match["quoted"] is None else _unescape(match["quoted"])
        labels[name] = match["raw"] if match["text"] is None else _unescape(match["text"])
        at = match.end()
    return labels if text[at:].strip() == "}" else None


def _unescape(text: str) -> str:
    return _ESCAPE.sub(_read_escape, text) if "\\" in text else text


def _read_escape(match: re.Match[str]) -> str:
    byte, short, long, octal, character = match.groups()
    if character is not None:
        return _SHORT.get(character, character)
    code = int(octal, 8) if octal is not None else int(byte or short or long, 16)
    return chr(code) if code <= _MAX_CODE else "\ufffd"
