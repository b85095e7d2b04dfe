"""Signals of the system: SIGINT and SIGTERM stop a collector, SIGHUP restarts it or lets it read its files again."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final, Self

from puppylog.cli.talk import warn
from puppylog.errors import StoreUnavailable

# A process must end within 10 s after SIGTERM, even if the store does not answer; service managers kill it later.
_STOP_TIMEOUT_S: Final = 9.0


class Signals:
    """A context manager that handles signals of the system while it is open.

    SIGINT and SIGTERM set `stop`. A second SIGINT ends the process at once, which loses nothing either.

    SIGHUP sets `stop`, too, if the caller can restart: it then calls `take_restart_request` after it has stopped. If
    the caller cannot restart, SIGHUP ends the process, as it does by default. It also does so if stdin is a terminal,
    because a terminal that closes sends SIGHUP. A caller that can read its files again without a restart passes
    `on_reload`, which SIGHUP then calls.
    """

    def __init__(self, *, can_restart: bool = False, on_reload: Callable[[], None] | None = None) -> None:
        self.stop = threading.Event()
        self._handlers: dict[signal.Signals, Callable[[int, FrameType | None], None]] = {
            signal.SIGINT: self._end,
            signal.SIGTERM: self._end,
        }
        self._on_reload = on_reload
        if (can_restart or on_reload is not None) and not (sys.stdin is not None and sys.stdin.isatty()):
            self._handlers[signal.SIGHUP] = self._request_restart
        self._is_ending = False
        self._wants_restart = False
        self._timer = threading.Timer(_STOP_TIMEOUT_S, _exit_without_commit)
        self._timer.daemon = True

    @property
    def is_restart_requested(self) -> bool:
        """Whether `take_restart_request` would return True."""
        return self._wants_restart and not self._is_ending

    def take_restart_request(self) -> bool:
        """Return whether SIGHUP has asked for a restart, and no other signal for an end; if so, clear `stop`."""
        if not self._wants_restart:
            return False
        self._wants_restart = False
        self.stop.clear()
        if self._is_ending:  # a signal may have arrived since the first line
            self.stop.set()
        return not self._is_ending

    def _end(self, number: int, frame: FrameType | None) -> None:
        if self._is_ending and number == signal.SIGINT:
            signal.default_int_handler(number, frame)
        if not self._is_ending:
            self._is_ending = True
            self.stop.set()
            self._timer.start()

    def _request_restart(self, _number: int, _frame: FrameType | None) -> None:
        if self._on_reload is not None:
            self._on_reload()
            return
        self._wants_restart = True
        self.stop.set()

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, handler) for number, handler in self._handlers.items()}
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        for number, handler in self._before.items():
            signal.signal(number, handler)


def _exit_without_commit() -> None:
    """End the process at once, as SIGKILL would. The next collector reads the uncommitted lines again."""
    warn("cannot commit the last lines: the store does not answer; nothing is lost, they will be read again")
    os._exit(StoreUnavailable.exit_code)
