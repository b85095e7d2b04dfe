import asyncio
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest

from puppylog.serve import token_uses
from puppylog.serve.refusal import Refusal
from puppylog.serve.stores import StoreAccess
from puppylog.serve.token_uses import TokenUses
from puppylog.stores.base import Store


class FakeStores:
    """Remembers what is written, and may be away."""

    def __init__(self) -> None:
        self.written: list[set[int]] = []
        self.is_away = False

    def note_token_uses(self, token_ids: Sequence[int]) -> None:
        self.written.append(set(token_ids))

    async def ask(self, work: Callable[[Store], Any]) -> Any:
        await asyncio.sleep(0)
        if self.is_away:
            raise Refusal(503, "away")
        return work(cast("Store", self))


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0.001)


def test_uses_are_written_at_once_and_then_together_after_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    async def use() -> None:
        stores, now = FakeStores(), 0.0
        uses = TokenUses(cast("StoreAccess", stores), lambda: now)
        uses.note(1)
        await settle()
        assert stores.written == [{1}]
        monkeypatch.setattr(token_uses, "_PAUSE_S", 0.05)
        for token_id in (1, 2, 1, 3):
            uses.note(token_id)
        await asyncio.sleep(0.02)
        assert stores.written == [{1}]
        await asyncio.sleep(0.1)
        assert stores.written == [{1}, {1, 2, 3}]

    asyncio.run(use())


def test_a_use_while_the_store_is_away_is_lost_and_the_next_one_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    async def use() -> None:
        monkeypatch.setattr(token_uses, "_PAUSE_S", 0)
        stores = FakeStores()
        uses = TokenUses(cast("StoreAccess", stores))
        stores.is_away = True
        uses.note(1)
        await settle()
        stores.is_away = False
        uses.note(2)
        await settle()
        assert stores.written == [{2}]

    asyncio.run(use())
