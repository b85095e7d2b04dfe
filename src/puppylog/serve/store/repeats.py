"""Recognizes a call that arrives twice, by its id: a proxy repeats it, or its client has not got the answer.

The second one gets the answer of the first one, and nothing is done again. So the answer of a call that creates or
deletes something is right, too. A call that fails is forgotten: its repetition is a new attempt.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

MOST: Final = 1000
"""So many calls are remembered. Their answers are small: a number, or the positions of some files."""


class Repeats:
    """The last calls. Used in the loop only."""

    def __init__(self, most: int = MOST) -> None:
        """Start without calls; remember at most ``most``."""
        self._most = most
        self._calls: OrderedDict[tuple[str, str], asyncio.Future[Any]] = OrderedDict()

    def run(self, owner: str, call_id: str, start: Callable[[], "asyncio.Future[Any]"]) -> "asyncio.Future[Any]":
        """Return the running or finished work of a call, which is started if the call is new.

        Args:
            owner: identifies the token.
            call_id: of the call; empty: it is always new.
            start: starts the work.
        """
        if not call_id:
            return start()
        key = (owner, call_id)
        known = self._calls.get(key)
        if known is not None:
            return known
        running = self._calls[key] = start()
        running.add_done_callback(lambda done: self._note_end(key, done))
        while len(self._calls) > self._most:
            self._calls.popitem(last=False)
        return running

    def _note_end(self, key: tuple[str, str], done: "asyncio.Future[Any]") -> None:
        if (done.cancelled() or done.exception() is not None) and self._calls.get(key) is done:
            del self._calls[key]
