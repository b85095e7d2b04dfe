"""Varints: numbers in as few bytes as they need, as protobuf and snappy write lengths."""

from typing import Final

_LONGEST: Final = 5  # in bytes: a length has at most 32 bits
_MORE: Final = 0x80  # the bit that says that another byte follows


def read_length(data: bytes, at: int) -> tuple[int, int] | None:
    """Return the length that is written at the offset ``at``, and the offset after it; None if there is no length.

    >>> read_length(bytes([0xAC, 0x02]), 0), read_length(bytes([0xAC]), 0)
    ((300, 2), None)
    """
    length = 0
    for place, byte in enumerate(data[at : at + _LONGEST]):
        length |= (byte & ~_MORE) << (7 * place)
        if byte < _MORE:
            return length, at + place + 1
    return None
