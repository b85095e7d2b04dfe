"""Varints: numbers in as few bytes as they need, as protobuf and snappy write tags and lengths."""

from typing import Final

_MORE: Final = 0x80  # the bit that says that another byte follows


def read_varint(data: bytes, at: int, *, longest: int = 5) -> tuple[int, int] | None:
    """Return the number that is written at the offset ``at``, and the offset after it; None if there is none.

    Args:
        data: the bytes.
        at: the offset.
        longest: of how many bytes the number may be; five bytes have at least 32 bits.

    >>> read_varint(bytes([0xAC, 0x02]), 0), read_varint(bytes([0xAC]), 0)
    ((300, 2), None)
    """
    number = 0
    for place, byte in enumerate(data[at : at + longest]):
        number |= (byte & ~_MORE) << (7 * place)
        if byte < _MORE:
            return number, at + place + 1
    return None
