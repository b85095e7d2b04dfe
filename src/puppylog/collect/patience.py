"""Waiting for a store that is away."""

import random
import threading
from collections.abc import Callable
from typing import TypeVar

from puppylog.collect.events import OnEvent, StoreAway, StoreBack
from puppylog.errors import PuppylogError

T = TypeVar("T")

_FIRST_RETRY_S = 0.1
_LAST_RETRY_S = 10.0


def _is_transient(error: PuppylogError) -> bool:
    return error.transient


def patiently(
    call: Callable[[], T],
    stop: threading.Event,
    on_event: OnEvent,
    *,
    may_wait: Callable[[PuppylogError], bool] = _is_transient,
) -> T:
    """Call until it succeeds, waiting longer from time to time while the store is away; once stopped, only once more.

    Args:
        call: what to do.
        stop: ends the waiting.
        on_event: is told that the store is away, and that it is back.
        may_wait: whether to call again after an error.

    Raises:
        PuppylogError: an error after which it may not wait, or any error after ``stop``.
    """
    retry_in_s = _FIRST_RETRY_S
    is_away = False
    while True:
        was_stopped = stop.is_set()
        try:
            result = call()
        except PuppylogError as error:
            if not may_wait(error) or was_stopped:
                raise
            # Not all at once: many collectors may wait for the same server, and each may need more than one connection.
            pause_s = retry_in_s * random.uniform(0.5, 1.0)  # noqa: S311 - it keeps no secret
            on_event(StoreAway(error.message, pause_s))
            is_away = True
            stop.wait(pause_s)
            retry_in_s = min(retry_in_s * 2, _LAST_RETRY_S)
            continue
        if is_away:
            on_event(StoreBack())
        return result
