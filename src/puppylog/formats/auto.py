"""The format of a file, found by looking at its lines, and found again when the file changes its mind.

The first lines decide: the format that fits most of them, if that is at least half, or else the last resort, which
takes everything. From then on the file is read in this format. Lines that do not fit are rejected as they would be
anyway; only where so many follow one another that they are no accident, and another format fits nearly all of them,
does that one take over, from the first of them on.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from puppylog.formats.base import Format, Parser
from puppylog.formats.byte_order_mark import skip_mark
from puppylog.formats.detection import Verdict, find_best, take_sample
from puppylog.formats.integers import view_integers
from puppylog.model.record import Parsed, join_parsed

ENOUGH: Final = 0.5
"""The share of the first lines that a format must fit."""

NEARLY_ALL: Final = 0.9
"""The share of a run of rejected that another format must fit to take over."""

RUN: Final = 5
"""So many rejected in a row are no accident."""

_MOST_RUNS = 4  # are looked at in one go: each costs as much as reading its lines in every format
_EARLY_LINES = 20  # a format that was chosen by a few lines may be doubted by as few


@dataclass(frozen=True, slots=True)
class Auto:
    """A `puppylog.formats.base.Format` that chooses among others."""

    candidates: Sequence[Format]  # of formats that fit as many lines, the first is chosen
    last_resort: Format
    name: str = "auto"

    def open(self, context: str = "", modified_at_us: int | None = None) -> "AutoParser":
        return AutoParser(self, context, modified_at_us)

    def find_mismatch(self, line: str) -> int:  # noqa: ARG002 - the protocol's; what is chosen depends on other lines
        return 0


class AutoParser:
    """Implements `puppylog.formats.base.Parser`. Its context is the name of the format, and that format's context."""

    def __init__(self, auto: Auto, context: str, modified_at_us: int | None) -> None:
        self._auto = auto
        self._modified_at_us = modified_at_us
        self._parser: Parser | None = None
        self._rejected_run = 0  # in a row, up to the last line that was read
        self._lines = 0  # that were read in this format
        name, _, inner = context.partition("\n")
        for candidate in (*auto.candidates, auto.last_resort):
            if candidate.name == name and self._parser is None:
                self._format = candidate
                self._parser = candidate.open(inner, modified_at_us)
                self._lines = _EARLY_LINES

    @property
    def name(self) -> str:
        return self._format.name if self._parser is not None else ""

    @property
    def context(self) -> str:
        return f"{self._format.name}\n{self._parser.context}" if self._parser is not None else ""

    def parse(self, data: bytes | memoryview, offset: int, read_at_us: int) -> Parsed:
        data, offset = skip_mark(data, offset)
        parts = []
        while len(data):
            parser = self._parser or self._choose(data)
            before = parser.context
            parsed = parser.parse(data, offset, read_at_us)
            turn = self._find_turn(parsed, data, offset)
            if turn is None:
                self._lines += parsed.lines
                parts.append(parsed)
                break
            at, verdict = turn
            if at > 0:
                parts.append(self._format.open(before, self._modified_at_us).parse(data[:at], offset, read_at_us))
            self._begin(verdict.format)
            data, offset = data[at:], offset + at
        return join_parsed(parts)

    def _choose(self, data: bytes | memoryview) -> Parser:
        best = find_best(self._auto.candidates, take_sample(data), self._modified_at_us)
        is_enough = best is not None and best.coverage >= ENOUGH
        return self._begin(best.format if best is not None and is_enough else self._auto.last_resort)

    def _begin(self, format_: Format) -> Parser:
        self._format = format_
        self._parser = format_.open("", self._modified_at_us)
        self._rejected_run = self._lines = 0
        return self._parser

    def _find_turn(self, parsed: Parsed, data: bytes | memoryview, offset: int) -> tuple[int, Verdict] | None:
        """Return from where in ``data`` another format takes over, and which; count the rejected at the end."""
        if self._format is self._auto.last_resort:
            return self._doubt(data)
        if not parsed.rejects.num_rows:
            self._rejected_run = 0
            return None
        for start, length in self._long_runs(parsed):
            at = start - offset
            verdict = self._find_better(data[at:], length)
            if verdict is not None:
                return at, verdict
        return None

    def _long_runs(self, parsed: Parsed) -> list[tuple[int, int]]:
        """Return the first long runs of rejected: where each starts, and its length, those read before included."""
        fits = view_integers(parsed.records["line_offset"])
        rejected = view_integers(parsed.rejects["line_offset"])
        runs: list[tuple[int, int]] = []
        start = next_fit = length = 0
        while start < len(rejected):
            next_fit = bisect_left(fits, rejected[start], next_fit)  # no line that fits is within a run
            end = bisect_left(rejected, fits[next_fit], start) if next_fit < len(fits) else len(rejected)
            length = end - start + (self._rejected_run if next_fit == 0 else 0)
            if length >= RUN and len(runs) < _MOST_RUNS:
                runs.append((rejected[start], length))
            start = end
        self._rejected_run = length if next_fit == len(fits) else 0
        return runs

    def _find_better(self, data: bytes | memoryview, length: int) -> Verdict | None:
        """Return a format that fits the first rejected, with which ``data`` begins, or nearly all of them."""
        lines = [line + b"\n" for line in take_sample(data).split(b"\n")[:-1][:length]]
        others = [candidate for candidate in self._auto.candidates if candidate is not self._format]
        for sample in (lines[:RUN], lines):
            best = find_best(others, b"".join(sample), self._modified_at_us)
            if best is not None and best.coverage >= NEARLY_ALL:
                return best
        return None

    def _doubt(self, data: bytes | memoryview) -> tuple[int, Verdict] | None:
        """The last resort fits everything: ask whether another format fits as well."""
        sample = take_sample(data)
        best = find_best(self._auto.candidates, sample, self._modified_at_us)
        if best is None or best.coverage < NEARLY_ALL:
            return None
        return (0, best) if best.lines >= RUN or self._lines < _EARLY_LINES else None
