"""Retries calls to a store that is unavailable."""

import random
import threading
from collections.abc import Callable
from typing import TypeVar

from puppylog.collect.events import OnEvent, StoreInterrupted, StoreResumed
from puppylog.errors import PuppylogError

T = TypeVar("T")

_FIRST_RETRY_S = 0.1
_LAST_RETRY_S = 10.0


def _is_transient(error: PuppylogError) -> bool:
    return error.transient


def call_with_retry(
    call: Callable[[], T],
    stop: threading.Event,
    on_event: OnEvent,
    *,
    may_retry: Callable[[PuppylogError], bool] = _is_transient,
) -> T:
    """Call until the call succeeds, and return its result. Each pause is longer than the one before, 10 s at most.

    Args:
        call: a call to the store.
        stop: when set, the pause ends, and the call is made one last time.
        on_event: called with a `StoreInterrupted` before each pause, and with a `StoreResumed` if a retry succeeds.
        may_retry: returns whether to retry after an error; by default after a transient error.

    Raises:
        PuppylogError: an error that allows no retry, or any error after ``stop``.
    """
    retry_in_s = _FIRST_RETRY_S
    is_interrupted = False
    while True:
        was_stopped = stop.is_set()
        try:
            result = call()
        except PuppylogError as error:
            if not may_retry(error) or was_stopped:
                raise
            # The pause has a random part, so that many collectors do not all call one server at the same time.
            pause_s = retry_in_s * random.uniform(0.5, 1.0)  # noqa: S311 - not used as a secret
            on_event(StoreInterrupted(error.message, pause_s))
            is_interrupted = True
            stop.wait(pause_s)
            retry_in_s = min(retry_in_s * 2, _LAST_RETRY_S)
            continue
        if is_interrupted:
            on_event(StoreResumed())
        return result
