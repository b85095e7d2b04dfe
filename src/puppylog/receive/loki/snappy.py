"""The block format of snappy, in which Loki's senders compress protobuf."""

from typing import Final

import pyarrow as pa

from puppylog.receive.loki.streams import TooLarge
from puppylog.receive.loki.varint import read_varint
from puppylog.receive.received import NotDecoded

_MAX_RATIO: Final = 32
"""A block grows by less than this factor: three bytes copy at most 64."""


def decompress(block: bytes, limit: int) -> bytes:
    """Return what a block of snappy contains.

    Args:
        block: the block, which begins with the length of its content as a varint.
        limit: the largest content, in bytes. No memory is taken for a larger one.

    Raises:
        NotDecoded: this is not a block of snappy.
        TooLarge: the content is larger than ``limit``.
    """
    length = read_content_length(block)
    if length > limit:
        raise TooLarge("", f"the request has {length} bytes after decompression, and the limit is {limit}")
    try:
        return bytes(pa.Codec("snappy").decompress(block, length, asbytes=True))
    except (OSError, pa.ArrowInvalid) as error:
        raise NotDecoded("", "the body is not a block of snappy") from error


def read_content_length(block: bytes) -> int:
    """Return how many bytes a block of snappy declares to contain.

    Raises:
        NotDecoded: it declares no length, or one that a block of this size cannot have.
    """
    declared = read_varint(block, 0)
    if declared is None:
        raise NotDecoded("", "the body is not a block of snappy: it has no length at its start")
    length, _ = declared
    if length > _MAX_RATIO * len(block):
        raise NotDecoded("", f"{len(block)} bytes of snappy cannot have the {length} bytes that they declare")
    return length
