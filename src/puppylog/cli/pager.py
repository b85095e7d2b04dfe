"""A pager for output that is longer than the screen, as git has it: the command in $PAGER, or less.

Without LESS in the environment, less gets the options that git gives it: colours are shown (R), the screen is not
cleared at the end (X), and what fits on a screen needs no key (F). It begins at the end of the text if the newest
records are there.
"""

import io
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import Final, TextIO

_DEFAULT: Final = "less"
_LESS_OPTIONS: Final = "-FRX"
_AT_END: Final = " +G"


@contextmanager
def page_output(*, begins_at_end: bool) -> Iterator[None]:
    """Send what the block writes to stdout through a pager, if stdout is a terminal and the text is longer.

    If the reader quits the pager early, the rest of the block is skipped without an error. At the end of the block,
    wait until the reader quits. What the block writes to stderr appears after that, so that it is not overwritten.
    """
    command = find_pager(os.environ)
    if command is None or not sys.stdout.isatty():
        yield
        return
    terminal, notes = sys.stdout, io.StringIO()
    paged = PagedOutput(terminal, command, shutil.get_terminal_size().lines, begins_at_end=begins_at_end)
    try:
        with suppress(BrokenPipeError), redirect_stdout(paged), redirect_stderr(notes):
            yield
    finally:
        paged.finish()
        sys.stderr.write(notes.getvalue())


def find_pager(environ: Mapping[str, str]) -> str | None:
    """Return the command of the pager; None if the user wants none, or if it is not installed."""
    command = environ.get("PAGER", _DEFAULT)
    try:
        words = shlex.split(command)
    except ValueError:  # a quote is not closed
        return None
    if not words or words[0] == "cat" or environ.get("TERM") == "dumb" or shutil.which(words[0]) is None:
        return None
    return command


class PagedOutput(io.TextIOBase):
    """A text stream to a terminal that starts a pager when more lines are written than the screen has."""

    def __init__(self, terminal: TextIO, command: str, height: int, *, begins_at_end: bool) -> None:
        super().__init__()
        self._terminal, self._command, self._height = terminal, command, height
        self._less_options = _LESS_OPTIONS + (_AT_END if begins_at_end else "")
        self._held: list[str] = []  # what was written before the pager was started
        self._lines = 0
        self._pager: subprocess.Popen[str] | None = None

    def isatty(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        """Write to the pager, or keep the text as long as it fits on the screen.

        Raises:
            BrokenPipeError: the reader has quit the pager.
        """
        if self._pager is not None and self._pager.stdin is not None:
            return self._pager.stdin.write(text)
        self._held.append(text)
        self._lines += text.count("\n")
        if self._lines >= self._height:
            self._start()
        return len(text)

    def flush(self) -> None:
        """Pass what was written on to the pager, if it was started."""
        if self._pager is not None and self._pager.stdin is not None:
            self._pager.stdin.flush()

    def finish(self) -> None:
        """Write what is kept to the terminal, or wait until the reader quits the pager."""
        if self._pager is None:
            self._terminal.write("".join(self._held))
            self._terminal.flush()
            return
        # An interrupt is for the pager, which shares the terminal: less stops a search with it, and goes on.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            if self._pager.stdin is not None:
                with suppress(BrokenPipeError):
                    self._pager.stdin.close()
            self._pager.wait()
        finally:
            signal.signal(signal.SIGINT, before)

    def _start(self) -> None:
        self._terminal.flush()
        self._pager = subprocess.Popen(
            ["/bin/sh", "-c", self._command],
            stdin=subprocess.PIPE,
            text=True,
            encoding=self._terminal.encoding,
            errors="backslashreplace",
            env={"LESS": self._less_options, **os.environ},
        )
        held, self._held = "".join(self._held), []
        self.write(held)
