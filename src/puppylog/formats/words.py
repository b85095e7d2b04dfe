"""Eight bytes of text read as one little-endian number, so that eight characters are judged by one operation.

Every position of a text has a word: ``words[i]`` holds the bytes ``i`` to ``i + 7``, the first one lowest. Positions
may lie a little outside the line in question: a block has margins, and what is read beyond a limit is never a result.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Bytes: TypeAlias = npt.NDArray[np.uint8]
Words: TypeAlias = npt.NDArray[np.uint64]
Positions: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

WORD_BYTES = 8

_ONE = np.uint64(1)
_ONES = np.uint64(0x0101010101010101)
_HIGHS = np.uint64(0x8080808080808080)
_ZERO_DIGITS = np.uint64(0x3030303030303030)
_OVER_NINE = np.uint64(0x7676767676767676)  # added to a byte, lifts what is above 9 to 0x80 or beyond
_UP_TO_A = np.uint64(0x4141414141414141)
_BEYOND_Z = np.uint64(0x2525252525252525)  # added to a byte, lifts what is above Z to 0x80 or beyond
_HIGHS_OF_FIRST = np.array([int(_HIGHS) & ((1 << 8 * size) - 1) for size in range(9)], np.uint64)
_SHIFTS = np.array([0, *(64 - 8 * size for size in range(1, 9))], np.uint64)

# A word of digits becomes a number in three steps: single digits to pairs, pairs to fours, fours to eights.
_TEN, _HUNDRED, _TEN_THOUSAND = np.uint64(10), np.uint64(100), np.uint64(10_000)
_BYTE, _TWO_BYTES, _FOUR_BYTES = np.uint64(8), np.uint64(16), np.uint64(32)
_BYTE_PAIRS = np.uint64(0x00FF00FF00FF00FF)
_HALF_WORDS = np.uint64(0x0000FFFF0000FFFF)
_LOWER_HALF = np.uint64(0x00000000FFFFFFFF)

_MOST_ROUNDS = 8  # of a word each; without an end, one line of a megabyte without a blank would cost 100,000 rounds


def view_words(text: Bytes) -> Words:
    """Return the word at each position of ``text``, without copying."""
    return np.ndarray((text.size - WORD_BYTES + 1,), np.dtype("<u8"), text, strides=(1,))


def word(text: str) -> np.uint64:
    """Return up to eight ASCII characters as a word, with zeros above them."""
    return np.uint64(int.from_bytes(text.encode("ascii"), "little"))


def find_in_word(words: Words, byte: int) -> npt.NDArray[np.uint8]:
    """Return where ``byte`` first stands in each word: 0 to 7, or 8 where it does not."""
    differs = words ^ (_ONES * np.uint64(byte))
    found = (differs - _ONES) & ~differs & _HIGHS  # the lowest bit set is true, those above it may not be
    bits_below: npt.NDArray[np.uint8] = np.bitwise_count((found - _ONE) & ~found)
    return bits_below >> np.uint8(3)


def find_byte(text: Bytes, words: Words, byte: int, since: Positions, until: Positions) -> Positions:
    """Return the first position of ``byte`` in each ``[since, until)``, and ``until`` where it is not there."""
    found: Positions = since + find_in_word(words[since], byte)
    pending = np.flatnonzero((found == since + WORD_BYTES) & (found < until))
    for _ in range(_MOST_ROUNDS):
        if not pending.size:
            break
        at = found[pending]
        here = at + find_in_word(words[at], byte)
        found[pending] = here
        pending = pending[(here == at + WORD_BYTES) & (here < until[pending])]
    if pending.size:
        everywhere = np.append(np.flatnonzero(text == byte), text.size)
        found[pending] = everywhere[np.searchsorted(everywhere, found[pending])]
    nearest: Positions = np.minimum(found, until)
    return nearest


def over_nine(digits: Words) -> Words:
    """Return words that are 0 where each of the eight bytes is at most 9."""
    return ((digits + _OVER_NINE) | digits) & _HIGHS


def are_capitals(words: Words, size: npt.NDArray[np.uint8]) -> Flags:
    """Return whether the first ``size`` characters, 1 to 8, are all from A to Z; never where ``size`` is 0."""
    highs = _HIGHS_OF_FIRST[size]
    are_in_range = ((words | _HIGHS) - _UP_TO_A) & ~(words + _BEYOND_Z) & ~words & highs
    are_all: Flags = (are_in_range == highs) & (size > 0)
    return are_all


def parse_digits(words: Words, size: Positions | int) -> tuple[Positions, Flags]:
    """Return the number that the last ``size`` characters of each word write, and whether they are 1 to 8 digits."""
    shift = _SHIFTS[np.clip(size, 0, WORD_BYTES)]
    digits = (words ^ _ZERO_DIGITS) >> shift << shift
    is_number = (over_nine(digits) == 0) & (size >= 1) & (size <= WORD_BYTES)
    pairs = (digits * _TEN + (digits >> _BYTE)) & _BYTE_PAIRS
    fours = (pairs * _HUNDRED + (pairs >> _TWO_BYTES)) & _HALF_WORDS
    eights = (fours * _TEN_THOUSAND + (fours >> _FOUR_BYTES)) & _LOWER_HALF
    return eights.view(np.int64), is_number
