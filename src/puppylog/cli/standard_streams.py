"""The three standard streams of this process: always open, and never the cause of a traceback.

A program that is started with ``>&-`` has no stdout, and the next file that it opens gets descriptor 1: a write to
stdout could then go into a database. So a closed descriptor is occupied at start by a file that refuses every read or
write with EBADF, the error of a closed descriptor.
"""

import os
import sys
from contextlib import suppress
from typing import Final, TextIO

_STDIN, _STDOUT, _STDERR = range(3)
# Modes in which a read of stdin and a write to stdout or stderr fail with EBADF.
_REFUSING_MODES: Final = {_STDIN: os.O_WRONLY, _STDOUT: os.O_RDONLY, _STDERR: os.O_RDONLY}


def open_missing_streams() -> None:
    """Open the standard streams that the process was started without, so that using them fails with EBADF."""
    for descriptor, mode in _REFUSING_MODES.items():
        _occupy(descriptor, mode)
    if sys.stdin is None:
        sys.stdin = open(_STDIN, encoding="utf-8", closefd=False)  # noqa: SIM115 - it lives as long as the process
    if sys.stdout is None:
        sys.stdout = open(_STDOUT, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - likewise
    if sys.stderr is None:
        sys.stderr = open(_STDERR, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - likewise


def never_fail_to_encode(*streams: TextIO) -> None:
    """Let the streams write a character that their encoding lacks as an escape."""
    for stream in streams:
        with suppress(AttributeError):  # a test may have replaced the stream
            stream.reconfigure(errors="backslashreplace")  # type: ignore[attr-defined]  # only real text files have it


def discard_output(stream: TextIO) -> None:
    """Send the rest of the stream's output to /dev/null, so that the interpreter's last flush does not fail."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def discard_stderr_if_broken() -> None:
    """Discard the output to a stderr that cannot be written, which would otherwise change the exit code."""
    try:
        sys.stderr.flush()
    except OSError:
        discard_output(sys.stderr)


def _occupy(descriptor: int, mode: int) -> None:
    try:
        os.fstat(descriptor)
    except OSError:
        opened = os.open(os.devnull, mode)
        if opened != descriptor:
            os.dup2(opened, descriptor)
            os.close(opened)
