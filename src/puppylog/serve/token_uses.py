"""When tokens were last used, to the minute: one short write a minute for all tokens together, at most."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from puppylog.serve.refusal import Refusal
from puppylog.serve.stores import StoreAccess

_PAUSE_S: Final = 60.0


class TokenUses:
    """Notes uses, and stores them in the background. Used in the server's loop only."""

    def __init__(self, stores: StoreAccess, clock: Callable[[], float] = time.monotonic) -> None:
        self._stores = stores
        self._clock = clock
        self._used: set[int] = set()  # since the last write
        self._written_at = float("-inf")
        self._writing: asyncio.Task[None] | None = None

    def note(self, token_id: int) -> None:
        """Note that a token is used now. The first use is stored at once, others within a minute."""
        self._used.add(token_id)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())

    async def _write(self) -> None:
        await asyncio.sleep(max(0.0, self._written_at + _PAUSE_S - self._clock()))
        used, self._used = list(self._used), set()
        self._written_at = self._clock()
        with suppress(Refusal):  # the store is unavailable; the next use is stored
            await self._stores.ask(lambda store: store.note_token_uses(used))
        self._writing = None
        if self._used:
            self.note(self._used.pop())
