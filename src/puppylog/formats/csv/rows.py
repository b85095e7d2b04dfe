"""Splits a text of delimited fields into rows and fields, in Arrow arrays.

A field in quotes may have delimiters and newlines, and two quotes stand for one. A quote within a field that does not
begin with a quote is an ordinary character.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.file.heads import without_return
from puppylog.formats.integers import count_up, view_integers
from puppylog.formats.lines import Lines, slice_bytes
from puppylog.formats.rows import MAX_RECORD_BYTES, MAX_RECORD_LINES

_QUOTE: Final = '"'
_HIDDEN: Final = "\x1f"  # stands for a delimiter within quotes
_ODD = pa.scalar(1, pa.int64())
_HALF = pa.scalar(2, pa.int64())


@dataclass(frozen=True, slots=True)
class TextRows:
    """The rows of a text. Offsets are in bytes from its start."""

    texts: pa.Array  # strings, without the carriage return at the end
    starts: pa.Array  # int64
    ends: pa.Array  # int64: the offset of the newline at the end
    is_unclosed: pa.Array  # bool: the row has a quoted field without an end
    lines: int  # the number of lines of the text


def split_rows(text: bytes | memoryview, delimiter: str, *, has_quotes: bool) -> TextRows:
    r"""Return the rows of a text. A blank line is a row.

    A row ends where its quoted field ends. If that is not within the most lines or bytes of a record, or not within the
    text, each of the lines is a row, and the first of them is unclosed.

    Args:
        text: whole lines, each ended by ``\n``.
        delimiter: the character between two fields.
        has_quotes: whether a field may be in quotes.

    Raises:
        UnicodeError: the text is not UTF-8.
    """
    lines = Lines.split(text, pa.string())
    count = len(lines.texts)
    texts = without_return(lines.texts)
    nowhere = pa.repeat(False, count)
    toggles = find_toggles(texts, delimiter) if has_quotes else NO_TOGGLES
    if not toggles.opening:
        return TextRows(texts, lines.starts, lines.newlines, nowhere, count)
    starts = view_integers(lines.starts)
    joined = bytearray(count)  # 1 for a line that continues the row before
    unclosed: list[int] = []
    for first, last in toggles.iter_pairs():
        if last is None or starts[last] - starts[first] >= MAX_RECORD_BYTES:
            unclosed.append(first)
        else:
            joined[first + 1 : last + 1] = b"\1" * (last - first)
    is_first = pc.equal(pa.array(memoryview(joined), pa.uint8()), 0)
    is_unclosed = pc.is_in(count_up(count), value_set=pa.array(unclosed, pa.int64()))
    is_last = pa.concat_arrays([is_first[1:], pa.array([True])])
    begins, ends = lines.starts.filter(is_first), lines.newlines.filter(is_last)
    whole = without_return(slice_bytes(text, begins, ends).view(pa.string()))
    return TextRows(whole, begins, ends, is_unclosed.filter(is_first), count)


@dataclass(frozen=True, slots=True)
class Toggles:
    """The lines at which a quoted field with newlines may begin and end, as numbers of lines in their order."""

    opening: list[int]
    closing: list[int]

    def iter_pairs(self) -> Iterator[tuple[int, int | None]]:
        """Yield the first and the last line of each row with several lines; None if its last line is not found.

        The lines after the first line of such a row, or after the last line of a complete row, may open the next row.
        """
        at = -1
        while (place := bisect_right(self.opening, at)) < len(self.opening):
            first = self.opening[place]
            end = bisect_right(self.closing, first)
            last = self.closing[end] if end < len(self.closing) else None
            is_long = last is not None and last - first >= MAX_RECORD_LINES
            at = first if last is None or is_long else last
            yield first, None if is_long else last


NO_TOGGLES: Final = Toggles([], [])


def find_toggles(texts: pa.Array, delimiter: str) -> Toggles:
    """Return the lines with an odd number of quotes of which one begins or ends a field."""
    quotes = pc.count_substring(texts, _QUOTE).cast(pa.int64())
    is_odd = pc.equal(pc.subtract(quotes, pc.multiply(pc.divide(quotes, _HALF), _HALF)), _ODD)
    if not pc.any(is_odd).as_py():
        return NO_TOGGLES
    numbers = pc.indices_nonzero(is_odd).cast(pa.int64())
    lines = texts.take(numbers)
    by = rf"\{delimiter}"
    opens = pc.match_substring_regex(lines, f'(?:^|{by})"(?:[^"]|"")*$')
    closes = pc.match_substring_regex(lines, f'^(?:[^"]|"")*"(?:{by}|$)')
    return Toggles(numbers.filter(opens).to_pylist(), numbers.filter(closes).to_pylist())


def split_fields(texts: pa.Array, delimiter: str, *, has_quotes: bool) -> tuple[pa.Array, pa.Array]:
    """Return the fields of all rows one after another, and the number of fields of each row as int64."""
    quoted = pc.match_substring(texts, _QUOTE) if has_quotes else pa.repeat(False, len(texts))
    hides = pc.any(quoted).as_py()
    if hides:
        texts = pc.replace_with_mask(texts, quoted, _hide_delimiters(texts.filter(quoted), delimiter))
    lists = pc.split_pattern(texts, delimiter)
    fields = pc.list_flatten(lists)
    if hides:
        fields = _unquote(fields, delimiter)
    return fields, pc.list_value_length(lists).cast(pa.int64())


def _hide_delimiters(texts: pa.Array, delimiter: str) -> pa.Array:
    """Return rows with other characters in place of the delimiters within quotes.

    Every other piece between quotes is within quotes. This is not so in a row with an odd number of quotes.
    """
    pieces = pc.split_pattern(texts, _QUOTE)
    flat = pc.list_flatten(pieces)
    sizes = pc.list_value_length(pieces).cast(pa.int64())
    ends = pc.cumulative_sum(sizes)
    before = pc.subtract(ends, sizes)
    parents = pc.list_parent_indices(pieces).cast(pa.int64())
    place = pc.subtract(count_up(len(flat)), before.take(parents))
    is_even = pc.equal(pc.subtract(sizes, pc.multiply(pc.divide(sizes, _HALF), _HALF)), 0).take(parents)
    is_within = pc.equal(pc.subtract(place, pc.multiply(pc.divide(place, _HALF), _HALF)), _ODD)
    hidden = pc.if_else(pc.and_not(is_within, is_even), pc.replace_substring(flat, delimiter, _HIDDEN), flat)
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends.cast(pa.int32())])
    return pc.binary_join(pa.ListArray.from_arrays(offsets, hidden), _QUOTE)


def _unquote(fields: pa.Array, delimiter: str) -> pa.Array:
    fields = pc.replace_substring(fields, _HIDDEN, delimiter)
    is_quoted = pc.match_substring_regex(fields, r'(?s)^\s*".*"\s*$')
    if not pc.any(is_quoted).as_py():
        return fields
    inner = pc.replace_substring_regex(fields.filter(is_quoted), r'(?s)^\s*"(.*)"\s*$', r"\1")
    return pc.replace_with_mask(fields, is_quoted, pc.replace_substring(inner, '""', '"'))
