"""Octet counting (RFC 6587): each message after its size in bytes and a blank, with nothing in between.

Sizes are believed as far as they can be: where a message ends, the line ends, or another size and message begin. One
that leads anywhere else is wrong, and its message goes on to the line's end; one that leads beyond the line has counted
a newline within the message.
"""

import re
from collections.abc import Iterator

_SIZE = re.compile(rb"([1-9][0-9]{0,8}) (?=<[0-9])")


def iter_frames(line: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield where each message, with its size, starts in the line, and the message. Without a size the line is one."""
    at = 0
    size = _SIZE.match(line)
    while size is not None:
        end = min(size.end() + int(size[1]), len(line))
        following = _SIZE.match(line, end)
        yield at, line[size.end() : end if following else len(line)]
        at, size = end, following
    if at == 0:
        yield 0, line
