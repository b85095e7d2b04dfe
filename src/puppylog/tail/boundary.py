"""Finds where records of several lines begin, such as a message with its stack trace. Pure: it gets whole lines."""

import re
from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias, cast

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.errors import UsageError
from puppylog.tail.chunk import TailedFile

# A line continues the record of the line before if the line is indented or empty, closes a bracket, or names a cause in
# a Java stack trace. Every other line begins a record.
_BEGINNING = re.compile(rb"(?![ \t\r\n)\]}]|Caused by:|Suppressed:|\.\.\. \d+ )")

_WINDOW_BYTES = 4096  # searched first, from the end; a window without a match is followed by a larger one


class Boundary(Protocol):
    """Distinguishes the first line of a record from the lines that continue the record. A parser is a boundary."""

    def find_last_start(self, lines: bytes) -> int:
        r"""Return the offset in bytes at which the last record of ``lines`` begins, which may still go on.

        Return the size of ``lines`` if the last record is complete, and -1 if all lines continue the record before.

        Args:
            lines: whole lines, each ended by \n. They follow the lines of the call before.
        """


OpenBoundary: TypeAlias = Callable[[TailedFile], Boundary | None]
"""Returns the boundary of a file; None if every line is a record."""


def no_boundary(_: TailedFile) -> None:
    """Return None: every line is a record. See `OpenBoundary`."""


class LineBoundary(Boundary, Protocol):
    """A boundary that knows each line by itself."""

    def mark_starts(self, lines: Sequence[bytes]) -> list[bool]:
        """Return whether each line begins a record.

        Args:
            lines: without their newlines.
        """


class IndentationBoundary:
    r"""Lines that are indented or empty, close a bracket, or continue a Java stack trace continue a record.

    Example:
        >>> boundary = IndentationBoundary()
        >>> boundary.mark_starts([b"ERROR no cart", b"  at shop.py:7", b"INFO up"])
        [True, False, True]
        >>> boundary.find_last_start(b"ERROR no cart\n  at shop.py:7\n")
        0
    """

    def find_last_start(self, lines: bytes) -> int:
        """See `Boundary`. Goes back line by line from the end, so a record that began recently is found fast."""
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
    """A line begins a record if the pattern is found in it.

    The pattern is matched by RE2, whose time is linear in the length of the line for every pattern.
    """

    def __init__(self, pattern: str) -> None:
        """Use the pattern.

        Raises:
            UsageError: the pattern is not valid, or RE2 does not support it.
        """
        self._pattern = pattern
        try:
            self._find_beginnings([b""])
        except pa.ArrowInvalid as error:
            cause = str(error).removeprefix("Invalid regular expression: ")
            raise UsageError("use", f"the pattern {pattern!r}", cause) from None

    def find_last_start(self, lines: bytes) -> int:
        """See `Boundary`. Searches a small window at the end first, then larger windows before it."""
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
