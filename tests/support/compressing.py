"""Compresses bytes in the formats of the programs whose files Puppylog reads."""

import bz2
import gzip
import lzma
from collections.abc import Callable

import pyarrow as pa


def _compress_xz(data: bytes) -> bytes:
    return lzma.compress(data, preset=0)


def _compress_zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": _compress_xz,
    ".zst": _compress_zstd,
}
"""By the suffix that the program gives to a file."""
