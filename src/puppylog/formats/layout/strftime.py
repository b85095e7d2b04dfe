"""Parses the pattern of strftime in Apache's ``%{…}t`` into texts and fields."""

import re
from collections.abc import Iterator
from typing import Final

from puppylog.formats.layout.fields import Field, Token, make_error
from puppylog.formats.layout.program import Kind

_DIRECTIVE: Final = re.compile(r"%[EO]?(.?)", re.DOTALL)
_SHORT: Final = {"T": "%H:%M:%S", "R": "%H:%M", "D": "%m/%d/%y", "F": "%Y-%m-%d", "r": "%I:%M:%S %p"}
_TEXTS: Final = {"%": "%", "t": "\t"}
_FIELDS: Final = {
    "Y": Field("time", Kind.YEAR, size=4),
    "y": Field("time", Kind.YEAR_OF_CENTURY, size=2),
    "m": Field("time", Kind.MONTH, size=2),
    "b": Field("time", Kind.MONTH_NAME, size=3),
    "h": Field("time", Kind.MONTH_NAME, size=3),
    "B": Field("time", Kind.MONTH_NAME),
    "d": Field("time", Kind.DAY, size=2),
    "e": Field("time", Kind.DAY, size=2),
    "H": Field("time", Kind.HOUR, size=2),
    "k": Field("time", Kind.HOUR, size=2),
    "I": Field("time", Kind.HOUR_OF_TWELVE, size=2),
    "l": Field("time", Kind.HOUR_OF_TWELVE, size=2),
    "p": Field("time", Kind.HALF_DAY, size=2),
    "M": Field("time", Kind.MINUTE, size=2),
    "S": Field("time", Kind.SECOND, size=2),
    "z": Field("time", Kind.ZONE, size=5),
    "s": Field("time", Kind.EPOCH),
    "a": Field("time_zone", Kind.SKIP, size=3),
    "A": Field("time_zone", Kind.SKIP),
    "Z": Field("time_zone", Kind.SKIP),
    "u": Field("time_zone", Kind.SKIP, size=1),
    "w": Field("time_zone", Kind.SKIP, size=1),
}


def iter_parts(pattern: str, written: str, at: int) -> Iterator[Token]:
    """Yield the texts and fields of a pattern.

    Args:
        pattern: a pattern of strftime.
        written: the format string that contains the pattern, for errors.
        at: the index of the pattern in that string.

    Raises:
        FormatError: a directive is unknown.
    """
    start = 0
    for match in _DIRECTIVE.finditer(pattern):
        yield pattern[start : match.start()]
        letter, place = match[1], at + match.start()
        start = match.end()
        if letter in _SHORT:
            yield from iter_parts(_SHORT[letter], written, place)
        elif letter in _TEXTS:
            yield _TEXTS[letter]
        elif letter in _FIELDS:
            field = _FIELDS[letter]
            yield Field(field.name, field.kind, size=field.size, at=place, written=match[0])
        else:
            raise make_error(written, place, f"{match[0]} in a time is unknown; known are %{' %'.join(_known())}")
    yield pattern[start:]


def _known() -> list[str]:
    return sorted([*_FIELDS, *_SHORT, *_TEXTS], key=lambda letter: (letter.lower(), letter))
