"""Divides lines into records: a line that does not begin a record belongs to the record before.

Everything is computed on Arrow arrays. Python code runs only for records that are longer than the limits.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.integers import count_up, view_integers
from puppylog.formats.lines import Lines, may_contain, slice_bytes
from puppylog.formats.rows import MAX_RECORD_BYTES, MAX_RECORD_LINES, Run

_MIN_RUN: Final = 5
_MAX_RUNS: Final = 16

_ONE = pa.scalar(1, pa.int64())


@dataclass(frozen=True, slots=True)
class Records:
    """The records of a text; each array has one value for each record.

    Offsets are in bytes from the start of the text.
    """

    texts: pa.Array  # strings: the lines of a record with newlines between them, without carriage returns
    starts: pa.Array  # int64: the offset of the first line
    ends: pa.Array  # int64: the offset of the newline after the last line
    is_head: pa.Array  # bool: whether the first line may begin a record
    rowless: int = 0  # the number of lines that belong to no record
    continued: int = 0  # the number of continuation lines
    joined_runs: Sequence[Run] = ()
    """Of the first runs of continuation lines that are long: the offset of the first, and how many there are."""


def split_records(
    text: bytes | memoryview, begins: str | None, skip: str | None, not_after: str | None = None
) -> Records:
    r"""Return the records of a text.

    Args:
        text: whole lines, each ended by ``\n``.
        begins: an expression that the first line of a record matches; None if each line is a record.
        skip: an expression for lines that make no record; None if there are none.
        not_after: an expression for lines after which no record begins; None if there are none.

    Raises:
        UnicodeError: the text is not UTF-8.
    """
    lines = Lines.split(text, pa.string())
    texts = without_return(lines.texts)
    is_line = pc.not_equal(pc.ascii_trim(texts, " \t\r"), "")
    is_skipped = pc.match_substring_regex(texts, skip) if skip is not None else pa.repeat(False, len(texts))
    if begins is None:
        is_record = pc.and_not(is_line, is_skipped)
        kept = pc.all(is_record).as_py()
        texts, starts, ends = (
            column if kept else column.filter(is_record) for column in (texts, lines.starts, lines.newlines)
        )
        return Records(texts, starts, ends, pa.repeat(True, len(texts)), len(lines.texts) - len(texts))
    is_head = pc.and_not(find_heads(texts, begins, not_after), is_skipped)
    if pc.all(is_head).as_py():
        return Records(texts, lines.starts, lines.newlines, is_head)
    return _join(text, lines, is_line, is_head, is_skipped)


def find_heads(texts: pa.Array, begins: str, not_after: str | None) -> pa.Array:
    """Return for each line whether a record begins with it; the line before the first one is taken to be any line."""
    are_heads = pc.match_substring_regex(texts, begins)
    if not_after is None:
        return are_heads
    return pc.and_not(are_heads, _shift(pc.match_substring_regex(texts, not_after), first=False))


def without_return(texts: pa.Array) -> pa.Array:
    r"""Return the texts without the ``\r`` before each newline and at the end."""
    if not may_contain(texts, b"\r"):
        return texts
    return pc.replace_substring_regex(texts, r"\r(\n|\z)", r"\1")


def _join(
    text: bytes | memoryview, lines: Lines, is_line: pa.Array, is_head: pa.Array, is_skipped: pa.Array
) -> Records:
    """Return the records of lines of which some are continuation lines, blank or skipped."""
    count = len(is_line)
    numbers = count_up(count).filter(is_line)  # of the lines that are not blank
    is_head, is_skipped = is_head.filter(is_line), is_skipped.filter(is_line)
    after_skipped = _shift(is_skipped, first=True)
    begins = pc.or_(is_head, pc.and_not(after_skipped, is_skipped))
    begins = _cut_long_records(lines, numbers, begins, is_skipped)
    is_last = pc.and_not(pc.or_(_shift_back(begins), _shift_back(is_skipped)), is_skipped)
    first, last = numbers.filter(begins), numbers.filter(is_last)
    sizes = pc.add(pc.subtract(last, first), _ONE)
    starts, ends = lines.starts.take(first), lines.newlines.take(last)
    in_records = int(pc.sum(sizes).as_py() or 0)
    texts = slice_bytes(text, starts, ends).view(pa.string())
    return Records(
        without_return(texts),
        starts,
        ends,
        is_head.filter(begins),
        count - in_records,
        in_records - len(first),
        _list_runs(lines, first, sizes),
    )


def _shift(flags: pa.Array, *, first: bool) -> pa.Array:
    """Return for each value the value before it."""
    return pa.concat_arrays([pa.array([first]), flags])[: len(flags)]


def _shift_back(flags: pa.Array) -> pa.Array:
    """Return for each value the value after it; true after the last one."""
    return pa.concat_arrays([flags, pa.array([True])])[1:] if len(flags) else flags


def _cut_long_records(lines: Lines, numbers: pa.Array, begins: pa.Array, is_skipped: pa.Array) -> pa.Array:
    """Return ``begins`` with another true value wherever a record has reached its limits.

    Args:
        lines: all lines.
        numbers: int64: the numbers of the lines that are not blank; the other arrays have a value for each of these.
        begins: whether a line is the first of its record.
        is_skipped: whether a line belongs to no record.
    """
    places = count_up(len(numbers) + 1)
    bounds = pa.concat_arrays([places[:-1].filter(pc.or_(begins, is_skipped)), places[-1:]])
    if len(bounds) < 2:
        return begins
    starts = lines.starts.take(numbers)
    firsts, ends = bounds[:-1], bounds[1:]
    lasts = pc.subtract(ends, _ONE)
    line_counts, byte_counts = (pc.subtract(of.take(lasts), of.take(firsts)) for of in (numbers, starts))
    is_long = pc.or_(
        pc.greater_equal(line_counts, pa.scalar(MAX_RECORD_LINES, pa.int64())),
        pc.greater_equal(byte_counts, pa.scalar(MAX_RECORD_BYTES, pa.int64())),
    )
    cuts: list[int] = []
    line_numbers, line_starts = view_integers(numbers), view_integers(starts)
    for first, end in zip(firsts.filter(is_long).to_pylist(), ends.filter(is_long).to_pylist(), strict=True):
        at = first
        while at < end:
            by_lines = bisect_left(line_numbers, line_numbers[at] + MAX_RECORD_LINES, at + 1, end)
            at = bisect_left(line_starts, line_starts[at] + MAX_RECORD_BYTES, at + 1, by_lines)
            cuts += [at] if at < end else []
    return pc.or_(begins, pc.is_in(places[:-1], value_set=pa.array(cuts, pa.int64()))) if cuts else begins


def _list_runs(lines: Lines, first: pa.Array, sizes: pa.Array) -> list[Run]:
    is_long = pc.greater(sizes, pa.scalar(_MIN_RUN, pa.int64()))
    second = pc.add(first.filter(is_long)[:_MAX_RUNS], _ONE)
    lengths = pc.subtract(sizes.filter(is_long)[:_MAX_RUNS], _ONE)
    return list(zip(lines.starts.take(second).to_pylist(), lengths.to_pylist(), strict=True))
