"""The three standard streams of this process: always open, and never the cause of a traceback.

A program that is started with ``>&-`` has no stdout, and the next file that it opens gets descriptor 1: a write to
stdout could then go into a database. So a closed descriptor is occupied at start by a file that refuses every read or
write with EBADF, the error of a closed descriptor.
"""

import codecs
import errno
import os
import select
import sys
import time
from contextlib import suppress
from typing import Final, TextIO

_STDIN, _STDOUT, _STDERR = range(3)
# Modes in which a read of stdin and a write to stdout or stderr fail with EBADF.
_REFUSING_MODES: Final = {_STDIN: os.O_WRONLY, _STDOUT: os.O_RDONLY, _STDERR: os.O_RDONLY}

_PLAINLY: Final = "puppylog.plainly"
# The characters of charts and tables, for terminals whose encoding has none of them. Each takes one cell, as before.
_PLAIN: Final = {
    **dict.fromkeys("█▉▊▋▌▇▆▅▄", "#"),
    **dict.fromkeys("▍▎▏", "-"),
    **dict.fromkeys("▃▂▁·…", "."),
    **dict.fromkeys("│┃├┤", "|"),
    **dict.fromkeys("─━", "-"),
    **dict.fromkeys("┌┐└┘┬┴┼", "+"),
}


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
    """Let the streams write a character that their encoding lacks as a similar one of ASCII, or else as an escape."""
    codecs.register_error(_PLAINLY, _write_plainly)
    for stream in streams:
        with suppress(AttributeError):  # a test may have replaced the stream
            stream.reconfigure(errors=_PLAINLY)  # type: ignore[attr-defined]  # only real text files have it


def _write_plainly(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    end = error.start + 1  # one character at a time
    plain = _PLAIN.get(error.object[error.start])
    if plain is not None:
        return plain, end
    return codecs.backslashreplace_errors(
        UnicodeEncodeError(error.encoding, error.object, error.start, end, error.reason)
    )


def sleep_while_read(seconds: float) -> None:
    """Sleep; return early if stdout is a pipe that nobody reads any more.

    Raises:
        BrokenPipeError: nobody reads stdout any more, as after ``| head`` has ended.
    """
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError, AttributeError):  # a test may have replaced it
        time.sleep(seconds)
        return
    poll = select.poll()
    poll.register(descriptor, 0)  # only errors and hang-ups, which are always reported
    if any(events & select.POLLERR for _, events in poll.poll(seconds * 1000)):
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


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
