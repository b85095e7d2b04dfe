"""A stream that another client has claimed: the other client is asked whether it lives."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from puppylog.serve.store.claims import Claims
from puppylog.serve.store.sessions import DOUBT_S
from puppylog.stores.base import Store

URI = "file://web1/app.log"


def connect() -> Store:
    raise AssertionError("no test needs the store")


def wait_for_stream(act: Callable[[Claims], Awaitable[None]]) -> tuple[float, bool]:
    """Let a second client want the stream of a first client; return how long it waits, and whether the first one lives.

    Args:
        act: what the first client does meanwhile.
    """

    async def run() -> tuple[float, bool]:
        claims = Claims(connect)
        claims.sessions.open("a" * 32, "1", "web1").streams[1] = URI
        second = claims.sessions.open("b" * 32, "1", "web1")
        acting = asyncio.ensure_future(act(claims))
        await asyncio.sleep(0)  # the first client begins
        began = time.monotonic()
        await claims.wait_for_holder(second, [URI])
        took_s = time.monotonic() - began
        acting.cancel()
        return took_s, not claims.sessions.take_expired()

    return asyncio.run(run())


def test_a_client_that_lives_answers_at_once_and_keeps_its_stream() -> None:
    async def renew(claims: Claims) -> None:
        gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        while True:
            await claims.renew("a" * 32, "1", gone)

    took_s, lives = wait_for_stream(renew)
    assert lives
    assert took_s < DOUBT_S


def test_the_session_of_a_client_that_does_not_answer_ends() -> None:
    async def hang(claims: Claims) -> None:
        gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        await claims.renew("a" * 32, "1", gone)  # and no further renewal: the client was killed

    took_s, lives = wait_for_stream(hang)
    assert not lives
    assert took_s >= DOUBT_S
