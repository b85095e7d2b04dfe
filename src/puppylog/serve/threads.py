"""Threads that call the store. They do not keep the process from ending."""

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")

_Call: TypeAlias = tuple["Future[Any]", Callable[[], Any]]


class Threads:
    """Calls functions in a limited number of threads, which are started as they are needed.

    Python's own pool waits at the end of the process for calls that run, and a store that does not answer could hold
    the process for a minute. `submit` and `close` are called in one thread.
    """

    def __init__(self, name: str, count: int) -> None:
        self._name = name
        self._count = count
        self._threads = 0
        self._running = 0  # calls that run or wait; under the lock
        self._lock = threading.Lock()
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()

    def submit(self, call: Callable[[], T]) -> "asyncio.Future[T]":
        """Call the function in a thread; return a future of the running loop."""
        future: Future[T] = Future()
        with self._lock:
            self._running += 1
            is_needed = self._running > self._threads and self._threads < self._count
        if is_needed:
            self._threads += 1
            threading.Thread(target=self._work, name=f"{self._name} {self._threads}", daemon=True).start()
        self._calls.put((future, call))
        return asyncio.wrap_future(future)

    def close(self) -> None:
        """Let the threads end after the calls that were submitted. Does not wait."""
        for _ in range(self._threads):
            self._calls.put(None)

    def _work(self) -> None:
        while (task := self._calls.get()) is not None:
            future, call = task
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(call())
                except BaseException as error:  # noqa: BLE001 - the caller gets it from the future
                    future.set_exception(error)
            del task, future, call  # the thread may wait for long, and they may hold much memory
            with self._lock:
                self._running -= 1
