"""Runs a call that waits for a network until a deadline, even where the call itself has no time-out.

The system resolves names without a time-out that a program could set, and a receiver may send a byte of its answer
every few seconds. Neither may hold up the messages to other contacts.
"""

import threading
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class DeadlinePassed(Exception):
    """The deadline passed before the call had returned."""


class _Result(Generic[T]):
    value: T
    error: BaseException | None = None


def run_until(deadline: float, call: Callable[..., T], *arguments: Any) -> T:  # noqa: ANN401 - passed on to the call
    """Return what ``call`` returns, or raise what it raises.

    The call runs in its own thread. After the deadline, that thread is left to itself: the caller closes what the
    thread waits for, or the call has time-outs of its own.

    Args:
        deadline: a value of `time.monotonic`.
        call: what to run.
        arguments: those of the call.

    Raises:
        DeadlinePassed: the call did not return in time.
    """
    result: _Result[T] = _Result()

    def run() -> None:
        try:
            result.value = call(*arguments)
        except BaseException as error:  # noqa: BLE001 - raised again in the thread of the caller
            result.error = error

    thread = threading.Thread(target=run, name="puppylog-send", daemon=True)
    thread.start()
    thread.join(max(0.0, deadline - time.monotonic()))
    if thread.is_alive():
        raise DeadlinePassed
    if result.error is not None:
        raise result.error
    return result.value
