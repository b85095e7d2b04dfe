"""Compressed bytes to the bytes they were made of: one pass from the first to the last, in pieces of bounded size.

gzip, bzip2 and xz are unpacked by the standard library. For zstd it has something from Python 3.14 on only; Arrow,
which is here anyway, unpacks it everywhere.
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

# What `xz -9` writes needs 65 MiB to be read; a dictionary beyond that is nobody's log.
_XZ_MEMORY_BYTES = 100 << 20


class Damaged(Exception):
    """These bytes were not made by compressing anything. Output of the call that met them may be lost."""


class RawFile:
    """The bytes of a file as they lie on disk, in their order."""

    def __init__(self, descriptor: int) -> None:
        self.checkpoint = START_OF_FILE
        """Of what was taken so far."""
        self.is_dry = False
        """Whether there was nothing more when it was last asked for."""
        self.failure: OSError | None = None
        self.closed = False
        self._descriptor = descriptor

    def read(self, size: int = _RAW_BYTES) -> bytes:
        """Return what follows, at most ``size`` bytes. Arrow asks here as well, and translates what it meets."""
        try:
            data = os.pread(self._descriptor, size, self.checkpoint.offset)
        except OSError as error:
            self.failure = error
            raise
        self.checkpoint = self.checkpoint.after(data, len(data))
        self.is_dry = not data
        return data

    def close(self) -> None:
        """The descriptor is its owner's."""


class Unpacking(Protocol):
    """One pass over a compressed file."""

    def read(self, limit: int) -> bytes:
        """Return some of the bytes that follow, at most ``limit``; none if the file has no more of them now.

        Raises:
            Damaged: there is no going on. Asked for one byte at a time, it has given every byte before that place.
            OSError: the file cannot be read now.
        """

    @property
    def is_whole(self) -> bool:
        """Whether the file may end where it was read to."""


@dataclass(frozen=True, slots=True)
class Compression:
    """A way to compress, and how its files are told."""

    name: str
    suffix: str
    beginning: re.Pattern[bytes]
    unpack: Callable[[RawFile], Unpacking]


class _Decoder(Protocol):
    """As the standard library has them for bzip2 and xz."""

    def decompress(self, data: bytes, max_length: int) -> bytes: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...


class _Gunzip:
    """The same for gzip."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(wbits=31)
        self.needs_input = True

    def decompress(self, data: bytes, max_length: int) -> bytes:
        unpacked = self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)
        self.needs_input = len(unpacked) < max_length  # a full one may have left something behind
        return unpacked

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data


class _Members:
    """A pass over compressed streams that follow one another, perhaps with NULs in between."""

    def __init__(self, raw: RawFile, magic: bytes, begin: Callable[[], _Decoder]) -> None:
        self._raw = raw
        self._magic = magic
        self._begin = begin
        self._decoder: _Decoder | None = None
        self._rest = b""  # taken from the file, and not yet given to a decoder
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
    """A pass by Arrow, which takes frames that follow one another by itself."""

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
            if self._raw.is_dry and limit == 1:
                return b""  # it ends in the middle of a frame, and may go on when there is more
            raise Damaged(str(error)) from None
        self.is_whole = not unpacked
        return unpacked


_COMPRESSIONS = (
    Compression("gzip", ".gz", re.compile(rb"\x1f\x8b\x08"), lambda raw: _Members(raw, b"\x1f\x8b", _Gunzip)),
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
"""How names of compressed files end, of those that can be read."""

SAMPLE_BYTES = 16
"""So much of a file's beginning says how it is compressed."""


def find_compression(path: str, beginning: bytes) -> Compression | None:
    """Return how a file is compressed: its first bytes say it, and of an empty one its name. None: it is not."""
    if not beginning:
        return next((one for one in _COMPRESSIONS if path.endswith(one.suffix)), None)
    return next((one for one in _COMPRESSIONS if one.beginning.match(beginning)), None)
