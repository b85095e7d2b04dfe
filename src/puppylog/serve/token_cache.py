"""What the server remembers of tokens, so that not every request asks the store."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Final

from puppylog.model.token import Token
from puppylog.serve.refusal import Refusal
from puppylog.serve.stores import StoreAccess
from puppylog.stores.base import Store

KEPT_S: Final = 4.0
"""For how many seconds an answer of the store counts. A revoked token is refused within 5 s, so this is a bit less."""

_PAUSE_S: Final = 0.05  # between two questions; all requests of this time share one
_ACTIVE_S: Final = 8.0  # a token that was used within this time is asked for again together with others
_ASKED: Final = 1000  # tokens in one question
_MOST: Final = 10_000  # tokens that are remembered, with those that do not exist


class TokenCache:
    """The tokens of recent requests. Used in the server's loop only.

    One question at a time asks the store for the tokens of all requests that wait, and for those of recent requests.
    So the number of questions does not grow with the number of clients, whether they have right tokens or not.
    """

    def __init__(self, stores: StoreAccess, clock: Callable[[], float] = time.monotonic) -> None:
        self._stores = stores
        self._clock = clock
        self._known: dict[str, tuple[float, Token | None]] = {}  # by hash: when the store was asked, and its answer
        self._used: dict[str, float] = {}  # by hash: the last request with a token that the store knows
        self._wanted: dict[str, None] = {}  # hashes of requests that wait, in their order
        self._has_any = (float("-inf"), False)  # when the store was asked, and whether it has tokens
        self._needs_any = False  # whether a request waits for `_has_any`
        self._asked_at = float("-inf")  # the last question
        self._asking: asyncio.Task[None] | None = None

    async def find(self, hash_: str) -> Token | None:
        """Return the token with this hash; None if the store has none.

        Raises:
            Refusal: the store is unavailable.
        """
        arrived_at = self._clock()
        while (known := self._known.get(hash_)) is None or self._is_old(known[0], arrived_at):
            self._wanted[hash_] = None
            await self._ask()
        if known[1] is not None:
            self._used[hash_] = self._clock()
        return known[1]

    async def has_any(self) -> bool:
        """Return whether the store has a token, be it revoked or expired. Once it has one, it always has.

        Raises:
            Refusal: the store is unavailable.
        """
        arrived_at = self._clock()
        while not self._has_any[1] and self._is_old(self._has_any[0], arrived_at):
            self._needs_any = True
            await self._ask()
        return self._has_any[1]

    def is_known(self, hash_: str) -> bool:
        """Return whether the store has had a token with this hash when it was last asked."""
        return self._known.get(hash_, (0.0, None))[1] is not None

    def was_asked(self, hash_: str) -> bool:
        """Return whether the store has been asked for this hash, and the answer is remembered."""
        return hash_ in self._known

    def _is_old(self, asked_at: float, arrived_at: float) -> bool:
        """Return whether an answer does not count for a request. A later one does, even if the store took long."""
        return asked_at < arrived_at and self._clock() - asked_at >= KEPT_S

    async def _ask(self) -> None:
        """Ask the store, or wait for the question that runs. The answer may lack what the caller wants."""
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask_store())
            self._asking.add_done_callback(self._note_end)
        await asyncio.shield(self._asking)  # a request whose client leaves does not end the question of the others

    def _note_end(self, task: asyncio.Task[None]) -> None:
        self._asking = None
        if not task.cancelled():
            task.exception()  # each waiting request reports it

    async def _ask_store(self) -> None:
        await asyncio.sleep(max(0.0, self._asked_at + _PAUSE_S - self._clock()))
        asked_at = self._asked_at = self._clock()  # before the question: the store may change during it
        hashes = self._choose(asked_at)
        needs_any, self._needs_any = self._needs_any, False

        def work(store: Store) -> tuple[Mapping[str, Token], bool]:
            found = store.find_tokens(hashes) if hashes else {}
            return found, bool(found) or (needs_any and bool(store.list_tokens()))

        try:
            found, has_any = await self._stores.ask(work)
        except Refusal as refusal:
            self._wanted.clear()  # the requests are refused
            if refusal.status == HTTPStatus.SERVICE_UNAVAILABLE:
                raise
            # Such as a right on the store that the server lacks: not the fault of the client.
            raise Refusal(500, f"the server cannot read its tokens: {refusal.cause}") from refusal
        for hash_ in hashes:
            self._wanted.pop(hash_, None)
            self._known.pop(hash_, None)  # so that it becomes the newest entry
            self._known[hash_] = (asked_at, found.get(hash_))
        if needs_any or has_any:
            self._has_any = (asked_at, has_any)
        self._forget()

    def _choose(self, now: float) -> list[str]:
        wanted = list(self._wanted)[:_ASKED]
        active = (hash_ for hash_, used_at in self._used.items() if now - used_at < _ACTIVE_S)
        return list(dict.fromkeys([*wanted, *active]))[: max(_ASKED, len(wanted))]

    def _forget(self) -> None:
        """Forget the oldest entries if there are too many, those of tokens that do not exist first."""
        if len(self._known) <= _MOST:
            return
        unknown = (hash_ for hash_, (_, token) in self._known.items() if token is None)
        self._remove(list(unknown)[: len(self._known) - _MOST])
        self._remove(list(self._known)[: max(0, len(self._known) - _MOST)])

    def _remove(self, hashes: Iterable[str]) -> None:
        for hash_ in hashes:
            del self._known[hash_]
            self._used.pop(hash_, None)
