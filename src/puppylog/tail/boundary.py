"""Where records of several lines begin, such as a message with its stack trace. Pure: it sees whole lines."""

import re
from collections.abc import Sequence
from typing import Protocol, cast

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.errors import UsageError

# What goes on with the line before: it is indented or empty, closes a bracket, or is how a Java trace names a cause.
_BEGINNING = re.compile(rb"(?![ \t\r\n)\]}]|Caused by:|Suppressed:|\.\.\. \d+ )")

_WINDOW_BYTES = 4096


class Boundary(Protocol):
    """Tells the first line of a record from those that continue it."""

    def find_last_start(self, lines: bytes) -> int:
        r"""Return where the last line starts that begins a record, or -1.

        Args:
            lines: whole lines, each ended by \n.
        """

    def mark_starts(self, lines: Sequence[bytes]) -> list[bool]:
        """Return of each line, without its newline, whether it begins a record."""


class IndentationBoundary:
    """A line that is indented, empty, or clearly the end of what was begun before continues the record."""

    def find_last_start(self, lines: bytes) -> int:
        """See `Boundary`. Goes back line by line, no further than to the first that begins a record."""
        end = len(lines)
        while end > 0:
            start = lines.rfind(b"\n", 0, end - 1) + 1
            if _BEGINNING.match(lines, start):
                return start
            end = start
        return -1

    def mark_starts(self, lines: Sequence[bytes]) -> list[bool]:
        """See `Boundary`."""
        return [_BEGINNING.match(line + b"\n") is not None for line in lines]


class PatternBoundary:
    """A line in which the pattern is found begins a record.

    The pattern is of RE2's kind, which takes linear time whatever people write, and is matched on a column of lines.
    """

    def __init__(self, pattern: str) -> None:
        """Take the pattern.

        Raises:
            UsageError: it is no pattern, or one that RE2 does not know.
        """
        self._pattern = pattern
        try:
            self._find_beginnings([b""])
        except pa.ArrowInvalid as error:
            cause = str(error).removeprefix("Invalid regular expression: ")
            raise UsageError("use", f"the pattern {pattern!r}", cause) from None

    def find_last_start(self, lines: bytes) -> int:
        """See `Boundary`. Looks at a few of the last lines, and at more of them as long as there is none."""
        end, size = len(lines), _WINDOW_BYTES
        while end > 0:
            start = 0 if size >= end else lines.rfind(b"\n", 0, end - size) + 1
            window = lines[start:end].split(b"\n")[:-1]
            begins = self._find_beginnings(window)
            if len(begins):
                return start + sum(len(line) + 1 for line in window[: begins[-1]])
            end, size = start, size * 8
        return -1

    def mark_starts(self, lines: Sequence[bytes]) -> list[bool]:
        """See `Boundary`."""
        return cast("list[bool]", pc.match_substring_regex(pa.array(lines, pa.binary()), self._pattern).to_pylist())

    def _find_beginnings(self, lines: list[bytes]) -> list[int]:
        matches = pc.match_substring_regex(pa.array(lines, pa.binary()), self._pattern)
        return cast("list[int]", pc.indices_nonzero(matches).to_pylist())
