"""Signals of the system: SIGINT and SIGTERM stop a collector, SIGHUP restarts it or lets it read its files again.

Python runs a handler of a signal in the main thread, between two bytecodes. A handler must take no lock, because the
main thread may hold that lock at this moment, and `threading.Event.set` takes one. No handler runs while the main
thread waits for an answer of the engine. So another thread acts on the signals.
"""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Final, Self

from puppylog.cli.messages import warn
from puppylog.errors import StoreUnavailable

# A process must end within 10 s after SIGTERM, even if the store does not answer; service managers kill it later.
_STOP_TIMEOUT_S: Final = 9.0
_MAX_NUMBERS: Final = 64  # of signals, which are read at once


class Signals:
    """A context manager that handles signals of the system while it is open.

    SIGINT and SIGTERM set `stop`. A second SIGINT ends the process at once, which loses nothing either.

    SIGHUP sets `stop`, too, if the caller can restart: it then calls `take_restart_request` after it has stopped. If
    the caller cannot restart, SIGHUP ends the process, as it does by default. It also does so if stdin is a terminal,
    because a terminal that closes sends SIGHUP. A caller that can read its files again without a restart passes
    `on_reload`, which SIGHUP then calls, in a thread of its own.
    """

    def __init__(self, *, can_restart: bool = False, on_reload: Callable[[], None] | None = None) -> None:
        self.stop = threading.Event()
        self._actions: dict[int, Callable[[], None]] = {signal.SIGINT: self._end, signal.SIGTERM: self._end}
        self._on_reload = on_reload
        if (can_restart or on_reload is not None) and not (sys.stdin is not None and sys.stdin.isatty()):
            self._actions[signal.SIGHUP] = self._request_restart
        self._is_end_noted = False  # used by handlers only
        self._is_ending = False
        self._end_by = 0.0  # when the process ends in any case, if it is ending; in seconds of `time.monotonic`
        self._wants_restart = False
        self._thread = threading.Thread(target=self._act, name="signals", daemon=True)

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

    def _note(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal in the main thread. The system has sent its number to the thread that acts on it."""
        if number == signal.SIGHUP:
            return
        if self._is_end_noted and number == signal.SIGINT:
            signal.default_int_handler(number, frame)
        self._is_end_noted = True

    def _act(self) -> None:
        """Act on each signal, until the context ends."""
        while numbers := self._receive():
            for number in numbers:
                self._actions.get(number, _ignore)()

    def _receive(self) -> bytes:
        """Wait for signals; return their numbers, and nothing when the context has ended."""
        self._reading.settimeout(max(0.0, self._end_by - time.monotonic()) if self._is_ending else None)
        try:
            return self._reading.recv(_MAX_NUMBERS)
        except (TimeoutError, BlockingIOError):
            _exit_without_commit()
            return b""

    def _end(self) -> None:
        if not self._is_ending:
            self._end_by = time.monotonic() + _STOP_TIMEOUT_S
            self._is_ending = True
            self.stop.set()

    def _request_restart(self) -> None:
        if self._on_reload is not None:
            self._on_reload()
            return
        self._wants_restart = True
        self.stop.set()

    def __enter__(self) -> Self:
        self._reading, self._writing = socket.socketpair()
        self._writing.setblocking(False)
        self._thread.start()
        self._receiver_before = signal.set_wakeup_fd(self._writing.fileno(), warn_on_full_buffer=False)
        self._before = {number: signal.signal(number, self._note) for number in self._actions}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._receiver_before)
        self._writing.close()
        self._thread.join()
        self._reading.close()


def _ignore() -> None:
    """Do nothing: the signal is handled elsewhere."""


def _exit_without_commit() -> None:
    """End the process at once, as SIGKILL would. The next collector reads the uncommitted lines again."""
    warn("cannot commit the last lines: the store does not answer; nothing is lost, they will be read again")
    os._exit(StoreUnavailable.exit_code)
