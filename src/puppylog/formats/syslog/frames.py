"""Octet counting (RFC 6587): each message follows its size in bytes and a blank; nothing separates the messages.

A size is correct if the line ends after its message, or if another size and message follow. If a size is wrong, its
message extends to the end of the line. A size that exceeds the line has counted a newline in the message.
"""

import re
from collections.abc import Iterator

_SIZE = re.compile(rb"([1-9][0-9]{0,8}) (?=<[0-9])")


def iter_frames(line: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the offset in bytes of each size in the line, and the message after it.

    A line that does not begin with a size is one message.
    """
    at = 0
    size = _SIZE.match(line)
    while size is not None:
        end = min(size.end() + int(size[1]), len(line))
        following = _SIZE.match(line, end)
        yield at, line[size.end() : end if following else len(line)]
        at, size = end, following
    if at == 0:
        yield 0, line
