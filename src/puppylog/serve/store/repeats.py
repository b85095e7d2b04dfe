"""Recognizes a call that arrives twice, by its id: a proxy repeats it, or its client has not got the answer.

The second one gets the answer of the first one, and nothing is done again. So the answer of a call that creates or
deletes something is right, too. A call that fails is forgotten: its repetition is a new attempt.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

MOST: Final = 1000
"""So many calls are remembered."""

MAX_BYTES: Final = 8 << 20
"""The size of their answers together. Most are a number; some are the positions of all files of a collector."""


class Repeats:
    """The last calls. Used in the loop only."""

    def __init__(self, most: int = MOST, max_bytes: int = MAX_BYTES) -> None:
        """Start without calls; remember at most ``most``, with answers of at most ``max_bytes``."""
        self._most = most
        self._most_bytes = max_bytes
        self._bytes = 0  # of the answers
        self._calls: OrderedDict[tuple[str, str], asyncio.Future[bytes]] = OrderedDict()

    def run(self, owner: str, call_id: str, start: Callable[[], "asyncio.Future[bytes]"]) -> "asyncio.Future[bytes]":
        """Return the running or finished work of a call, which is started if the call is new.

        Args:
            owner: identifies the token.
            call_id: of the call; empty: it is always new.
            start: starts the work, whose result is the answer.
        """
        if not call_id:
            return start()
        key = (owner, call_id)
        known = self._calls.get(key)
        if known is not None:
            return known
        running = self._calls[key] = start()
        running.add_done_callback(lambda done: self._note_end(key, done))
        self._forget_oldest()
        return running

    def _note_end(self, key: tuple[str, str], done: "asyncio.Future[bytes]") -> None:
        has_failed = done.cancelled() or done.exception() is not None
        if self._calls.get(key) is not done:
            return
        if has_failed:
            del self._calls[key]
            return
        self._bytes += len(done.result())
        self._forget_oldest()

    def _forget_oldest(self) -> None:
        while self._calls and (len(self._calls) > self._most or self._bytes > self._most_bytes):
            _, oldest = self._calls.popitem(last=False)
            if oldest.done():  # else its answer is not counted
                self._bytes -= len(oldest.result())
