"""Runs something in a thread that a test stops at the end."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def running(run: Callable[[], object], stop: threading.Event) -> Iterator[None]:
    """Call ``run`` in a thread, set ``stop`` at the end, and check that ``run`` returned without an exception."""
    failures: list[BaseException] = []

    def call() -> None:
        try:
            run()
        except BaseException as failure:  # noqa: BLE001 - the assertion below shows it
            failures.append(failure)

    thread = threading.Thread(target=call)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    assert failures == []
