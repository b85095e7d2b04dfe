"""Removes the sequences with which programs colour their output on a terminal (ANSI escape sequences)."""

import re
from typing import Final

_START: Final = b"\x1b["
_SEQUENCE: Final = re.compile(rb"\x1b\[[0-9;:?]*[A-Za-z]")


def remove_colours(data: bytes) -> bytes:
    """Return the lines without such sequences, and ``data`` itself if it has none. No newline is removed."""
    return data if data.find(_START) < 0 else _SEQUENCE.sub(b"", data)
