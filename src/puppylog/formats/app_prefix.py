"""Finds the stamp of a record after a short prefix of ids. ``native/app_prefix.c`` does the same in C.

A prefix has ids, numbers, names in capitals and marks between them: ``78017 00cff -- none -- - 2026-11-24 10:00:00``. A
stamp after words is data of a message, as in ``paid until 2026-11-24 10:00:00``, and never the time of a record. A
number since the epoch counts only if a date follows it, because other numbers have ten digits, too.
"""

import re
from dataclasses import dataclass
from typing import Final

from puppylog.formats.dating import Dating
from puppylog.formats.stamp import read_stamp
from puppylog.model.severity import find_severity

_ALLOWED = re.compile(r"[0-9A-Za-z_./:@#| -]{0,80}")
_STAMP = re.compile(r"(?:(?<=[ |])|(?<=::)|\A)(?:[12][0-9]{3}[/.:-][0-9A-Za-z]|[0-9]{10}(?=[ .]))")
_DATE = re.compile(r"[ -]+(?:[0-9]{4}([/.-])[0-9]{1,2}\1[0-9]{1,2}|[0-9]{1,2}([/.-])[0-9]{1,2}\2[0-9]{4})(?=[ T])")
_BETWEEN = re.compile(r"[ |]+|::")
_PLAIN_WORD = re.compile(r"[A-Z]?[a-z]+")
_CAPITALS = re.compile(r"[A-Z]+[1-5]?")
_ID = re.compile(r"[0-9A-Za-z]")

_DIGITS_OF_EPOCH: Final = 10
_SHORTEST: Final = 19  # bytes of ``2026-11-24 10:00:00``; a stamp without seconds is data


@dataclass(frozen=True, slots=True)
class Prefix:
    """What stands before the stamp of a record."""

    end: int  # the index of the stamp
    text: str  # without marks at its end
    level: str  # a level in capitals; or empty


def find_prefix(text: str, dating: Dating) -> Prefix | None:
    """Return the prefix before the stamp of a record; None if there is no such stamp.

    Args:
        text: a line that begins with no head.
        dating: what the stamps before have shown.
    """
    allowed = _ALLOWED.match(text)
    end = allowed.end() if allowed is not None else 0
    for match in _STAMP.finditer(text):
        if match.start() >= end:
            return None
        found = read_stamp(text, match.start(), dating)
        if found is None:
            continue
        is_epoch = len(match[0]) == _DIGITS_OF_EPOCH
        size = len(text[match.start() : found.end].encode())
        is_sure = _DATE.match(text, found.end) is not None if is_epoch else size >= _SHORTEST
        level = _read_ids(text[: match.start()], may_be_marks=is_epoch) if is_sure else None
        if level is not None:
            return Prefix(match.start(), text[: match.start()].rstrip(" |:-"), level)
    return None


def _read_ids(prefix: str, *, may_be_marks: bool) -> str | None:
    """Return the level in a prefix, or an empty text; None if the prefix has words of a sentence."""
    level, has_id, was_word, has_parts = "", may_be_marks, True, False
    for part in _BETWEEN.split(prefix):
        if not part:
            continue
        has_parts = True
        if part.endswith((":", ".")):
            return None
        is_word = _PLAIN_WORD.fullmatch(part) is not None
        if is_word and was_word:
            return None
        was_word = is_word
        has_id = has_id or _ID.search(part) is not None
        if _CAPITALS.fullmatch(part) and find_severity(part) is not None:
            level = part
    return level if has_id and (not was_word or not has_parts) else None
