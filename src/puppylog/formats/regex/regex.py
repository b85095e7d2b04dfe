"""The format itself: its parser, which knows the year, and the lines that match."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.base import Format, Options
from puppylog.formats.fold import Fold
from puppylog.formats.line_format import parse_lines
from puppylog.formats.regex.fields import assign_fields
from puppylog.formats.regex.groups import FITS, Groups
from puppylog.formats.regex.mismatch import find_mismatch
from puppylog.formats.regex.pattern import Pattern, parse_pattern
from puppylog.formats.rows import Rows
from puppylog.formats.spans import Spans, Taker
from puppylog.formats.syslog.calendar import Calendar
from puppylog.model.record import Parsed

_NEWLINE, _RETURN = 10, 13

_NO_MATCH = "does not match the pattern"
_EMPTY = "empty line"


@dataclass(frozen=True, slots=True)
class Regex:
    """A `puppylog.formats.base.Format`."""

    name: str  # the expression as it was written
    pattern: Pattern
    fields: Mapping[str, str]  # the group of each
    options: Options

    def open(self, context: str = "", about_us: int | None = None) -> "RegexParser":
        rest, fold = Fold.open(context)
        return RegexParser(self, Calendar.open(rest, self.options.year, about_us), fold)

    def locate(self, line: str) -> int:
        rejects = self.open().parse(f"{line}\n".encode(), 0, 0).rejects
        reason = rejects["reason"][0].as_py() if rejects.num_rows else ""
        group = next((group for group in self.pattern.names if reason.startswith(f"group {group} ")), "")
        return find_mismatch(self.pattern.regex.partition(f"(?P<{group}>")[0], line)


def make_regex(written: str, options: Options) -> Format:
    """Return the format of an expression.

    Raises:
        UsageError: it is none, or its groups cannot be told apart.
    """
    pattern = parse_pattern(written)
    return Regex(written, pattern, assign_fields(pattern.names), options)


@dataclass(frozen=True, slots=True)
class RegexParser:
    """Implements `puppylog.formats.base.Parser`.

    Its context is the month of the last stamp that named no year, and what `Fold` remembers.
    """

    format: Regex
    calendar: Calendar
    fold: Fold

    @property
    def name(self) -> str:
        return self.format.name

    @property
    def context(self) -> str:
        return self.fold.extend(self.calendar.context)

    def parse(self, data: bytes | memoryview, offset: int, read_at_us: int) -> Parsed:
        return parse_lines(self._read, data, offset, read_at_us, self.format.options.zone, fold=self.fold)

    def _read(self, text: bytes | memoryview) -> Rows:
        raw = np.frombuffer(text, np.uint8)
        newlines = np.flatnonzero(raw == _NEWLINE)
        since = np.concatenate([[0], newlines[:-1] + 1])
        until = newlines - ((raw[newlines - 1] == _RETURN) & (newlines > since))
        lines = Taker(raw, since.size).take_texts(Spans(since, until))
        found = pc.extract_regex(lines, self.format.pattern.regex)
        is_match = np.asarray(found.is_valid())
        matched = found.filter(pa.array(is_match))
        values = {name: pc.struct_field(matched, name) for name in self.format.pattern.names}
        groups = Groups(values, self.format.fields, len(matched))
        groups.read(self.calendar)
        reasons = np.where(until > since, len(groups.reasons), len(groups.reasons) + 1)
        reasons[is_match] = groups.reason
        rejected = np.flatnonzero(reasons != FITS)
        kept = groups.reason == FITS
        return Rows(
            since[is_match][kept],
            groups.ts_us[kept],
            groups.is_local[kept],
            {name: column.filter(pa.array(kept)) for name, column in groups.columns.items()},
            since[rejected],
            newlines[rejected],
            pa.array([*groups.reasons, _NO_MATCH, _EMPTY], pa.string()).take(pa.array(reasons[rejected])),
        )
