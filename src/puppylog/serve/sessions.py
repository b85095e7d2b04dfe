"""Sessions of people in a browser: a cookie in place of a token, which a page could not keep safely.

A session is in the server's memory, and ends with the server: people log in again after a restart. It holds the hash of
a token, which is looked up for each request, so a session ends with its token, too.
"""

import time
from collections.abc import Callable
from secrets import token_urlsafe
from typing import Final

from puppylog.model.token import hash_token

KEPT_S: Final = 12 * 3600
"""How many seconds after its log-in a session ends."""

_MOST: Final = 1000


class Sessions:
    """Used in the server's loop only."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._open: dict[str, tuple[float, str]] = {}  # by hash of the cookie: its end, and the hash of its token

    def begin(self, token_hash: str) -> str:
        """Return the value of a new session's cookie. If there are too many sessions, the oldest one ends."""
        cookie = token_urlsafe(32)
        while len(self._open) >= _MOST:
            del self._open[next(iter(self._open))]
        self._open[hash_token(cookie)] = (self._clock() + KEPT_S, token_hash)
        return cookie

    def find(self, cookie: str) -> str | None:
        """Return the hash of the session's token; None if there is no such session.

        The hash of the cookie is looked up, so that the time it takes tells nothing about cookies of others.
        """
        key = hash_token(cookie)
        ends_at, token_hash = self._open.get(key, (0.0, ""))
        if ends_at > self._clock():
            return token_hash
        self._open.pop(key, None)
        return None

    def end(self, cookie: str) -> None:
        """End the session. It is OK if there is none."""
        self._open.pop(hash_token(cookie), None)
