import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from puppylog.serve.body import read_body
from puppylog.serve.budget import Budget
from puppylog.serve.limits import Limits
from puppylog.serve.refusal import Refusal

TEXT = b"".join(b'{"message": "line %d"}\n' % number for number in range(400))
LIMITS = Limits(body_bytes=1 << 20, body_pause_s=5)
BIG = 1 << 30

Receive = Callable[[], Awaitable[dict[str, Any]]]


def sent(parts: Iterable[bytes]) -> Receive:
    """Return what gives the parts of a body to a server."""
    left: list[dict[str, Any]] = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    left.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> dict[str, Any]:
        return left.pop(0)

    return receive


def make_request(receive: Receive, encoding: str = "", length: int | None = None) -> Request:
    headers = [(b"content-encoding", encoding.encode())] if encoding else []
    if length is not None:
        headers.append((b"content-length", str(length).encode()))
    return Request({"type": "http", "method": "POST", "headers": headers}, receive)


def read(parts: Sequence[bytes], encoding: str = "", *, limits: Limits = LIMITS, budget: int = BIG) -> bytes:
    return asyncio.run(read_body(make_request(sent(parts), encoding), limits, Budget(budget)))


def refused(parts: Sequence[bytes], encoding: str = "", *, limits: Limits = LIMITS, budget: int = BIG) -> Refusal:
    with pytest.raises(Refusal) as raised:
        read(parts, encoding, limits=limits, budget=budget)
    return raised.value


def compress_zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


ENCODED = {
    "": TEXT,
    "identity": TEXT,
    "gzip": gzip.compress(TEXT),
    "x-gzip": gzip.compress(TEXT[:70]) + gzip.compress(TEXT[70:]),  # two members
    "deflate": zlib.compress(TEXT),
    "zstd": compress_zstd(TEXT[:70]) + b"\x50\x2a\x4d\x18\x03\0\0\0abc" + compress_zstd(TEXT[70:]),
}
RAW = zlib.compressobj(wbits=-15)
RAW_DEFLATE = RAW.compress(TEXT) + RAW.flush()


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize("encoding", ENCODED)
def test_a_body_is_decompressed_wherever_its_parts_end(encoding: str, size: int) -> None:
    data = ENCODED[encoding]
    assert read([data[at : at + size] for at in range(0, len(data), size)], encoding.upper()) == TEXT


def test_deflate_may_lack_the_header_of_zlib() -> None:
    assert read([RAW_DEFLATE], "deflate") == TEXT
    assert read([RAW_DEFLATE[:1], RAW_DEFLATE[1:]], "deflate") == TEXT


def test_a_body_may_be_empty() -> None:
    assert [read([], encoding) for encoding in ENCODED] == [b""] * len(ENCODED)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_a_bomb_is_refused_at_the_limit(encoding: str) -> None:
    compress: dict[str, Callable[[bytes], bytes]] = {
        "gzip": gzip.compress,
        "deflate": zlib.compress,
        "zstd": compress_zstd,
    }
    bomb = compress[encoding](bytes(64 << 20))
    assert len(bomb) < 70_000
    budget = Budget(BIG)
    with pytest.raises(Refusal) as raised:
        asyncio.run(read_body(make_request(sent([bomb]), encoding), LIMITS, budget))
    assert (raised.value.status, raised.value.cause) == (
        413,
        "the body is larger than 1048576 bytes after decompression",
    )
    assert budget.used_bytes <= LIMITS.body_bytes


def test_a_zstandard_frame_with_a_large_window_is_refused() -> None:
    frame = b"\x28\xb5\x2f\xfd\x00\x88" + b"\x01\0\0"  # a window of 128 MiB, and an empty last block
    refusal = refused([frame], "zstd")
    assert (refusal.status, refusal.cause) == (
        400,
        "the body cannot be decompressed: its window of 134217728 bytes is larger than 8388608",
    )
    behind = refused([compress_zstd(TEXT) + frame], "zstd")
    assert behind.cause == refusal.cause


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
@pytest.mark.parametrize(
    "break_",
    [lambda data: data[:-9], lambda data: data[:5] + b"\xff" * 9 + data[14:], lambda data: data + b"x"],
    ids=["cut", "changed", "longer"],
)
def test_a_broken_compressed_body_is_refused(encoding: str, break_: Callable[[bytes], bytes]) -> None:
    refusal = refused([break_(ENCODED[encoding])], encoding)
    assert refusal.status == 400
    assert refusal.cause.startswith("the body cannot be decompressed: it")  # it, or its window
    assert "rror" not in refusal.cause


