"""Decompresses files: one pass from the first byte to the last, in pieces of bounded size.

The standard library decompresses gzip, bzip2 and xz. It knows zstd only from Python 3.14 on, so Arrow does zstd.
"""

import bz2
import lzma
import os
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Protocol, cast

import pyarrow as pa

from puppylog.tail.checkpoint import START_OF_FILE

_RAW_BYTES = 64 << 10

# Reading what `xz -9` writes takes 65 MiB. A file that needs more than this is refused: it is hardly a log.
_XZ_MEMORY_BYTES = 100 << 20


class Damaged(Exception):
    """The compressed bytes are damaged. Bytes that the failed call had decompressed before the damage may be lost."""


class RawFile:
    """Reads the bytes of a file on disk from its start to its end."""

    def __init__(self, descriptor: int) -> None:
        self.checkpoint = START_OF_FILE
        """The checkpoint after the last byte that was read."""
        self.is_at_end = False
        """Whether the last `read` found no more bytes."""
        self.failure: OSError | None = None
        self.closed = False
        self._descriptor = descriptor

    def read(self, size: int = _RAW_BYTES) -> bytes:
        """Return the next bytes, at most ``size``; none at the end of the file.

        Arrow calls this too, and translates errors. So an error is kept in `failure`.
        """
        try:
            data = os.pread(self._descriptor, size, self.checkpoint.offset)
        except OSError as error:
            self.failure = error
            raise
        self.checkpoint = self.checkpoint.after(data, len(data))
        self.is_at_end = not data
        return data

    def close(self) -> None:
        """Do nothing: the owner of the descriptor closes it."""


class Decompression(Protocol):
    """One pass over a compressed file."""

    def read(self, limit: int) -> bytes:
        """Return the next decompressed bytes, at most ``limit``; none if the file has no more bytes now.

        Raises:
            Damaged: the file is damaged here. With a limit of 1, every byte before the damage was returned.
            OSError: the file cannot be read now.
        """

    @property
    def is_whole(self) -> bool:
        """Whether the compressed data is complete if the file ends at the point that was read to."""


@dataclass(frozen=True, slots=True)
class Compression:
    """A compression format, and how its files are recognized."""

    name: str
    suffix: str
    magic: re.Pattern[bytes]
    begin: Callable[[RawFile], Decompression]


class _Decoder(Protocol):
    """The decoders of the standard library for bzip2 and xz."""

    def decompress(self, data: bytes, max_length: int) -> bytes: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...


class _GzipDecoder:
    """Gives `zlib` the interface of the other decoders."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(wbits=31)
        self.needs_input = True

    def decompress(self, data: bytes, max_length: int) -> bytes:
        unpacked = self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)
        self.needs_input = len(unpacked) < max_length  # a full output may not be all of it
        return unpacked

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data


class _Members:
    """A pass over a file of one or more compressed members, perhaps with NULs between them."""

    def __init__(self, raw: RawFile, magic: bytes, begin: Callable[[], _Decoder]) -> None:
        self._raw = raw
        self._magic = magic
        self._begin = begin
        self._decoder: _Decoder | None = None
        self._rest = b""  # read from the file, and not yet passed to a decoder
        self._members = 0

    @property
    def is_whole(self) -> bool:
        return self._decoder is None and self._members > 0 and not self._rest

    def read(self, limit: int) -> bytes:
        while True:
            decoder = self._decoder or self._begin_member()
            if decoder is None:
                return b""
            data = (self._take() or self._raw.read()) if decoder.needs_input else b""
            if decoder.needs_input and not data:
                return b""
            try:
                unpacked = decoder.decompress(data, limit)
            except (zlib.error, lzma.LZMAError, OSError, ValueError, EOFError) as error:
                raise Damaged(str(error)) from None
            if decoder.eof:
                self._rest, self._decoder = decoder.unused_data, None
            if unpacked:
                return unpacked

    def _take(self) -> bytes:
        rest, self._rest = self._rest, b""
        return rest

    def _begin_member(self) -> _Decoder | None:
        while True:
            if self._members:
                self._rest = self._rest.lstrip(b"\0")
            if len(self._rest) >= len(self._magic):
                break
            more = self._raw.read()
            if not more:
                return None
            self._rest += more
        if not self._rest.startswith(self._magic):
            raise Damaged("other bytes follow")
        self._members += 1
        self._decoder = self._begin()
        return self._decoder


class _Zstd:
    """A pass by Arrow, which reads a file of several frames without help."""

    def __init__(self, raw: RawFile) -> None:
        self._raw = raw
        self._stream = pa.CompressedInputStream(pa.PythonFile(cast("IO[bytes]", raw), mode="r"), "zstd")
        self.is_whole = False

    def read(self, limit: int) -> bytes:
        self._raw.failure = None
        try:
            unpacked = self._stream.read(limit)
        except OSError as error:
            self.is_whole = False
            if self._raw.failure is not None:
                raise self._raw.failure from None
            if self._raw.is_at_end and limit == 1:
                return b""  # the file ends in the middle of a frame, and may still grow
            raise Damaged(str(error)) from None
        self.is_whole = not unpacked
        return unpacked


_COMPRESSIONS = (
    Compression("gzip", ".gz", re.compile(rb"\x1f\x8b\x08"), lambda raw: _Members(raw, b"\x1f\x8b", _GzipDecoder)),
    Compression(
        "bzip2",
        ".bz2",
        re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"),
        lambda raw: _Members(raw, b"BZh", bz2.BZ2Decompressor),
    ),
    Compression(
        "xz",
        ".xz",
        re.compile(rb"\xfd7zXZ\0"),
        lambda raw: _Members(raw, b"\xfd7zXZ", lambda: lzma.LZMADecompressor(memlimit=_XZ_MEMORY_BYTES)),
    ),
    Compression("zstd", ".zst", re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"), _Zstd),
)
SUFFIXES = tuple(compression.suffix for compression in _COMPRESSIONS)
"""The ends of the names of compressed files that can be read."""

SAMPLE_BYTES = 16
"""How many bytes at the start of a file show how it is compressed."""


def find_compression(path: str, beginning: bytes) -> Compression | None:
    """Return the compression of a file; None if it is not compressed.

    The first bytes of the file tell the compression. An empty file has the compression that its name tells.
    """
    if not beginning:
        return next((one for one in _COMPRESSIONS if path.endswith(one.suffix)), None)
    return next((one for one in _COMPRESSIONS if one.magic.match(beginning)), None)
