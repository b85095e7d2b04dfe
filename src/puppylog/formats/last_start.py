"""Finds where the last record of some lines begins, in formats that join lines to the record before."""

from collections.abc import Callable
from typing import Final, TypeAlias

from puppylog.formats.ansi import remove_colours
from puppylog.formats.rows import Rows

ReadRecords: TypeAlias = Callable[[bytes], Rows]

_WINDOW_BYTES: Final = 4096  # at the end of the lines, read first; a larger one follows one without a beginning
_LARGER: Final = 16


def find_last_start(read: ReadRecords, lines: bytes) -> int:
    """Return the offset of the line in which the last record begins, -1 if all lines continue the record before.

    Args:
        read: returns the rows of lines, with continuation lines joined. It must not change a state.
        lines: whole lines.
    """
    size = _WINDOW_BYTES
    while lines:
        start = 0 if size >= len(lines) else lines.find(b"\n", len(lines) - size - 1) + 1
        found = _find_in_window(read, lines[start:])
        if found >= 0:
            return start + found
        if start == 0:
            return -1
        size *= _LARGER
    return 0


def _find_in_window(read: ReadRecords, window: bytes) -> int:
    text = remove_colours(window)
    try:
        rows = read(text)
    except UnicodeError:
        text = text.decode("utf-8", "replace").encode()
        rows = read(text)
    starts = [int(column[-1].as_py()) for column in (rows.starts, rows.rejected_starts) if len(column)]
    if len(rows.starts) + len(rows.rejected_starts) <= rows.orphans:
        return -1
    if text is window:
        return window.rfind(b"\n", 0, max(starts)) + 1  # a line may have several messages of syslog
    # Removing colours and replacing bytes neither adds nor removes a newline.
    number = text.count(b"\n", 0, max(starts))
    return sum(len(line) + 1 for line in window.split(b"\n", number)[:number])
