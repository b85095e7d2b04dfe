"""The body of a request: decompressed, of a limited size, within a limited time, in limited memory."""

import asyncio
import zlib
from collections.abc import Iterator
from typing import Final, Protocol

from starlette.requests import ClientDisconnect, Request

from puppylog.serve.limits import Limits
from puppylog.serve.refusal import Refusal

_PIECE: Final = 256 << 10  # bytes that a decompressor returns at once
_NONE: Final = ("", "identity")


class Budget:
    """The memory of all bodies. Used in the server's loop only."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self.used_bytes = 0

    def take(self, size: int) -> None:
        """Take memory.

        Raises:
            Refusal: other requests have it.
        """
        if self.used_bytes + size > self._limit:
            raise Refusal(503, "the bodies of other requests fill the server's memory")
        self.used_bytes += size

    def give_back(self, size: int) -> None:
        self.used_bytes -= size


class _Decoder(Protocol):
    """Decompresses the parts of a body, in pieces of a limited size."""

    def decode(self, part: bytes) -> Iterator[bytes]: ...

    def finish(self) -> None:
        """Raise ValueError if the compressed body is not complete."""


class _Plain:
    def decode(self, part: bytes) -> Iterator[bytes]:
        yield part

    def finish(self) -> None:
        """Any end is right."""


class _Zlib:
    """gzip, with any number of members, and deflate, with or without zlib's header."""

    def __init__(self, encoding: str) -> None:
        self._is_gzip = encoding == "gzip"
        self._begin(zlib.MAX_WBITS | 16 if self._is_gzip else zlib.MAX_WBITS)
        self._is_first = True

    def _begin(self, window: int) -> None:
        self._inflate = zlib.decompressobj(window)

    def decode(self, part: bytes) -> Iterator[bytes]:
        while part:
            if self._inflate.eof:  # the next member
                if not self._is_gzip:
                    raise ValueError("there are bytes after its end")
                self._begin(zlib.MAX_WBITS | 16)
            yield self._decompress(part)
            self._is_first = False
            part = self._inflate.unconsumed_tail or self._inflate.unused_data

    def _decompress(self, part: bytes) -> bytes:
        try:
            return self._inflate.decompress(part, _PIECE)
        except zlib.error:
            if not self._is_first or self._is_gzip:
                raise
        self._begin(-zlib.MAX_WBITS)  # some clients leave out zlib's header
        return self._inflate.decompress(part, _PIECE)

    def finish(self) -> None:
        if not self._inflate.eof:
            raise ValueError("it ends too early")


async def read_body(request: Request, limits: Limits, budget: Budget) -> bytes:
    """Return the body of a request, decompressed as its Content-Encoding says: gzip, deflate, or none.

    Memory of `budget` is taken for the body. It is given back when the request is answered.

    Raises:
        Refusal: 413: the body is larger than allowed; 400: it cannot be decompressed, or the client has left before
            its end; 408: the client is too slow; 415: the encoding is not known; 503: there is no memory now.
    """
    decoder = _choose_decoder(request.headers.get("content-encoding", ""))
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and (len(length) > 18 or int(length) > limits.body_bytes):
        raise _too_large(limits)
    taken = _Taken(request, budget)
    body = bytearray()
    try:
        async with asyncio.timeout(limits.body_s):
            parts = request.stream().__aiter__()
            while True:
                async with asyncio.timeout(limits.body_pause_s):
                    part = await anext(parts, None)
                if part is None:
                    break
                for piece in decoder.decode(part):
                    if len(body) + len(piece) > limits.body_bytes:
                        raise _too_large(limits)
                    taken.add(len(piece))
                    body += piece
        if body or decoder.__class__ is not _Plain:
            decoder.finish()
    except TimeoutError:
        raise Refusal(408, "the body came too slowly") from None
    except ClientDisconnect:
        raise Refusal(400, "the client left before the end of the body") from None
    except (zlib.error, ValueError) as error:
        raise Refusal(400, f"the body cannot be decompressed: {error}") from None
    return bytes(body)


class _Taken:
    """The memory of one request."""

    def __init__(self, request: Request, budget: Budget) -> None:
        self._budget = budget
        self._size = 0
        request.scope.setdefault("puppylog.at_end", []).append(self._give_back)

    def add(self, size: int) -> None:
        self._budget.take(size)
        self._size += size

    def _give_back(self) -> None:
        self._budget.give_back(self._size)
        self._size = 0


def _too_large(limits: Limits) -> Refusal:
    return Refusal(413, f"the body is larger than {limits.body_bytes} bytes after decompression")


def _choose_decoder(encoding: str) -> _Decoder:
    named = encoding.strip().lower()
    if named in _NONE:
        return _Plain()
    if named in {"gzip", "x-gzip", "deflate"}:
        return _Zlib(named.removeprefix("x-"))
    raise Refusal(415, f"the content encoding {encoding[:40]!r} is not known; known are gzip and deflate")
