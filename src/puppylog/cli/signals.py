"""Ending when asked to, and reading everything again."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final, Self

from puppylog.cli.talk import warn
from puppylog.errors import StoreUnavailable

# A store that neither answers nor breaks must not keep a process that was asked to end; others would kill it.
_LAST_WORD_S: Final = 9.0


class Signals:
    """Sets `stop` at SIGINT and SIGTERM. A second SIGINT ends at once; nothing is lost by that either.

    SIGHUP sets it, too, for one who asks with `begin_anew` whether to go on. Where nobody would, and in a terminal,
    which says by it that it is gone, it ends the process as ever. Usable with ``with``.
    """

    def __init__(self, *, can_begin_anew: bool = False) -> None:
        self.stop = threading.Event()
        self._handlers: dict[signal.Signals, Callable[[int, FrameType | None], None]] = {
            signal.SIGINT: self._end,
            signal.SIGTERM: self._end,
        }
        if can_begin_anew and not (sys.stdin is not None and sys.stdin.isatty()):
            self._handlers[signal.SIGHUP] = self._read_again
        self._is_ending = False
        self._is_reading_again = False
        self._last_word = threading.Timer(_LAST_WORD_S, _give_up)
        self._last_word.daemon = True

    @property
    def is_reading_again(self) -> bool:
        """Whether `begin_anew` would say so."""
        return self._is_reading_again and not self._is_ending

    def begin_anew(self) -> bool:
        """Return whether it was stopped only to read everything again; `stop` is unset then."""
        if not self._is_reading_again:
            return False
        self._is_reading_again = False
        self.stop.clear()
        if self._is_ending:  # meanwhile
            self.stop.set()
        return not self._is_ending

    def _end(self, number: int, frame: FrameType | None) -> None:
        if self._is_ending and number == signal.SIGINT:
            signal.default_int_handler(number, frame)
        if not self._is_ending:
            self._is_ending = True
            self.stop.set()
            self._last_word.start()

    def _read_again(self, _number: int, _frame: FrameType | None) -> None:
        self._is_reading_again = True
        self.stop.set()

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, handler) for number, handler in self._handlers.items()}
        return self

    def __exit__(self, *_: object) -> None:
        self._last_word.cancel()
        for number, handler in self._before.items():
            signal.signal(number, handler)


def _give_up() -> None:
    """End as a kill would: what is not committed will be read again."""
    warn("cannot commit what was read last: the store does not answer; nothing is lost")
    os._exit(StoreUnavailable.exit_code)
