"""The format of a regular expression, and its parser."""

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.base import Format, Options
from puppylog.formats.calendar import Calendar
from puppylog.formats.line_format import parse_lines
from puppylog.formats.lines import Lines
from puppylog.formats.record_times import RecordTimes
from puppylog.formats.regex.fields import assign_fields
from puppylog.formats.regex.groups import FITS, Groups
from puppylog.formats.regex.mismatch import find_mismatch
from puppylog.formats.regex.pattern import Pattern, parse_pattern
from puppylog.formats.rows import Rows
from puppylog.model.record import Parsed

_NO_MATCH = "does not match the pattern"
_FITS = pa.scalar(FITS, pa.uint8())


@dataclass(frozen=True, slots=True)
class Regex:
    """Implements `puppylog.formats.base.Format`."""

    name: str  # the expression as the user wrote it
    pattern: Pattern
    fields: Mapping[str, str]  # the group that fills each field
    options: Options

    def open(self, context: str = "", modified_at_us: int | None = None) -> "RegexParser":
        rest, times = RecordTimes.open(context)
        return RegexParser(self, Calendar.open(rest, self.options.year, modified_at_us), times)

    def find_mismatch(self, line: str) -> int:
        rejects = self.open().parse(f"{line}\n".encode(), 0, 0).rejects
        reason = rejects["reason"][0].as_py() if rejects.num_rows else ""
        group = next((group for group in self.pattern.names if reason.startswith(f"group {group} ")), "")
        return find_mismatch(self.pattern.regex.partition(f"(?P<{group}>")[0], line)


def make_regex(written: str, options: Options) -> Format:
    """Return the format of an expression.

    Raises:
        UsageError: see `parse_pattern`.
    """
    pattern = parse_pattern(written)
    return Regex(written, pattern, assign_fields(pattern.names), options)


@dataclass(frozen=True, slots=True)
class RegexParser:
    """Implements `puppylog.formats.base.Parser`.

    Its context is the year and month of the last stamp without a year, and the context of `RecordTimes`.
    """

    format: Regex
    calendar: Calendar
    times: RecordTimes

    @property
    def name(self) -> str:
        return self.format.name

    @property
    def context(self) -> str:
        return self.times.extend(self.calendar.context)

    def parse(self, data: bytes | memoryview, offset: int, read_at_us: int) -> Parsed:
        return parse_lines(self._read, data, offset, read_at_us, self.format.options.zone, times=self.times)

    def find_last_start(self, lines: bytes) -> int:
        return len(lines)

    def _read(self, text: bytes | memoryview) -> Rows:
        whole = Lines.split(text, pa.string())
        lines = whole.drop_blank()
        texts = _without_return(lines.texts)
        found = pc.extract_regex(texts, self.format.pattern.regex)
        is_match = found.is_valid()
        matched = found.filter(is_match)
        values = {name: pc.struct_field(matched, name) for name in self.format.pattern.names}
        groups = Groups(values, self.format.fields, len(matched))
        groups.read(self.calendar)
        no_match = pa.repeat(pa.scalar(len(groups.reasons), pa.uint8()), len(texts))
        reasons = pc.replace_with_mask(no_match, is_match, groups.reason)
        is_rejected, is_kept = pc.not_equal(reasons, _FITS), pc.equal(groups.reason, _FITS)
        return Rows(
            lines.starts.filter(is_match).filter(is_kept),
            groups.ts_us.filter(is_kept),
            groups.is_local.filter(is_kept),
            {name: column.filter(is_kept) for name, column in groups.columns.items()},
            lines.starts.filter(is_rejected),
            lines.newlines.filter(is_rejected),
            pa.array([*groups.reasons, _NO_MATCH], pa.string()).take(reasons.filter(is_rejected)),
            rowless=len(whole.texts) - len(texts),
        )


def _without_return(texts: pa.Array) -> pa.Array:
    """Return the lines without the carriage return before their newline."""
    has_return = pc.ends_with(texts, "\r")
    if not pc.any(has_return).as_py():
        return texts
    return pc.if_else(has_return, pc.utf8_slice_codeunits(texts, 0, -1), texts)
