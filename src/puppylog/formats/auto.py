"""The format ``auto``: it chooses a format by the lines of a file, and switches when the file's format changes.

The first lines decide: the format that fits most of them is chosen if it fits at least half of them, otherwise the last
resort, which fits every line. Lines that are only headers (``#Fields: …``) or blank decide nothing.

The file is then read in the chosen format. Lines that do not fit are joined to the record before, read by a format that
is sure of them (see `puppylog.formats.foreign_formats`), or rejected. The parser switches to another format only at a
long run of such lines, if the other format fits nearly all lines of the run. The other format then reads the file from
the first line of the run on.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from puppylog.formats.base import KEPT, Format, Parser, keep_format
from puppylog.formats.byte_order_mark import skip_mark
from puppylog.formats.csv.parser import TableFormat
from puppylog.formats.detection import Verdict, find_best, looks_continued, take_sample
from puppylog.formats.foreign_formats import ForeignFormats
from puppylog.formats.headers import find_data
from puppylog.formats.integers import view_integers
from puppylog.formats.record_times import last_time_of
from puppylog.model.record import NO_RECORDS, NO_REJECTS, Parsed, join_parsed

MIN_COVERAGE: Final = 0.5
"""A format must fit this share of the first lines, from 0 to 1, to be chosen."""

SWITCH_COVERAGE: Final = 0.9
"""Another format must fit this share of a run, from 0 to 1, before the parser switches to it."""

MIN_RUN: Final = 5
"""A run of rejected or joined lines must be this long before the parser tries other formats: fewer may be accidents."""

_MAX_RUNS = 4  # tried in one call of parse, because each run is read in every format
_EARLY_LINES = 20
"""While the last resort has read fewer lines than this, fewer lines than MIN_RUN are enough to switch."""

_MAX_PAUSE_LINES = 1024
"""Trying all formats costs 1.6 ms, however few lines are new. So while the last resort reads a file, the others are
tried again after 1, 2, 4 … lines, and at last after each 1,024 lines: a change of the format is noticed by then."""


@dataclass(frozen=True, slots=True)
class Auto:
    """Implements `puppylog.formats.base.Format`: it chooses among other formats."""

    candidates: Sequence[Format]  # if several fit equally many lines, the first of them is chosen
    last_resort: Format  # fits every line
    foreign: ForeignFormats = field(default_factory=ForeignFormats)  # read the lines that the chosen format rejects
    name: str = "auto"

    def open(self, context: str = "", modified_at_us: int | None = None) -> "AutoParser":
        return AutoParser(self, context, modified_at_us)

    def find_mismatch(self, line: str) -> int:  # noqa: ARG002 - the protocol's; the format depends on other lines
        return 0


class AutoParser:
    """Implements `puppylog.formats.base.Parser`. Its context is the name of the chosen format and its context.

    A format that the user has chosen for the stream is kept (`puppylog.formats.base.KEPT`): the parser never switches.
    While only headers were read, the context is an empty name and the headers, so that the format that is chosen later
    can read them first.
    """

    def __init__(self, auto: Auto, context: str, modified_at_us: int | None) -> None:
        self._auto = auto
        self._modified_at_us = modified_at_us
        self._parser: Parser | None = None
        self._headers = b""  # the headers that were read before a format was chosen
        self._rejected_run = 0  # the number of rejected lines in a row at the end of what was read
        self._lines = 0  # the number of lines that were read in the chosen format
        self._pause_lines = 0  # how many lines the last resort reads before other formats are tried again
        self._next_trial = 0  # other formats are tried when `_lines` reaches this number
        written, _, inner = context.partition("\n")
        name = written.removeprefix(KEPT)
        self._is_kept = False  # the user has chosen the format, so the parser never switches to another
        if not name:
            self._headers = inner.encode()
            return
        for candidate in (*auto.candidates, auto.last_resort):
            if candidate.name == name and self._parser is None:
                self._format = candidate
                self._parser = candidate.open(inner, modified_at_us)
                self._lines = _EARLY_LINES
                self._is_kept = written != name

    @property
    def name(self) -> str:
        return self._format.name if self._parser is not None else ""

    @property
    def context(self) -> str:
        if self._parser is not None:
            named = f"{self._format.name}\n{self._parser.context}"
            return keep_format(named) if self._is_kept else named
        return f"\n{self._headers.decode('utf-8', 'replace')}" if self._headers else ""

    def parse(self, data: bytes | memoryview, offset: int, read_at_us: int) -> Parsed:
        data, offset = skip_mark(data, offset)
        parts = []
        while len(data):
            parser = self._parser or self._choose(data)
            if parser is None:
                parts.append(self._keep_headers(data))
                break
            before = parser.context
            parsed = parser.parse(data, offset, read_at_us)
            switch = self._find_switch(parsed, data, offset)
            if switch is None:
                self._lines += parsed.lines
                parts.append(self._read_foreign(parsed, read_at_us))
                break
            at, verdict = switch
            if at > 0:
                parser = self._format.open(before, self._modified_at_us)
                parts.append(self._read_foreign(parser.parse(data[:at], offset, read_at_us), read_at_us))
                before = parser.context
            self._switch_to(verdict.format, last_time_of(before))
            data, offset = data[at:], offset + at
        return join_parsed(parts)

    def _read_foreign(self, parsed: Parsed, read_at_us: int) -> Parsed:
        """Read rejected lines with other formats; rows of a table that do not fit its header stay rejected."""
        if not parsed.rejects.num_rows or isinstance(self._format, TableFormat):
            return parsed
        return self._auto.foreign.read(parsed, self._modified_at_us, read_at_us, self._format.name)

    def find_last_start(self, lines: bytes) -> int:
        parser = self._parser or self._choose(skip_mark(lines, 0)[0])
        return len(lines) if parser is None else parser.find_last_start(lines)

    def _choose(self, data: bytes | memoryview) -> Parser | None:
        """Choose a format by the first lines of a file; return None if they have no data."""
        sample = take_sample(data)
        if find_data(sample) == len(data):
            return None
        for candidate in self._auto.candidates:
            if isinstance(candidate, TableFormat) and candidate.is_header(sample):
                return self._switch_to(candidate)
        best = find_best(self._auto.candidates, self._headers + sample, self._modified_at_us)
        is_enough = best is not None and best.coverage >= MIN_COVERAGE
        return self._switch_to(best.format if best is not None and is_enough else self._auto.last_resort)

    def _keep_headers(self, data: bytes | memoryview) -> Parsed:
        """Keep lines without data for the format that is chosen later, and return that they make no rows."""
        self._headers = take_sample(self._headers + bytes(data))
        return Parsed(NO_RECORDS, NO_REJECTS, rowless=bytes(data).count(b"\n"))

    def _switch_to(self, format_: Format, context: str = "") -> Parser:
        self._format = format_
        self._parser = format_.open(context, self._modified_at_us)
        self._rejected_run = self._lines = self._pause_lines = self._next_trial = 0
        if self._headers:
            self._parser.parse(self._headers, 0, 0)
            self._headers = b""
        return self._parser

    def _find_switch(self, parsed: Parsed, data: bytes | memoryview, offset: int) -> tuple[int, Verdict] | None:
        """Return the offset in ``data`` at which another format must read on, and its verdict; None to go on.

        Also updates the number of rejected lines at the end of ``data``.
        """
        if self._is_kept:
            return None
        if self._format is self._auto.last_resort:
            return self._find_better_than_last_resort(data, self._lines + parsed.lines)
        runs = self._long_runs(parsed) if parsed.rejects.num_rows else []
        if not parsed.rejects.num_rows:
            self._rejected_run = 0
        joined = dict(parsed.joined_runs[:_MAX_RUNS])
        for start, length in sorted([*runs, *joined.items()]):
            at = start - offset
            verdict = None
            if start not in joined or not _looks_continued(data[at:]):
                verdict = self._find_better(data[at:], length)
            if verdict is not None:
                return at, verdict
        return None

    def _long_runs(self, parsed: Parsed) -> list[tuple[int, int]]:
        """Return the offset in the file and the length in lines of the first long runs of rejected lines.

        The length of a run at the start of ``parsed`` includes the lines that earlier calls read.
        """
        fits = view_integers(parsed.records["line_offset"])
        rejected = view_integers(parsed.rejects["line_offset"])
        runs: list[tuple[int, int]] = []
        start = next_fit = length = 0
        while start < len(rejected):
            next_fit = bisect_left(fits, rejected[start], next_fit)  # the next line that fits ends the run
            end = bisect_left(rejected, fits[next_fit], start) if next_fit < len(fits) else len(rejected)
            length = end - start + (self._rejected_run if next_fit == 0 else 0)
            if length >= MIN_RUN and len(runs) < _MAX_RUNS:
                runs.append((rejected[start], length))
            start = end
        self._rejected_run = length if next_fit == len(fits) else 0
        return runs

    def _find_better(self, data: bytes | memoryview, length: int) -> Verdict | None:
        """Return a format that fits the run at the start of ``data``, or None.

        Args:
            data: whole lines.
            length: the number of lines in the run. The format must fit the first lines of the run, or all of it.
        """
        lines = [line + b"\n" for line in take_sample(data).split(b"\n")[:-1][:length]]
        others = [candidate for candidate in self._auto.candidates if candidate is not self._format]
        for sample in (lines[:MIN_RUN], lines):
            best = find_best(others, b"".join(sample), self._modified_at_us)
            if best is not None and best.coverage >= SWITCH_COVERAGE:
                return best
        return None

    def _find_better_than_last_resort(self, data: bytes | memoryview, lines: int) -> tuple[int, Verdict] | None:
        """Return another format that fits the first lines of ``data``, which the last resort read; None to go on.

        The last resort rejects no line, so there is no run of rejected lines to start from.

        Args:
            data: whole lines.
            lines: the number of lines that the last resort has read, those of ``data`` included.
        """
        if lines < self._next_trial:
            return None
        best = find_best(self._auto.candidates, take_sample(data), self._modified_at_us)
        fits = best is not None and best.coverage >= SWITCH_COVERAGE
        if best is not None and fits and (best.lines >= MIN_RUN or self._lines < _EARLY_LINES):
            return 0, best
        if lines >= _EARLY_LINES and not fits:
            self._pause_lines = min(max(1, 2 * self._pause_lines), _MAX_PAUSE_LINES)
            self._next_trial = lines + self._pause_lines
        return None


def _looks_continued(data: bytes | memoryview) -> bool:
    """Return whether a run of joined lines, which begins here, looks like the rest of a record."""
    return any(map(looks_continued, take_sample(data).split(b"\n", MIN_RUN)[:MIN_RUN]))
