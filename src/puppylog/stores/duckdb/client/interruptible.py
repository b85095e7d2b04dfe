"""Waiting for the engine so that Ctrl-C ends the waiting.

A call into gRPC does not return before its answer, and Python handles a signal only between its own steps. Python runs
its handlers of signals in the main thread alone. So the main thread leaves the call to another thread and waits for
that one.
"""

import queue
import threading
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

# A signal interrupts the waiting of the main thread only if the system hands it to that thread, and while it waits
# already. The main thread handles any other signal when it wakes.
_WAKE_S: Final = 0.5


def interruptible(call: Callable[[], T]) -> T:
    """Return what ``call`` returns, and raise what it raises.

    Called in the main thread, it raises KeyboardInterrupt at most half a second after SIGINT; the call goes on in its
    own thread. Called in another thread, which gets no signals, it waits until the call ends.
    """
    if threading.current_thread() is not threading.main_thread():
        return call()
    answers: queue.SimpleQueue[tuple[bool, T | BaseException]] = queue.SimpleQueue()

    def run() -> None:
        try:
            answers.put((True, call()))
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            answers.put((False, error))

    threading.Thread(target=run, daemon=True, name="waiting").start()
    is_answer, answer = _wait_for(answers)
    if is_answer:
        return answer  # type: ignore[return-value] # the flag tells which of the two it is
    raise answer  # type: ignore[misc] # as above


def _wait_for(answers: "queue.SimpleQueue[tuple[bool, T | BaseException]]") -> tuple[bool, T | BaseException]:
    while True:
        try:
            return answers.get(timeout=_WAKE_S)
        except queue.Empty:
            continue
