"""The parts of the head of a line of an application, and the forms of words in it: see `puppylog.formats.app_head`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from puppylog.formats.rows import NO_TIME
from puppylog.model.severity import find_severity

_EPOCH = re.compile(r"[0-9]{10}.{0,9}", re.DOTALL)
_COMPACT = re.compile(r"[0-9]{14}")
_EPOCH_WITH_FRACTION = re.compile(r"[0-9]{10}\.([0-9]{3}|[0-9]{6})")
_EARLIEST_SURE_US: Final = 1_400_000_000_000_000  # in May 2014

LETTERS: Final[Mapping[str, str]] = {
    "T": "trace",
    "D": "debug",
    "I": "info",
    "N": "notice",
    "W": "warning",
    "E": "error",
    "C": "critical",
    "F": "critical",
}
"""Levels that are a single letter."""


@dataclass(slots=True)
class Head:
    """What the head of a line says; a text that it does not have is empty."""

    ts_us: int = NO_TIME
    is_local: bool = False
    zone_name: str = ""
    time: str = ""  # a time of day without a date, or with one that could mean several days
    level: str = ""  # as it is written; of a notation of letters, the letter
    logger: str = ""
    pid: str = ""
    tid: str = ""
    thread: str = ""
    user: str = ""
    file: str = ""
    line: str = ""
    function: str = ""
    event_id: str = ""
    context: str = ""
    message: str = ""


def find_level(word: str) -> str | None:
    """Return the severity of a word of a head; None if it is none, or if it is ``config``, a part of a program."""
    return find_severity(word) if word != "config" else None


def is_capitals(word: str) -> bool:
    """Return whether a word has ASCII capitals only, and perhaps a digit from 1 to 5 at its end, such as DEBUG2."""
    letters = word[:-1] if len(word) > 1 and word[-1] in "12345" else word
    return letters.isascii() and letters.isupper() and letters.isalpha()


def is_letter(byte: str) -> bool:
    return byte.isascii() and byte.isalpha()


def find_letter(letter: str) -> str:
    """Return the severity of a level that is a single letter."""
    return LETTERS[letter]


def is_thread(name: str) -> bool:
    """Return whether a name in brackets looks like that of a thread, and not of a logger."""
    if "::" in name:
        return False
    return name == "main" or "hread" in name or any(byte in "0123456789-:=" for byte in name)


def is_doubtful_epoch(stamp: str, us: int) -> bool:
    """Return whether a stamp is a number that could count something else, too.

    Milli- and microseconds after a dot are of a time, unless it is long ago.
    """
    if _EPOCH.fullmatch(stamp) is None or _COMPACT.fullmatch(stamp) is not None:
        return False
    return _EPOCH_WITH_FRACTION.fullmatch(stamp) is None or us < _EARLIEST_SURE_US
