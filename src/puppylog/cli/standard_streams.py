"""The three standard streams of this process: always open, and never a reason for a traceback.

A program that is started with ``>&-`` has no stdout, and the next file it opens gets the number 1: a stray write to
stdout would then go into a database. So a number that is closed is taken at once, by a file that refuses every write
with the error that a closed stdout gives any other program.
"""

import os
import sys
from contextlib import suppress
from typing import Final, TextIO

_STDIN, _STDOUT, _STDERR = range(3)
# Opened the wrong way round, so that a read of stdin and a write to the others fail with EBADF.
_WRONG_WAY: Final = {_STDIN: os.O_WRONLY, _STDOUT: os.O_RDONLY, _STDERR: os.O_RDONLY}


def open_missing_streams() -> None:
    """Open the standard streams that the process was started without."""
    for number, mode in _WRONG_WAY.items():
        _take_number(number, mode)
    if sys.stdin is None:
        sys.stdin = open(_STDIN, encoding="utf-8", closefd=False)  # noqa: SIM115 - it lives as long as the process
    if sys.stdout is None:
        sys.stdout = open(_STDOUT, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - likewise
    if sys.stderr is None:
        sys.stderr = open(_STDERR, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - likewise


def never_fail_to_encode(*streams: TextIO) -> None:
    """Write whatever a terminal's encoding has no character for as an escape."""
    for stream in streams:
        with suppress(AttributeError):  # a test's stand-in
            stream.reconfigure(errors="backslashreplace")  # type: ignore[attr-defined]  # only real text files have it


def abandon(stream: TextIO) -> None:
    """Drop what is still in the buffer, so that it does not fail again when the interpreter ends."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def abandon_stderr_if_broken() -> None:
    """Keep a stderr that takes nothing any more from changing the exit code."""
    try:
        sys.stderr.flush()
    except OSError:
        abandon(sys.stderr)


def _take_number(number: int, mode: int) -> None:
    try:
        os.fstat(number)
    except OSError:
        taken = os.open(os.devnull, mode)
        if taken != number:
            os.dup2(taken, number)
            os.close(taken)
