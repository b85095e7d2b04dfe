import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from puppylog.model.token import Scope, Token
from puppylog.serve.refusal import Refusal
from puppylog.serve.stores import StoreAccess
from puppylog.serve.token_cache import KEPT_S, TokenCache
from puppylog.stores.base import Store

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class FakeStore:
    """The tokens of a store, by hash; counts the questions."""

    def __init__(self) -> None:
        self.tokens: dict[str, Token] = {}
        self.asked: list[list[str]] = []
        self.now = 0.0
        self.took_s = 0.0
        self.refusal: Refusal | None = None

    def add(self, hash_: str) -> None:
        self.tokens[hash_] = Token(len(self.tokens), hash_, Scope.READ, NOON)

    def find_tokens(self, hashes: Sequence[str]) -> Mapping[str, Token]:
        return {hash_: self.tokens[hash_] for hash_ in hashes if hash_ in self.tokens}

    def list_tokens(self) -> Sequence[Token]:
        return list(self.tokens.values())

    async def ask(self, work: Callable[[Store], Any]) -> Any:
        if self.refusal is not None:
            raise self.refusal
        self.asked.append([])

        class Noting:
            def find_tokens(_, hashes: Sequence[str]) -> Mapping[str, Token]:  # noqa: N805 - the store is in `self`
                self.asked[-1] += hashes
                return self.find_tokens(hashes)

            def list_tokens(_) -> Sequence[Token]:  # noqa: N805 - as above
                return self.list_tokens()

        answer = work(cast("Store", Noting()))
        await asyncio.sleep(0)
        self.now += self.took_s
        return answer


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def cache(store: FakeStore) -> TokenCache:
    return TokenCache(cast("StoreAccess", store), lambda: store.now)


def test_an_answer_of_the_store_counts_for_some_seconds(store: FakeStore, cache: TokenCache) -> None:
    async def use() -> None:
        store.add("a")
        assert await cache.find("a") is not None
        store.now += KEPT_S - 0.01
        assert await cache.find("a") is not None
        assert store.asked == [["a"]]
        del store.tokens["a"]
        store.now += 0.02
        assert await cache.find("a") is None

    asyncio.run(use())


def test_requests_that_come_together_share_a_question(store: FakeStore, cache: TokenCache) -> None:
    async def use() -> None:
        store.add("a")
        found = await asyncio.gather(*(cache.find(hash_) for hash_ in ["a", "b", "a", "c"]))
        assert [token is not None for token in found] == [True, False, True, False]
        assert store.asked == [["a", "b", "c"]]

    asyncio.run(use())


def test_tokens_in_use_are_asked_for_together(store: FakeStore, cache: TokenCache) -> None:
    async def use() -> None:
        for hash_ in "abcd":
            store.add(hash_)
        await asyncio.gather(*(cache.find(hash_) for hash_ in "abcd"))
        for _ in range(3):
            store.now += KEPT_S
            for hash_ in "abcd":
                assert await cache.find(hash_) is not None
        assert len(store.asked) == 4

    asyncio.run(use())


def test_an_answer_that_took_long_counts_for_the_requests_that_waited(store: FakeStore, cache: TokenCache) -> None:
    async def use() -> None:
        store.add("a")
        store.took_s = 10
        assert await cache.find("a") is not None
        assert len(store.asked) == 1
        assert await cache.find("a") is not None
        assert len(store.asked) == 2

    asyncio.run(use())


def test_a_request_whose_client_leaves_does_not_end_the_question_of_others(store: FakeStore, cache: TokenCache) -> None:
    async def use() -> None:
        store.add("a")
        leaving = asyncio.create_task(cache.find("a"))
        staying = asyncio.create_task(cache.find("a"))
        await asyncio.sleep(0)
        leaving.cancel()
        assert await staying is not None

    asyncio.run(use())


def test_an_unavailable_store_refuses_all_who_wait_and_is_asked_again(store: FakeStore, cache: TokenCache) -> None:
    async def use() -> None:
        store.add("a")
        store.refusal = Refusal(503, "away")
        results = await asyncio.gather(cache.find("a"), cache.has_any(), return_exceptions=True)
        assert [str(result) for result in results] == ["503: away", "503: away"]
        store.refusal = Refusal(403, "permission denied")
        with pytest.raises(Refusal, match="500: the server cannot read its tokens: permission denied"):
            await cache.find("a")
        store.refusal = None
        assert await cache.find("a") is not None

    asyncio.run(use())


def test_a_store_that_has_had_a_token_is_not_asked_again(store: FakeStore, cache: TokenCache) -> None:
    async def use() -> None:
        assert not await cache.has_any()
        assert not await cache.has_any()
        assert len(store.asked) == 1
        store.add("a")
        store.now += KEPT_S
        assert await cache.has_any()
        store.now += 1000
        assert await cache.has_any()
        assert len(store.asked) == 2

    asyncio.run(use())


def test_wrong_tokens_use_limited_memory(store: FakeStore, cache: TokenCache, monkeypatch: pytest.MonkeyPatch) -> None:
    async def use() -> None:
        monkeypatch.setattr("puppylog.serve.token_cache._MOST", 5)
        store.add("right")
        assert await cache.find("right") is not None
        for number in range(20):
            assert await cache.find(f"wrong {number}") is None
        assert cache.is_known("right")
        assert not cache.was_asked("wrong 0")
        assert cache.was_asked("wrong 19")

    asyncio.run(use())
