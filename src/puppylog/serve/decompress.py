"""Decompresses the body of a request, in pieces of a limited size: gzip, deflate and Zstandard."""

import zlib
from collections.abc import Iterator
from typing import Final, Protocol

import pyarrow as pa

from puppylog.serve.refusal import Refusal

KNOWN: Final = "gzip, deflate and zstd"

_PIECE: Final = 256 << 10  # bytes that a decompressor returns at once
_MAX_WINDOW: Final = 8 << 20  # of Zstandard: what RFC 9659 allows in HTTP, so that a frame cannot ask for more memory
_MAGIC: Final = b"\x28\xb5\x2f\xfd"
_SKIPPABLE: Final = b"\x2a\x4d\x18"  # the last bytes of a magic number whose first byte is 0x50 to 0x5f


class Decoder(Protocol):
    """Decompresses a body part by part."""

    def decode(self, part: bytes) -> Iterator[bytes]:
        """Yield what the part gives, at most 256 KiB at once.

        Raises:
            ValueError: the body is no such compressed data; the text says what is wrong with it.
        """

    def finish(self) -> Iterator[bytes]:
        """Yield what is left after the last part. Raises as `decode`, also if the compressed data is not complete."""


def choose_decoder(encoding: str, limit_bytes: int) -> Decoder:
    """Return the decoder for a header Content-Encoding.

    Args:
        encoding: the value of the header; empty if there is none.
        limit_bytes: the largest compressed body, for decoders that keep it.

    Raises:
        Refusal: 415: the encoding is not known.
    """
    named = encoding.strip().lower()
    if named in {"", "identity"}:
        return _Plain()
    if named in {"gzip", "x-gzip", "deflate"}:
        return _Zlib(is_gzip=named != "deflate")
    if named == "zstd":
        return _Zstandard(limit_bytes)
    raise Refusal(415, f"the content encoding {encoding[:40]!r} is not known; known are {KNOWN}")


class _Plain:
    def decode(self, part: bytes) -> Iterator[bytes]:
        yield part

    def finish(self) -> Iterator[bytes]:
        yield from ()


class _Zlib:
    """gzip with any number of members, and deflate with or without the header of zlib."""

    def __init__(self, *, is_gzip: bool) -> None:
        self._is_gzip = is_gzip
        self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16) if is_gzip else None
        self._begin = b""  # of deflate, until it is known whether it has a header

    def decode(self, part: bytes) -> Iterator[bytes]:
        if self._inflate is None:
            part = self._begin = self._begin + part
            if len(part) < 2:
                return
            has_header = part[0] & 15 == 8 and int.from_bytes(part[:2], "big") % 31 == 0
            self._inflate = zlib.decompressobj(zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS)
        while part:
            if self._inflate.eof:
                if not self._is_gzip:
                    raise ValueError("it has bytes after its end")
                self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)  # the next member
            yield self._decompress(self._inflate, part)
            part = self._inflate.unconsumed_tail or self._inflate.unused_data

    def finish(self) -> Iterator[bytes]:
        while self._inflate is not None and not self._inflate.eof:  # what the decompressor still has
            piece = self._decompress(self._inflate, b"")
            if not piece:
                break
            yield piece
        if self._inflate is None or not self._inflate.eof:
            raise ValueError("it ends too early")

    def _decompress(self, inflate: "zlib._Decompress", part: bytes) -> bytes:
        try:
            return inflate.decompress(part, _PIECE)
        except zlib.error as error:
            raise ValueError(_describe(str(error), "gzip" if self._is_gzip else "deflate")) from None


def _describe(error: str, encoding: str) -> str:
    """Return in plain words what zlib says about compressed data, such as "incorrect header check"."""
    if any(sign in error for sign in ("header check", "compression method", "header crc", "header flags")):
        return f"it does not begin as {encoding} does, which the header Content-Encoding names"
    if any(sign in error for sign in ("data check", "length check")):
        return "it is damaged: its checksum or its length is wrong"
    return "it is damaged"


class _Zstandard:
    """Zstandard. The compressed body is kept until its end, because its frames are checked before they are used."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._data = bytearray()

    def decode(self, part: bytes) -> Iterator[bytes]:
        self._data += part
        if len(self._data) > self._limit:
            raise ValueError(f"it is larger than {self._limit} bytes")
        yield from ()

    def finish(self) -> Iterator[bytes]:
        _check_frames(self._data)
        with pa.CompressedInputStream(pa.BufferReader(pa.py_buffer(self._data)), "zstd") as stream:
            try:
                while piece := stream.read(_PIECE):
                    yield piece
            except OSError:
                raise ValueError("it is damaged") from None


def _check_frames(data: bytearray) -> None:
    """Check that Zstandard's frames (RFC 8878) are complete, and that none wants a large window.

    Raises:
        ValueError: a frame is not complete, or its window is too large.
    """
    at = 0
    try:
        while at < len(data):
            if data[at + 1 : at + 4] == _SKIPPABLE and data[at] >> 4 == 5:
                at += 8 + int.from_bytes(data[at + 4 : at + 8], "little")
            elif data[at : at + 4] == _MAGIC:
                at = _check_frame(data, at + 4)
            else:
                raise ValueError("it is not Zstandard")
    except IndexError:
        at = len(data) + 1
    if at != len(data) or not data:
        raise ValueError("it ends too early")


def _check_frame(data: bytearray, at: int) -> int:
    """Check the frame whose header begins at an offset; return the offset after its end."""
    descriptor = data[at]
    is_single = bool(descriptor & 0x20)
    dictionary_size = (0, 1, 2, 4)[descriptor & 3]
    content_size = (1 if is_single else 0, 2, 4, 8)[descriptor >> 6]
    at += 1
    if not is_single:
        exponent, mantissa = data[at] >> 3, data[at] & 7
        window = (1 << (10 + exponent)) // 8 * (8 + mantissa)
        at += 1
    at += dictionary_size
    if is_single:
        window = int.from_bytes(data[at : at + content_size], "little") + (256 if content_size == 2 else 0)
    if not is_single and window > _MAX_WINDOW:
        raise ValueError(f"its window of {window} bytes is larger than {_MAX_WINDOW}")
    at += content_size
    is_last = False
    while not is_last:
        block = int.from_bytes(data[at : at + 3], "little")
        data[at + 2]  # raises IndexError if the header of the block is not complete
        is_last = bool(block & 1)
        at += 3 + (1 if (block >> 1) & 3 == 1 else block >> 3)  # a block of one repeated byte has that byte only
    return at + (4 if descriptor & 4 else 0)
