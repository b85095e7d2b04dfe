"""Fields as spans, positions in a text from and until which they reach, and the Arrow arrays that they become.

The text becomes one Arrow array without a copy: its offsets name the fields and the gaps between them in turn, and
``take`` copies every second value out. An empty field says nothing: it becomes null.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from puppylog.formats.words import Bytes, Flags, Positions

_DASH = 45


@dataclass(frozen=True, slots=True)
class Spans:
    """One field of many lines, in the order of the text; they do not overlap."""

    since: Positions
    until: Positions

    def keep(self, rows: Flags | Positions | slice) -> "Spans":
        return Spans(self.since[rows], self.until[rows])

    def replace(self, rows: Positions, spans: "Spans") -> "Spans":
        """Return the spans with those of ``rows`` replaced."""
        since, until = self.since.copy(), self.until.copy()
        since[rows], until[rows] = spans.since, spans.until
        return Spans(since, until)

    def where(self, condition: Flags) -> "Spans":
        """Return the spans with those emptied that do not meet ``condition``."""
        return Spans(self.since, np.where(condition, self.until, self.since))

    def without_dashes(self, text: Bytes) -> "Spans":
        """Return the spans with those emptied that hold nothing but a dash: a log's word for what it does not know."""
        is_dash = (self.until - self.since == 1) & (text[self.since] == _DASH)
        return Spans(self.since, self.until - is_dash)


def view_lines(text: Bytes, bounds: Positions) -> pa.Array:
    """Return what stands between each position in ``bounds`` and the next one, as one array, without a copy."""
    return pa.Array.from_buffers(pa.large_binary(), bounds.size - 1, [None, pa.py_buffer(bounds), pa.py_buffer(text)])


class Taker:
    """Copies fields out of one text."""

    def __init__(self, text: Bytes, rows: int) -> None:
        self._text = pa.py_buffer(text)
        self._rows = rows
        self._fields = pa.array(np.arange(0, 2 * rows, 2, dtype=np.int32))

    def take_texts(self, spans: Spans) -> pa.Array:
        """Return the fields as strings, null where a span is empty. The text must be UTF-8."""
        is_there = spans.until > spans.since
        nulls = self._rows - np.count_nonzero(is_there)
        if nulls == self._rows:
            return pa.nulls(self._rows, pa.string())
        taken = self._take(spans, pa.string())
        if not nulls:
            return taken
        validity = pa.py_buffer(np.packbits(is_there, bitorder="little"))
        return pa.Array.from_buffers(pa.string(), self._rows, [validity, *taken.buffers()[1:]], nulls)

    def take_bytes(self, spans: Spans) -> pa.Array:
        """Return the fields as bytes; an empty one stays empty."""
        return self._take(spans, pa.binary())

    def _take(self, spans: Spans, kind: pa.DataType) -> pa.Array:
        offsets = np.empty(2 * self._rows + 1, np.int32)
        offsets[0:-1:2] = spans.since
        offsets[1::2] = spans.until
        offsets[-1] = offsets[-2] if self._rows else 0
        gapped = pa.Array.from_buffers(kind, 2 * self._rows, [None, pa.py_buffer(offsets), self._text])
        return gapped.take(self._fields)
