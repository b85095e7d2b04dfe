"""Severities of OTLP: a number from 1 to 24, and the word that the sender's logger uses."""

from functools import lru_cache
from typing import Final, TypeAlias

from puppylog.formats.quoting import quote
from puppylog.model.severity import NUMBERS, find_severity, name_of_number

Members: TypeAlias = tuple[tuple[str, ...], tuple[str, ...]]  # keys, and the JSON value of each

NAMES: Final = ("trace", "debug", "info", "warn", "error", "fatal")
NUMBERS_PER_NAME: Final = 4  # 9 is INFO, 10 to 12 are INFO2 to INFO4
_FATAL: Final = 21


@lru_cache(maxsize=512)
def write_severity(number: int, text: str) -> Members:
    """Return the members of a record that say its severity.

    ``level`` is the severity that the sender's word means, else the one that the number means. The members
    ``severity_text`` and ``severity_number`` hold what ``level`` does not say.

    >>> write_severity(13, "WARN")
    (('level', 'severity_text'), ('"warning"', '"WARN"'))
    >>> write_severity(14, "")
    (('level', 'severity_number'), ('"warning"', '14'))
    """
    level = find_severity(text) or name_of_number(number)
    keys, values = [], []
    if level:
        keys.append("level")
        values.append(quote(level))
    if text and level != text.lower():
        keys.append("severity_text")
        values.append(quote(text))
    if number and (level is None or number not in {NUMBERS[level], _FATAL} or name_of_number(number) != level):
        keys.append("severity_number")
        values.append(str(number))
    return tuple(keys), tuple(values)
