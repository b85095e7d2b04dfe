"""Sets of characters as ranges of code points, and the characters that differ only in case."""

import functools
from collections.abc import Iterable
from typing import Final, TypeAlias

Ranges: TypeAlias = tuple[tuple[int, int], ...]
"""Sorted ranges of code points, first and last included, that neither overlap nor touch."""

LAST: Final = 0x10FFFF
# The last code point that has another case. A test compares it with Python's tables.
LAST_CASED: Final = 0x1E943

DIGITS: Final[Ranges] = ((48, 57),)
LETTERS: Final[Ranges] = ((65, 90), (97, 122))
WORD: Final[Ranges] = ((48, 57), (65, 90), (95, 95), (97, 122))
BLANKS: Final[Ranges] = ((9, 10), (12, 13), (32, 32))  # RE2's \s has no vertical tab
NEWLINE: Final[Ranges] = ((10, 10),)

POSIX: Final[dict[str, Ranges]] = {
    "alnum": ((48, 57), *LETTERS),
    "alpha": LETTERS,
    "ascii": ((1, 127),),
    "blank": ((9, 9), (32, 32)),
    "cntrl": ((1, 31), (127, 127)),
    "digit": DIGITS,
    "graph": ((33, 126),),
    "lower": ((97, 122),),
    "print": ((32, 126),),
    "punct": ((33, 47), (58, 64), (91, 96), (123, 126)),
    "space": ((9, 13), (32, 32)),
    "upper": ((65, 90),),
    "word": WORD,
    "xdigit": ((48, 57), (65, 70), (97, 102)),
}
"""The classes that are written ``[:name:]``, all of them ASCII."""


def unite(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Return the ranges in order. Ranges that overlap or touch become one."""
    united: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if united and low <= united[-1][1] + 1:
            united[-1] = (united[-1][0], max(high, united[-1][1]))
        else:
            united.append((low, high))
    return tuple(united)


def complement(ranges: Ranges) -> Ranges:
    """Return all characters outside ``ranges``, except NUL, which no store can keep."""
    gaps = []
    low = 1
    for first, last in ranges:
        if first > low:
            gaps.append((low, first - 1))
        low = last + 1
    if low <= LAST:
        gaps.append((low, LAST))
    return tuple(gaps)


def ignore_case(ranges: Ranges) -> Ranges:
    """Return the characters of ``ranges``, and all characters that differ from one of them only in case.

    >>> ignore_case(((97, 97),))
    ((65, 65), (97, 97))
    """
    found = list(ranges)
    for low, high in ranges:
        for code in range(low, min(high, LAST_CASED) + 1):
            found.extend((other, other) for other in _other_cases(code))
    return unite(found)


def _other_cases(code: int) -> Iterable[int]:
    if code < 128:
        return _ASCII_CASES.get(code, ())
    return _cases().get(_fold(code), ())


# Most patterns are ASCII, and the table of all cases takes a tenth of a second to build.
_ASCII_CASES: Final[dict[int, tuple[int, ...]]] = {
    **{code: (code + 32,) for code in range(65, 91)},
    **{code: (code - 32,) for code in range(97, 123)},
    **dict.fromkeys(map(ord, "Kk"), (75, 107, 0x212A)),  # the Kelvin sign
    **dict.fromkeys(map(ord, "Ss"), (83, 115, 0x17F)),  # the long s
}


# The dotted capital I and the dotless small i. To RE2, neither is a case of i.
_TURKISH: Final = frozenset({0x130, 0x131})


def _fold(code: int) -> int:
    """Return the code point that represents all characters that differ from ``code`` only in case."""
    if code in _TURKISH:
        return code
    upper = chr(code).upper()
    lower = (upper if len(upper) == 1 else chr(code)).lower()
    return ord(lower) if len(lower) == 1 else code


@functools.cache
def _cases() -> dict[int, tuple[int, ...]]:
    groups: dict[int, list[int]] = {}
    for code in range(LAST_CASED + 1):
        groups.setdefault(_fold(code), []).append(code)
    return {fold: tuple(codes) for fold, codes in groups.items() if len(codes) > 1}
