"""The severity of a record, and the word that the line has for it. ``native/severity.c`` does the same in C.

The column ``severity`` has the word of the scale. If the line has another word for it, such as ``WARN``, the attribute
``severity_text`` keeps that word. A single letter, a number or a sign is not kept: it says nothing more.
"""

import re
from collections.abc import Mapping
from typing import Final

from puppylog.formats.quoting import quote
from puppylog.formats.rows import Member
from puppylog.model.severity import find_severity, name_of_number

KEY: Final = "severity_text"

NOTATIONS: Final = (
    *("words", "syslog", "opentelemetry", "python", "log4j", "logback", "windows", "nextcloud", "mongodb"),
    *("postgresql", "keywords", "apple", "listed"),
)
"""How a format writes severities. All have the words of `find_severity`, and ``keywords`` has nothing else. ``words``
also has single letters, and the numbers of Bunyan and pino. ``listed`` is a list in which one text may be a level: it
is read by ``fields``. The others have numbers, letters or words of their own."""

_LETTERS: Final = {"t": "trace", "v": "trace", "d": "debug", "i": "info", "n": "notice", "w": "warning"} | {
    "e": "error",
    "c": "critical",
    "f": "critical",
}
_TENS: Final = ("trace", "debug", "info", "warning", "error", "critical")  # 10 to 60
_OF_NUMBER: Final[Mapping[str, Mapping[str, str]]] = {
    "words": {str(number): _TENS[number // 10 - 1] for number in range(10, 70)},
    "syslog": dict(
        zip("01234567", ("emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"), strict=True)
    ),
    "opentelemetry": {str(number): name_of_number(number) or "" for number in range(1, 25)},
    "python": {str(number): _TENS[min(number // 10, 5)] for number in range(1, 100)},
    "log4j": {f"{number}00": word for number, word in enumerate(reversed(_TENS), 1)},
    "logback": {"5000": "trace"} | {f"{number}0000": word for number, word in enumerate(_TENS[1:], 1)},
    "windows": dict(zip("012345", ("info", "critical", "error", "warning", "info", "trace"), strict=True)),
    "nextcloud": dict(zip("01234", ("debug", "info", "warning", "error", "critical"), strict=True)),
}
_WITH_LETTERS: Final = {"words", "mongodb"}
_MONGODB_DEBUG: Final = re.compile("D[1-5]")
_OWN_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "postgresql": {"panic": "emergency"},  # the server stops all sessions
    "apple": {"default": "notice", "fault": "critical"},
}


def read_severity(written: str, notation: str = "words") -> tuple[str | None, str]:
    """Return the severity that a text means, and the word to keep; None and an empty word if it is not a severity.

    Args:
        written: the text, perhaps with blanks around it.
        notation: one of `NOTATIONS`.

    >>> read_severity("WARN "), read_severity("3", "syslog"), read_severity("W")
    (('warning', 'WARN'), ('error', ''), ('warning', ''))
    """
    word = written.strip(" ")
    lower = word.lower()
    if word.isascii() and lower in (own := _OWN_WORDS.get(notation, {})):
        return own[lower], word
    severity = find_severity(word)
    if severity is not None:
        return severity, word if lower != severity else ""
    if notation == "mongodb" and _MONGODB_DEBUG.fullmatch(word):
        return "debug", ""
    if notation in _WITH_LETTERS and word.isascii() and lower in _LETTERS:
        return _LETTERS[lower], ""
    return _OF_NUMBER.get(notation, {}).get(word), ""


def severity_columns(written: str) -> tuple[str | None, list[Member]]:
    """Return the severity that a word means, and the members of ``attributes`` that it adds.

    Args:
        written: the word in the line, without brackets around it. A single letter or a number is not a severity.

    >>> severity_columns("WARN")
    ('warning', [('severity_text', '"WARN"')])
    >>> severity_columns("Error")
    ('error', [])
    >>> severity_columns("loud")
    (None, [])
    """
    severity = find_severity(written)
    if severity is None or written.lower() == severity:
        return severity, []
    return severity, [(KEY, quote(written))]
