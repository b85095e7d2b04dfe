"""Severities of OTLP: a number from 1 to 24, and the word that the sender's logger uses."""

from functools import lru_cache
from typing import Final, TypeAlias

from puppylog.formats.quoting import quote
from puppylog.model.severity import find_step

Members: TypeAlias = tuple[tuple[str, ...], tuple[str, ...]]  # keys, and the JSON value of each

NAMES: Final = ("trace", "debug", "info", "warn", "error", "fatal")
NUMBERS_PER_NAME: Final = 4  # 9 is INFO, 10 to 12 are INFO2 to INFO4


@lru_cache(maxsize=512)
def write_severity(number: int, text: str) -> Members:
    """Return the members of a record that say its severity.

    ``level`` is the sender's word if it is on the scale of severities, else the name that OTLP gives the number, else
    the word. The members ``severity_text`` and ``severity_number`` hold what ``level`` does not say.

    >>> write_severity(13, "WARNING")
    (('level',), ('"warning"',))
    >>> write_severity(10, "")
    (('level', 'severity_number'), ('"info"', '10'))
    """
    name = _find_name(number)
    word = text.lower()
    is_known = find_step(word) is not None
    level = word if is_known or name is None else name
    keys, values = [], []
    if level:
        keys.append("level")
        values.append(quote(level))
    if text and level != word:
        keys.append("severity_text")
        values.append(quote(text))
    if number and not _says_number(level, number):
        keys.append("severity_number")
        values.append(str(number))
    return tuple(keys), tuple(values)


def _find_name(number: int) -> str | None:
    place = (number - 1) // NUMBERS_PER_NAME
    return NAMES[place] if 0 <= place < len(NAMES) else None


def _says_number(level: str, number: int) -> bool:
    """Return whether the number is the first one of the name, and the level means the same as the name."""
    name = _find_name(number)
    return name is not None and (number - 1) % NUMBERS_PER_NAME == 0 and find_step(level) == find_step(name)
