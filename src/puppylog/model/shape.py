"""The shape of a message: its text with a star in place of every part that varies.

A store masks messages in SQL with the two patterns of this module, and `shape_of` does the same in Python. RE2 and
Python take the first alternative that matches, PostgreSQL the longest one. So the patterns are written such that the
first alternative that matches is the longest: an alternative that may match more precedes the others.
"""

import re
from typing import Final

MAX_CHARACTERS: Final = 500
"""The shape is that of the first line of a message, of at most this many characters."""

_HEX: Final = "[0-9a-fA-F]"
_TAIL: Final = "(?:[.][0-9]+)*"  # decimals, and the other numbers of an IPv4 address or of a version
_GROUPS: Final = f"{_HEX}{{1,4}}(?::{_HEX}{{1,4}}){{0,6}}"

# The first group begins with a digit, or is that of a local address: `std::vector` is not an address.
_IPV6: Final = (
    f"(?:[0-9]{_HEX}{{0,3}}|[fF](?:[eE]80|[cdCD]{_HEX}{{2}}))"
    f"(?:(?::{_HEX}{{1,4}}){{7}}|(?::{_HEX}{{1,4}}){{0,6}}::(?:{_GROUPS})?)"
)

VARYING: Final = "|".join(
    (
        f"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}",  # UUID
        _IPV6,
        f"[A-Za-z]*[0-9]+[A-Za-z]+[0-9][0-9A-Za-z]*{_TAIL}",  # an id: digits, letters, digits
        f"[A-Za-z]+[0-9]+[A-Za-z]+{_TAIL}",  # an id: letters, digits, letters
        f"0[xX]{_HEX}+",
        f"{_HEX}{{8,}}{_TAIL}",  # a long hexadecimal id; no common word has eight such letters in a row
        f"[0-9]+{_TAIL}",
        '"[^"]*"',
    )
)
"""A regular expression of the parts that vary. It has no groups that capture: with them, RE2 takes twice the time."""

QUOTED: Final = "(^|[ =:(,{[])'[^']*'"
"""A text in single quotes, and the character before it, which tells it from an apostrophe. Applied after `VARYING`."""

_VARYING: Final = re.compile(VARYING)
_QUOTED: Final = re.compile(QUOTED)


def shape_of(message: str) -> str:
    r"""Return the shape of a message.

    >>> shape_of("user 17 logged in from 10.0.0.1:8080 as 'ann b' (3f2a9c1b77)\n  at main")
    'user * logged in from *:* as * (*)'
    """
    line = message.partition("\n")[0][:MAX_CHARACTERS]
    return _QUOTED.sub(r"\1*", _VARYING.sub("*", line))
