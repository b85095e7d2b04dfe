"""Signs of life to the service manager, from their own thread, as long as collector and server move."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from puppylog.cli.service_socket import ServiceSocket
from puppylog.collect.collector import Collector

# A collector moves ten times a second. If it stands still for less than this time, it is not considered hung.
_MIN_STILL_S: Final = 2.0
_MAX_PAUSE_S: Final = 1.0


class Watchdog:
    """Gives signs of life until the ``with`` block ends, and says when the process begins to stop."""

    def __init__(
        self,
        service: ServiceSocket,
        collector: Collector,
        stop: threading.Event,
        *,
        on_stop: Callable[[], None] | None = None,
        is_serving: Callable[[float], bool] | None = None,
    ) -> None:
        """Prepare.

        Args:
            service: the service manager.
            collector: moves, or hangs.
            stop: set when the process is to end.
            on_stop: called once when `stop` is set.
            is_serving: returns whether the server has moved within a number of seconds; None if there is no server.
        """
        self._service = service
        self._collector = collector
        self._stop = stop
        self._on_stop = on_stop
        self._is_serving = is_serving
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="signs of life", daemon=True)

    def _run(self) -> None:
        watchdog_s = self._service.watchdog_s
        pause_s = _MAX_PAUSE_S if watchdog_s is None else min(_MAX_PAUSE_S, watchdog_s / 4)
        is_stopping = False
        while not self._end.is_set():
            if watchdog_s is not None and self._moves(max(watchdog_s / 2, min(_MIN_STILL_S, watchdog_s))):
                self._service.tell_alive()
            if self._stop.wait(pause_s):
                if not is_stopping:
                    self._service.tell_stopping()
                    if self._on_stop is not None:
                        self._on_stop()
                is_stopping = True
                self._end.wait(pause_s)

    def _moves(self, within_s: float) -> bool:
        is_collecting = time.monotonic() - self._collector.moved_at < within_s
        is_serving = self._is_serving is None or self._is_serving(within_s)  # also if the collector hangs: it asks
        return is_collecting and is_serving

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end.set()
        self._stop.set()
        self._thread.join(_MAX_PAUSE_S)
