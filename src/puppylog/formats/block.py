"""A block: whole lines between two margins, not too many of them at once, and valid UTF-8 whatever came.

The margins let every position near a line be read without asking whether it is inside. Bytes that are not UTF-8 are
replaced before anything is parsed: no sequence that UTF-8 knows contains an ASCII byte, so the same lines and the same
fields come out, and Arrow never sees a text that is none.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.spans import view_lines
from puppylog.formats.words import Bytes, Flags, Positions, Words, view_words

MARGIN = 32
"""Zero bytes before and after the lines. A time is read from 30 bytes before a quote, a word reaches 8 bytes beyond its
place: with less, the first and the last line of a block would be read outside of it."""

_LOOK_BACK = 1 << 16  # where a block's last newline mostly is; the rest is looked at only if it is not there
_NEWLINE = 10


@dataclass(frozen=True, slots=True)
class Block:
    """Lives until the next one is made: `iter_blocks` uses its memory again."""

    raw: Bytes  # as the bytes stood, between margins
    text: Bytes  # the same, unless something in it was not UTF-8
    words: Words  # of the text
    offset: int  # where raw[0] would be in the file

    @property
    def is_damaged(self) -> bool:
        """Whether something in it was not UTF-8."""
        return self.text is not self.raw


def iter_blocks(data: bytes | memoryview, offset: int, block_bytes: int) -> Iterator[Block]:
    """Cut ``data``, which starts at ``offset`` of its file, into blocks; use up each one before asking for the next.

    A block has at most ``block_bytes``, unless its first line alone is longer.

    Raises:
        ValueError: the last line has no end.
    """
    source = memoryview(data)
    if source.nbytes and source[-1] != _NEWLINE:
        raise ValueError("the last line of the data has no newline")
    room = np.empty(0, np.uint8)
    since = 0
    while since < source.nbytes:
        until = _find_cut(source, since, block_bytes)
        size = until - since + 2 * MARGIN
        if room.size < size:
            room = np.empty(size, np.uint8)
        raw = _fill(room[:size], source[since:until])
        text = _repair(raw)
        yield Block(raw, text, view_words(text), offset + since - MARGIN)
        since = until


def find_newlines(padded: Bytes) -> Positions:
    return np.flatnonzero(padded == _NEWLINE)


def starts_of(newlines: Positions) -> Positions:
    """Return where the lines start that end at ``newlines``."""
    starts = np.empty_like(newlines)
    starts[:1] = MARGIN
    np.add(newlines[:-1], 1, out=starts[1:])
    return starts


def find_damaged(block: Block) -> Flags:
    """Return which lines of a damaged block had bytes that are not UTF-8."""
    return np.asarray(pc.not_equal(_line_array(block.raw), _line_array(block.text)))


def _find_cut(source: memoryview, since: int, block_bytes: int) -> int:
    until = since + block_bytes
    while until < source.nbytes:
        for look_back in (min(_LOOK_BACK, block_bytes), block_bytes):
            newline = bytes(source[until - look_back : until]).rfind(b"\n")
            if newline >= 0:
                return until - look_back + newline + 1
        until += block_bytes
    return source.nbytes


def _fill(room: Bytes, lines: memoryview | bytes) -> Bytes:
    room[:MARGIN] = 0
    room[-MARGIN:] = 0
    room[MARGIN:-MARGIN] = np.frombuffer(lines, np.uint8)
    return room


def _repair(raw: Bytes) -> Bytes:
    if raw.max() < 0x80:
        return raw
    lines = raw[MARGIN:-MARGIN].data
    try:
        str(lines, "utf-8")
    except UnicodeDecodeError:
        repaired = str(lines, "utf-8", "replace").encode()
        return _fill(np.empty(len(repaired) + 2 * MARGIN, np.uint8), repaired)
    return raw


def _line_array(padded: Bytes) -> pa.Array:
    newlines = find_newlines(padded)
    offsets = np.append(starts_of(newlines), newlines[-1] + 1)
    return view_lines(padded, offsets)
