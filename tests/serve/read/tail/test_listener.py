"""What waits for one client: in what order it is sent, and that a slow client takes limited memory."""

import asyncio
import json
from collections.abc import Iterator

import pytest

from puppylog.serve.read.tail.listener import Listener, News


@pytest.fixture
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


def news(count: int, size_bytes: int, position: str, *, left_out: int = 0) -> News:
    record = b'{"message":"%s"}' % (b"x" * (size_bytes // count))
    return News(b"[" + b",".join([record] * count) + b"]", count, left_out, write_position=lambda: position)


def read(event: bytes | None) -> tuple[str, str, dict[str, object]]:
    """Return the kind, the id and the data of an event."""
    assert event is not None
    assert event.endswith(b"\n\n")
    lines = dict(line.split(": ", 1) for line in event.decode().rstrip("\n").split("\n"))
    return lines["event"], lines.get("id", ""), json.loads(lines["data"])


async def take(listener: Listener) -> bytes | None:
    return await listener.take(10)


def test_a_slow_client_loses_the_oldest_records_which_are_counted(loop: asyncio.Runner) -> None:
    listener = Listener()
    for at in range(100):
        listener.put(news(10, 100_000, f"p{at}", left_out=1))
    assert listener._bytes < 3 << 20
    seen = skipped = 0
    last = ""
    while seen + skipped < 1100:
        kind, last, data = read(loop.run(take(listener)))
        assert kind == "records"
        seen += len(data["records"])  # type: ignore[arg-type]  # a list
        skipped += data["skipped"]  # type: ignore[operator]  # a number
    assert (seen + skipped, last) == (1100, "p99")
    assert seen >= 150


def test_records_larger_than_the_limit_are_sent_if_nothing_else_waits(loop: asyncio.Runner) -> None:
    listener = Listener()
    listener.put(news(1, 10 << 20, "p"))
    assert read(loop.run(take(listener)))[1] == "p"


def test_a_store_that_is_away_is_told_once_and_before_later_records(loop: asyncio.Runner) -> None:
    listener = Listener()
    listener.set_away("gone")
    listener.set_away("gone, too")
    assert read(loop.run(take(listener))) == ("away", "", {"message": "gone, too"})
    listener.set_away(None)
    listener.put(news(1, 10, "p"))
    assert read(loop.run(take(listener)))[0] == "back"
    assert read(loop.run(take(listener)))[0] == "records"
    listener.set_away("a moment")
    listener.set_away(None)
    assert loop.run(listener.take(0.01)) == b":\n\n"


def test_a_sign_of_life_has_the_position_if_it_has_changed(loop: asyncio.Runner) -> None:
    listener = Listener()
    assert loop.run(listener.take(0.01)) == b":\n\n"
    listener.move(lambda: "p1")
    assert loop.run(listener.take(0.01)) == b"event: position\nid: p1\ndata: {}\n\n"
    assert loop.run(listener.take(0.01)) == b":\n\n"
    listener.put(news(1, 10, "p2"))
    assert listener.write_sign_of_life() == b":\n\n"  # the position is behind records that are not sent yet
    loop.run(take(listener))
    assert loop.run(listener.take(0.01)) == b":\n\n"


def test_a_tail_that_fails_says_why_and_ends(loop: asyncio.Runner) -> None:
    listener = Listener()
    listener.fail("it took too long")
    listener.fail("again")
    assert read(loop.run(take(listener))) == ("failed", "", {"message": "it took too long"})
    assert loop.run(take(listener)) is None


def test_a_tail_that_ends_sends_nothing_more(loop: asyncio.Runner) -> None:
    listener = Listener()
    listener.put(news(1, 10, "p"))
    listener.close()
    listener.fail("later")
    assert loop.run(take(listener)) is None


def test_the_files_whose_records_cannot_be_told_are_counted(loop: asyncio.Runner) -> None:
    listener = Listener()
    listener.put(News(b"[]", 0, 0, unknown_files=7, write_position=lambda: "p"))
    assert read(loop.run(take(listener))) == ("records", "p", {"records": [], "skipped": 0, "unknown_files": 7})
