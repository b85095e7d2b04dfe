r"""Recognizes text whose lines end with a carriage return (CR) only, as on the classic Mac, by its first bytes.

A CR within a line that ends with \n is text: programs overwrite the progress that they show.
"""

import os
import time
from enum import Enum, auto

from puppylog.tail.handle import OpenFile

HEAD_BYTES = 4096
"""How many bytes at the start of a file are looked at."""

_MIN_LINES = 3
_QUIET_S = 10.0  # a shorter file counts once it is unchanged for this long: its first \n may still be written


class LineEnd(Enum):
    """How the lines of a file end."""

    LF = auto()  # or with CR and LF
    CR = auto()
    MAYBE_CR = auto()  # CR, but the file is short and was changed recently: the line may still get its \n
    UNKNOWN = auto()  # the file is short, and has neither


def has_lone_cr(text: bytes) -> bool:
    r"""Return whether a CR in the text is not followed by \n."""
    return b"\r" in text.replace(b"\r\n", b"")


def find_line_end(handle: OpenFile) -> LineEnd:
    r"""Return how the lines of a file end: with CR if its first bytes have at least 3 of them and no \n.

    Raises:
        OSError: the file cannot be read now.
    """
    head = handle.read(HEAD_BYTES, 0)
    if b"\n" in head:
        return LineEnd.LF
    has_lines = head.count(b"\r") >= _MIN_LINES
    if len(head) == HEAD_BYTES:
        return LineEnd.CR if has_lines else LineEnd.LF
    if not has_lines:
        return LineEnd.UNKNOWN
    is_complete = handle.is_compressed or quiet_s(handle.status(), time.time()) >= _QUIET_S
    return LineEnd.CR if is_complete else LineEnd.MAYBE_CR


def quiet_s(status: os.stat_result, now: float) -> float:
    """Return for how many seconds a file has not been changed; 0 if that is unknown.

    A modification time in the future is wrong: the system's clock was set back, or a program has set the file's time.
    In the second case the kernel has noted when the program did that, as the time of the last status change. If both
    times are in the future, the clock was set back.

    Args:
        status: of the file.
        now: the system's time in seconds since the epoch.
    """
    changed_at = status.st_mtime if status.st_mtime <= now else status.st_ctime
    return max(0.0, now - changed_at)
