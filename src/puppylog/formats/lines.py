"""Splits a text into lines in Arrow arrays, without a Python object for each line."""

import struct
from dataclasses import dataclass
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.integers import view_integers

_ONE = pa.scalar(1, pa.int64())


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a text, without their newlines. Offsets are in bytes from the start of the text."""

    texts: pa.Array  # strings, or bytes if the lines may hold anything
    starts: pa.Array  # int64: the offset of each line
    newlines: pa.Array  # int64: the offset of each line's newline

    @classmethod
    def split(cls, text: bytes | memoryview, kind: pa.DataType) -> Self:
        """Split a text into its lines.

        Args:
            text: whole lines: the last byte is a newline.
            kind: the type of `texts`: ``pa.string()`` or ``pa.binary()``.

        Raises:
            UnicodeError: the kind is ``pa.string()`` and the text is not UTF-8.
        """
        if kind == pa.string():
            check_utf8(text)
        bounds = pa.py_buffer(struct.pack("=2i", 0, len(text)))
        whole = pa.Array.from_buffers(kind, 1, [None, bounds, pa.py_buffer(text)])
        texts = pc.split_pattern(whole, "\n").values[:-1]  # nothing follows the last newline
        lengths = pc.add(pc.binary_length(texts).cast(pa.int64()), _ONE)
        ends = pc.cumulative_sum(lengths)
        return cls(texts, pc.subtract(ends, lengths), pc.subtract(ends, _ONE))

    def drop_blank(self) -> "Lines":
        """Return the lines without those that have only blanks, tabs and carriage returns."""
        has_text = pc.match_substring_regex(self.texts, "[^ \t\r]")
        return Lines(self.texts.filter(has_text), self.starts.filter(has_text), self.newlines.filter(has_text))


def slice_bytes(text: bytes | memoryview, starts: pa.Array, ends: pa.Array) -> pa.Array:
    """Return the bytes ``text[start:end]`` of every pair, as an array of ``pa.binary()``.

    Args:
        text: at most 2 GiB.
        starts: int64, ascending.
        ends: int64; no slice overlaps the next one.
    """
    # One array holds slices and the gaps between them alternately. A mask keeps the slices: every other value.
    count = len(starts)
    bounds = memoryview(bytearray(8 * (2 * count + 1))).cast("q")
    bounds[0:-1:2] = view_integers(starts)
    bounds[1::2] = view_integers(ends)
    bounds[-1] = bounds[-2] if count else 0
    parts = [None, pa.py_buffer(bounds), pa.py_buffer(text)]
    gapped = pa.Array.from_buffers(pa.large_binary(), 2 * count, parts)
    every_other = pa.Array.from_buffers(pa.bool_(), 2 * count, [None, pa.py_buffer(b"\x55" * (count // 4 + 1))])
    return gapped.filter(every_other).cast(pa.binary())


def may_contain(texts: pa.Array, part: bytes) -> bool:
    """Return False only if no text contains ``part``. A search in the buffer takes a quarter of the time of Arrow's."""
    data = texts.buffers()[2]
    return data is not None and part in data.to_pybytes()


def check_utf8(text: bytes | memoryview) -> None:
    """Raise UnicodeError if the bytes are not strict UTF-8."""
    bounds = pa.py_buffer(struct.pack("=2q", 0, len(text)))
    try:
        pa.Array.from_buffers(pa.large_string(), 1, [None, bounds, pa.py_buffer(text)]).validate(full=True)
    except pa.ArrowInvalid as error:
        raise UnicodeError("the text is not UTF-8") from error
