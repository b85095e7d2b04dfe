"""Waiting for the engine so that Ctrl-C ends the waiting.

A call into gRPC does not return before its answer, and Python runs signal handlers only in the main thread, between two
bytecodes. So another thread makes the call, and the main thread waits for that thread.
"""

import queue
import threading
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

# The system may deliver a signal to another thread, which does not interrupt the wait of the main thread. So the main
# thread wakes this often, in seconds, to handle such a signal.
_WAKE_S: Final = 0.5


def interruptible(call: Callable[[], T]) -> T:
    """Return what ``call`` returns, and raise what it raises.

    In the main thread, this raises KeyboardInterrupt at most half a second after SIGINT, and ``call`` goes on in its
    own thread. In another thread, which handles no signals, this waits until ``call`` returns.
    """
    if threading.current_thread() is not threading.main_thread():
        return call()
    answers: queue.SimpleQueue[tuple[bool, T | BaseException]] = queue.SimpleQueue()

    def run() -> None:
        try:
            answers.put((True, call()))
        except BaseException as error:  # noqa: BLE001 - raised in the thread that waits for the answer
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
