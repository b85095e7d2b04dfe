"""Where the lines are, and the quotes that hold a line's fields together.

Newlines and quotes are found in one search. A quote after an odd run of backslashes is escaped: it is part of a field
and none of ours. The request's opening quote is the first one after ``] ``: users' names may hold quotes of their own.
"""

from dataclasses import dataclass

import numpy as np

from puppylog.formats.block import starts_of
from puppylog.formats.words import Bytes, Flags, Positions, Words, word

_NEWLINE, _RETURN, _QUOTE, _BACKSLASH = 10, 13, 34, 92

_OPENING = word('] "')
_OPENING_MASK = np.uint64(0xFFFFFF)
_OPENING_LEAD = 2  # characters of it before the quote

_QUOTES = 6  # of the request, the referer and the user agent

_SEARCH_BYTES = 1 << 18  # searched at once, in memory that is used again: with what it needs, it fits a core's cache


@dataclass(frozen=True, slots=True)
class Lines:
    """Every line of a block."""

    since: Positions
    until: Positions  # without newline and carriage return
    marks: Positions  # all unescaped quotes and all newlines
    newline: Positions  # which mark is the line's newline

    @property
    def first_mark(self) -> Positions:
        first = np.empty_like(self.newline)
        first[:1] = 0
        np.add(self.newline[:-1], 1, out=first[1:])
        return first


@dataclass(frozen=True, slots=True)
class Entries:
    """The lines that have an opening quote. Quotes that a line does not have are somewhere beyond it."""

    line: Positions  # which line of the block
    since: Positions
    until: Positions
    quotes: tuple[Positions, ...]  # the first six, the opening one first
    quote_count: Positions


def find_lines(text: Bytes) -> Lines:
    """Find the lines of a block's text, between its margins."""
    marks = _find_marks(text)
    kinds = text[marks]
    escaped = _find_escaped(text, marks, kinds)
    if escaped.size:
        marks, kinds = np.delete(marks, escaped), np.delete(kinds, escaped)
    newline = np.flatnonzero(kinds == _NEWLINE)
    ends = marks[newline]
    since = starts_of(ends)
    return Lines(since, ends - (text[ends - 1] == _RETURN), marks, newline)


def find_entries(words: Words, lines: Lines) -> Entries:
    """Find the lines that have an opening quote, and their quotes from there on."""
    opening = lines.first_mark
    is_entry = _opens(words, lines.marks[opening])
    if is_entry.all():
        line = np.arange(opening.size)
    else:
        later_line, later = _find_later_openings(words, lines, np.flatnonzero(~is_entry))
        opening[later_line] = later
        is_entry[later_line] = True
        line = np.flatnonzero(is_entry)
        opening = opening[line]
    last = lines.marks.size - 1
    quotes = tuple(lines.marks[np.minimum(opening + place, last)] for place in range(_QUOTES))
    return Entries(line, lines.since[line], lines.until[line], quotes, lines.newline[line] - opening)


def _find_marks(text: Bytes) -> Positions:
    found = []
    room = np.empty((2, _SEARCH_BYTES), np.bool_)
    for since in range(0, text.size, _SEARCH_BYTES):
        part = text[since : since + _SEARCH_BYTES]
        is_quote, is_newline = room[:, : part.size]
        np.equal(part, _QUOTE, out=is_quote)
        np.equal(part, _NEWLINE, out=is_newline)
        found.append(np.flatnonzero(np.logical_or(is_quote, is_newline, out=is_quote)) + since)
    return np.concatenate(found)


def _find_escaped(text: Bytes, marks: Positions, kinds: Bytes) -> Positions:
    """Return which marks are quotes after an odd run of backslashes."""
    candidates = np.flatnonzero((text[marks - 1] == _BACKSLASH) & (kinds == _QUOTE))
    if not candidates.size:
        return candidates
    backslashes = np.flatnonzero(text == _BACKSLASH)
    starts_run = np.diff(backslashes, prepend=-1) > 1
    run_start = np.maximum.accumulate(np.where(starts_run, backslashes, 0))
    last = marks[candidates] - 1
    run_length = last + 1 - run_start[np.searchsorted(backslashes, last)]
    escaped: Positions = candidates[run_length % 2 == 1]
    return escaped


def _opens(words: Words, marks: Positions) -> Flags:
    opens: Flags = (words[marks - _OPENING_LEAD] & _OPENING_MASK) == _OPENING
    return opens


def _find_later_openings(words: Words, lines: Lines, doubtful: Positions) -> tuple[Positions, Positions]:
    """Look at all marks of the ``doubtful`` lines; return which of the lines have an opening quote, and where."""
    first = lines.first_mark[doubtful]
    counts = lines.newline[doubtful] - first
    line = np.repeat(doubtful, counts)
    mark = np.arange(line.size) + np.repeat(first - (np.cumsum(counts) - counts), counts)
    opens = _opens(words, lines.marks[mark])
    line, mark = line[opens], mark[opens]
    is_first = np.diff(line, prepend=-1) > 0
    return line[is_first], mark[is_first]
