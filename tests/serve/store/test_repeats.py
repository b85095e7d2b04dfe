"""A call that arrives twice is done once."""

import asyncio
from collections.abc import Awaitable, Callable

from puppylog.serve.store.repeats import Repeats


class Work:
    """Work that counts how often it is started. The second and later runs of failing work succeed."""

    def __init__(self, *, fails_first: bool = False) -> None:
        self.started = 0
        self._fails_first = fails_first

    def start(self) -> "asyncio.Future[bytes]":
        self.started += 1
        return asyncio.ensure_future(self._run(self.started))

    async def _run(self, no: int) -> bytes:
        await asyncio.sleep(0)
        if self._fails_first and no == 1:
            raise OSError("the store is away")
        return b"%d" % no


def in_loop(body: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        await body()

    asyncio.run(run())


def test_a_repeated_call_gets_the_answer_of_the_first_whether_it_runs_or_has_ended() -> None:
    async def body() -> None:
        repeats, work = Repeats(), Work()
        first, second = (repeats.run("1", "id", work.start) for _ in range(2))
        assert [await first, await second, await repeats.run("1", "id", work.start)] == [b"1"] * 3

    in_loop(body)


def test_calls_of_other_ids_and_tokens_and_without_an_id_are_new() -> None:
    async def body() -> None:
        repeats, work = Repeats(), Work()
        keys = [("1", "a"), ("1", "b"), ("2", "a"), ("1", ""), ("1", "")]
        assert [await repeats.run(*key, work.start) for key in keys] == [b"1", b"2", b"3", b"4", b"5"]

    in_loop(body)


def test_a_call_that_failed_is_done_again() -> None:
    async def body() -> None:
        repeats, work = Repeats(), Work(fails_first=True)
        first = repeats.run("1", "id", work.start)
        await asyncio.wait({first})
        assert isinstance(first.exception(), OSError)
        assert await repeats.run("1", "id", work.start) == b"2"

    in_loop(body)


def test_only_the_last_calls_are_remembered() -> None:
    async def body() -> None:
        repeats, work = Repeats(most=2), Work()
        for call_id in ("a", "b", "c"):
            await repeats.run("1", call_id, work.start)
        assert await repeats.run("1", "c", work.start) == b"3"
        assert await repeats.run("1", "a", work.start) == b"4"

    in_loop(body)


def test_answers_are_remembered_up_to_a_size() -> None:
    async def body() -> None:
        repeats, work = Repeats(max_bytes=2), Work()
        for call_id in ("a", "b", "c"):
            await repeats.run("1", call_id, work.start)
        await asyncio.sleep(0)
        assert await repeats.run("1", "b", work.start) == b"2"
        assert await repeats.run("1", "a", work.start) == b"4"

    in_loop(body)
