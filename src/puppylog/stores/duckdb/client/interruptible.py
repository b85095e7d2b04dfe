"""Waiting for the engine so that Ctrl-C ends the waiting.

A call into gRPC does not return before its answer, and Python runs signal handlers only in the main thread, between two
bytecodes. So another thread makes the calls, and the main thread waits for that thread.
"""

import queue
import threading
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

# The system may deliver a signal to another thread, which does not interrupt the wait of the main thread. So the main
# thread wakes this often, in seconds, to handle such a signal.
_WAKE_S: Final = 0.5


class _Caller:
    """A thread that makes calls for the main thread, one at a time, until `end`."""

    def __init__(self) -> None:
        # In any thread.
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, daemon=True, name="waiting")
        self._thread.start()

    def is_alive(self) -> bool:
        """Return whether the thread runs. In a process that was forked off it does not."""
        return self._thread.is_alive()

    def begin(self, call: Callable[[], None]) -> None:
        """Make a call, which raises nothing, after the one before it."""
        self._calls.put(call)

    def end(self) -> None:
        """End the thread after the last call."""
        self._calls.put(None)

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
            del call  # the answer of the call may need much memory


# In the main thread: a caller that makes no call. To start a thread for each call takes as long as a small query.
_idle: _Caller | None = None


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

    caller = _take_caller()
    caller.begin(run)
    try:
        is_answer, answer = _wait_for(answers)
    except BaseException:
        caller.end()  # it may be busy for long, so the next call needs another one
        raise
    _give_back(caller)
    if is_answer:
        return answer  # type: ignore[return-value] # the flag tells which of the two it is
    raise answer  # type: ignore[misc] # as above


def _take_caller() -> _Caller:
    """Return a caller that makes no call. A handler of a signal may interrupt one call to make another."""
    global _idle
    caller, _idle = _idle, None
    return caller if caller is not None and caller.is_alive() else _Caller()


def _give_back(caller: _Caller) -> None:
    global _idle  # noqa: PLW0603 - as above
    if _idle is None:
        _idle = caller
    else:
        caller.end()


def _wait_for(answers: "queue.SimpleQueue[tuple[bool, T | BaseException]]") -> tuple[bool, T | BaseException]:
    while True:
        try:
            return answers.get(timeout=_WAKE_S)
        except queue.Empty:
            continue
