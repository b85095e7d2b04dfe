"""Waiting for the engine so that Ctrl-C is heard.

A call into gRPC does not return before its answer, and Python handles a signal only between its own steps. So the main
thread, which alone gets signals, leaves the call to another thread and waits for that one.
"""

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def interruptible(call: Callable[[], T]) -> T:
    """Return what ``call`` returns. In the main thread, KeyboardInterrupt ends the waiting; the call goes on."""
    if threading.current_thread() is not threading.main_thread():
        return call()
    answers: queue.SimpleQueue[tuple[bool, T | BaseException]] = queue.SimpleQueue()

    def run() -> None:
        try:
            answers.put((True, call()))
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            answers.put((False, error))

    threading.Thread(target=run, daemon=True, name="waiting").start()
    is_answer, answer = answers.get()
    if is_answer:
        return answer  # type: ignore[return-value] # the flag tells which of the two it is
    raise answer  # type: ignore[misc] # as above
