"""The body of a request: decompressed, of a limited size, within a limited time, in limited memory."""

import asyncio
import time
from collections.abc import AsyncIterator

from starlette.requests import ClientDisconnect, Request

from puppylog.serve.budget import Budget, Share
from puppylog.serve.decompress import choose_decoder
from puppylog.serve.limits import Limits
from puppylog.serve.refusal import Refusal


async def read_body(request: Request, limits: Limits, budget: Budget, *, also_encoded: str = "") -> bytes:
    """Return the body of a request, decompressed as its Content-Encoding says: gzip, deflate, zstd, or none.

    Memory of `budget` is taken for the body. It is given back when the request is answered.

    Args:
        request: the request.
        limits: of size and time.
        budget: of memory.
        also_encoded: another Content-Encoding that requests may have; the caller undoes it.

    Raises:
        Refusal: 413: the body is larger than allowed; 400: it cannot be decompressed, or the client has left before
            its end; 415: the encoding is not known; 503: there is no memory now, or the client is too slow. Not 408:
            senders drop what is answered so, and the network may be faster later.
    """
    encoding = request.headers.get("content-encoding", "")
    decoder = choose_decoder("" if encoding.strip().lower() == also_encoded else encoding, limits.body_bytes)
    if _is_too_large(request.headers.get("content-length", ""), limits):
        raise _too_large(limits)
    share = budget.open_share()
    request.scope.setdefault("puppylog.at_end", []).append(share.close)
    is_empty = True
    try:
        async for part in _read_parts(request, limits, share):
            is_empty = is_empty and not part
            for piece in decoder.decode(part):
                _keep(piece, share, limits)
                await asyncio.sleep(0)  # a bomb must not keep the server from others
        if not is_empty:
            for piece in decoder.finish():
                _keep(piece, share, limits)
                await asyncio.sleep(0)
    except ClientDisconnect:
        raise Refusal(400, "the client left before the end of the body") from None
    except ValueError as error:
        raise Refusal(400, f"the body cannot be decompressed: {error}") from None
    return share.complete()


def _keep(piece: bytes, share: Share, limits: Limits) -> None:
    if share.size_bytes + len(piece) > limits.body_bytes:
        raise _too_large(limits)
    share.append(piece)


async def _read_parts(request: Request, limits: Limits, share: Share) -> AsyncIterator[bytes]:
    """Yield the parts of the body as they arrive.

    Raises:
        Refusal: 503: the client is too slow.
    """
    parts = request.stream().__aiter__()
    started = time.monotonic()
    received = 0
    while True:
        left_s = started + limits.body_s + received / limits.body_rate - time.monotonic()
        try:
            async with asyncio.timeout(min(limits.body_pause_s, left_s)) as timeout:
                with share.evictable(lambda: timeout.reschedule(0)):
                    part = await anext(parts, None)
        except TimeoutError:
            cause = f"the body came too slowly: {received} bytes in {time.monotonic() - started:.0f} s"
            raise Refusal(503, cause) from None
        if part is None:
            return
        received += len(part)
        yield part


def _is_too_large(length: str, limits: Limits) -> bool:
    return length.isascii() and length.isdigit() and (len(length) > 18 or int(length) > limits.body_bytes)


def _too_large(limits: Limits) -> Refusal:
    return Refusal(413, f"the body is larger than {limits.body_bytes} bytes after decompression")