@pytest.mark.parametrize(
    ("encoding", "body", "said"),
    [
        ("gzip", TEXT, "it does not begin as gzip does, which the header Content-Encoding names"),
        (
            "gzip",
            b"\x1f\x8b\x07" + bytes(20),
            "it does not begin as gzip does, which the header Content-Encoding names",
        ),
        ("deflate", b"\x78\x9c\xff\xff", "it is damaged"),
        ("gzip", ENCODED["gzip"][:-8] + bytes(8), "it is damaged: its checksum or its length is wrong"),
        ("gzip", ENCODED["gzip"][:-9], "it ends too early"),
        ("zstd", TEXT, "it is not Zstandard"),
        ("zstd", compress_zstd(TEXT)[:12] + b"\xff" * 8 + compress_zstd(TEXT)[20:], "it is damaged"),
    ],
)
def test_what_is_wrong_with_a_compressed_body_is_said_in_plain_words(encoding: str, body: bytes, said: str) -> None:
    assert refused([body], encoding).cause == f"the body cannot be decompressed: {said}"


@given(st.binary(max_size=200), st.sampled_from(["gzip", "deflate", "zstd"]), st.integers(0, 150))
def test_any_bytes_are_decompressed_or_refused(data: bytes, encoding: str, begin: int) -> None:
    with suppress(Refusal):
        read([ENCODED[encoding][:begin] + data], encoding)


def test_an_unknown_encoding_is_refused() -> None:
    refusal = refused([TEXT], "br")
    assert (refusal.status, refusal.cause) == (
        415,
        "the content encoding 'br' is not known; known are gzip, deflate and zstd",
    )


def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_read() -> None:
    async def never() -> dict[str, Any]:
        raise AssertionError

    for length in (LIMITS.body_bytes + 1, 10**40):
        with pytest.raises(Refusal) as raised:
            asyncio.run(read_body(make_request(never, length=length), LIMITS, Budget(BIG)))
        assert raised.value.status == 413


def test_a_body_without_a_length_is_read_up_to_the_limit() -> None:
    assert refused([bytes(1 << 16)] * 17).status == 413
    assert len(read([bytes(1 << 16)] * 16)) == 1 << 20


def test_a_client_that_leaves_in_the_middle_is_no_defect() -> None:
    left: list[dict[str, Any]] = [
        {"type": "http.request", "body": b"a", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> dict[str, Any]:
        return left.pop(0)

    with pytest.raises(Refusal) as raised:
        asyncio.run(read_body(make_request(receive), LIMITS, Budget(BIG)))
    assert (raised.value.status, raised.value.cause) == (400, "the client left before the end of the body")


def dripping(parts: AsyncIterator[bytes]) -> Receive:
    async def receive() -> dict[str, Any]:
        part = await anext(parts, None)
        return {"type": "http.request", "body": part or b"", "more_body": part is not None}

    return receive


async def drip(pause_s: float) -> AsyncIterator[bytes]:
    while True:
        await asyncio.sleep(pause_s)
        yield b"x"


@pytest.mark.parametrize(
    ("pause_s", "limits"), [(60, replace(LIMITS, body_pause_s=0.05)), (0.01, replace(LIMITS, body_s=0.1))]
)
def test_a_client_that_sends_slowly_is_refused(pause_s: float, limits: Limits) -> None:
    with pytest.raises(Refusal) as raised:
        asyncio.run(read_body(make_request(dripping(drip(pause_s))), limits, Budget(BIG)))
    assert raised.value.status == 503
    assert raised.value.cause.startswith("the body came too slowly: ")


def test_a_full_memory_is_taken_from_the_slowest_body_that_is_not_complete() -> None:
    budget = Budget(150_000)

    async def stall() -> AsyncIterator[bytes]:
        yield bytes(60_000)
        await asyncio.sleep(60)

    async def run() -> tuple[Refusal, bytes, int]:
        slow = asyncio.create_task(read_body(make_request(dripping(stall())), LIMITS, budget))
        while budget.used_bytes < 60_000:
            await asyncio.sleep(0.01)
        request = make_request(sent([bytes(100_000)]))
        fast = await read_body(request, LIMITS, budget)
        with pytest.raises(Refusal) as raised:
            await slow
        for close in request.scope["puppylog.at_end"]:
            close()
        return raised.value, fast, budget.used_bytes

    refusal, fast, used = asyncio.run(run())
    assert (refusal.status, len(fast), used) == (503, 100_000, 0)


def test_a_body_for_which_there_is_no_memory_is_refused_for_now() -> None:
    refusal = refused([bytes(100_000)], budget=50_000)
    assert (refusal.status, refusal.headers["retry-after"]) == (503, "5")


def test_a_small_body_does_not_give_way_to_a_large_one() -> None:
    budget = Budget(100_000)

    async def stall() -> AsyncIterator[bytes]:
        yield b"small"
        await asyncio.sleep(0.2)

    async def run() -> bytes:
        small = asyncio.create_task(read_body(make_request(dripping(stall())), LIMITS, budget))
        while not budget.used_bytes:
            await asyncio.sleep(0.01)
        with pytest.raises(Refusal) as raised:
            await read_body(make_request(sent([bytes(60_000)] * 2)), LIMITS, budget)
        assert raised.value.status == 503
        return await small

    assert asyncio.run(run()) == b"small"
