"""Decodes UTF-16 text that begins with a byte order mark. Programs on Windows write such logs."""

import codecs

from puppylog.tail.compression import Compression, Decompression, RawFile

_CODECS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
MARK_BYTES = 2
"""The size of a byte order mark of UTF-16."""


def may_be_utf16(beginning: bytes) -> bool:
    """Return whether a file that begins so has the byte order mark of UTF-16, or its first byte and no more yet."""
    return beginning[:1] in {b"\xff", b"\xfe"} and (len(beginning) < MARK_BYTES or beginning[:MARK_BYTES] in _CODECS)


class DecodedText:
    """Implements `Decompression`: gives UTF-16 text as UTF-8 without its mark, and any other bytes as they are.

    Half of a character at the end waits for its other half. U+FFFD replaces surrogates that have no partner.
    """

    def __init__(self, inner: Decompression) -> None:
        """Decode what another pass over the file returns."""
        self._inner = inner
        self._decoder: codecs.IncrementalDecoder | None = None
        self._is_begun = False
        self._beginning = b""  # the first byte of what may be a mark
        self._ready = b""  # was decoded and not returned yet

    @property
    def is_whole(self) -> bool:
        """See `Decompression`."""
        return self._inner.is_whole

    def read(self, limit: int) -> bytes:
        """See `Decompression`."""
        while not self._ready:
            data = self._inner.read(limit)
            if not data:
                return b""
            if self._is_begun and self._decoder is None:
                return data
            self._ready = self._decode(data)
        piece, self._ready = self._ready[:limit], self._ready[limit:]
        return piece

    def _decode(self, data: bytes) -> bytes:
        if not self._is_begun:
            data = self._beginning + data
            if may_be_utf16(data):
                self._beginning = data[:MARK_BYTES]
                if len(data) < MARK_BYTES:
                    return b""
                self._decoder = codecs.getincrementaldecoder(_CODECS[self._beginning])(errors="replace")
                data = data[MARK_BYTES:]
            self._is_begun = True
        return data if self._decoder is None else self._decoder.decode(data).encode()


class _Uncompressed:
    """Implements `Decompression` for a file that is not compressed."""

    is_whole = True

    def __init__(self, raw: RawFile) -> None:
        self._raw = raw

    def read(self, limit: int) -> bytes:
        return self._raw.read(limit)


def begin_compressed(compression: Compression, raw: RawFile) -> DecodedText:
    """Return a pass over the text of a compressed file."""
    return DecodedText(compression.begin(raw))


def begin_uncompressed(raw: RawFile) -> DecodedText:
    """Return a pass over the text of a file that is not compressed."""
    return DecodedText(_Uncompressed(raw))
