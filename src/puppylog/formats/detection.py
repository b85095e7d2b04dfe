"""Finds the format of some lines: every candidate reads them, and the candidate that fits most lines is chosen."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from puppylog.formats.base import Format
from puppylog.formats.file.format import FileFormat
from puppylog.formats.file.lazy import LazyFormat
from puppylog.model.record import Parsed

SAMPLE_BYTES: Final = 64 << 10
SAMPLE_LINES: Final = 256
"""A sample has at most so many bytes and lines, but at least one line."""

_MOST_JOINED: Final = 2
"""Continuation lines that count as fitting, for each record. In the format of a file all of them count: its records
begin in one way only, and may have many lines, as a slow query has."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How well one format fits a sample."""

    format: Format
    fits: int  # the number of records and of the continuation lines that count, see `judge`
    lines: int  # the number of lines that are not blank
    parsed: Parsed

    @property
    def coverage(self) -> float:
        """The share of the lines that fit, from 0 to 1."""
        return self.fits / self.lines if self.lines else 0.0


def judge(format_: Format, sample: bytes, modified_at_us: int | None = None) -> Verdict:
    """Read the sample, which is whole lines, with one format, and return how well it fits.

    Args:
        format_: the format.
        sample: whole lines.
        modified_at_us: see `puppylog.formats.base.Format.open`.
    """
    parsed = format_.open("", modified_at_us).parse(sample, 0, modified_at_us or 0)
    heads = parsed.records.num_rows - parsed.orphans
    joined = parsed.joined if isinstance(format_, LazyFormat | FileFormat) else _MOST_JOINED * heads
    fits = heads + min(parsed.joined, joined)
    return Verdict(format_, fits, parsed.records.num_rows + parsed.rejects.num_rows + parsed.joined, parsed)


def find_best(candidates: Iterable[Format], sample: bytes, modified_at_us: int | None = None) -> Verdict | None:
    """Return the verdict with the highest coverage, the first of equal ones; None if no candidate fits any line."""
    best = next(iter(rank(candidates, sample, modified_at_us)), None)
    return best if best is not None and best.fits else None


def rank(candidates: Iterable[Format], sample: bytes, modified_at_us: int | None = None) -> list[Verdict]:
    """Return the verdicts of all candidates, the highest coverage first."""
    fitting = (one for one in candidates if not isinstance(one, LazyFormat) or one.may_fit(sample))
    return sorted((judge(candidate, sample, modified_at_us) for candidate in fitting), key=lambda v: -v.coverage)


def take_sample(data: bytes | memoryview) -> bytes:
    """Return the first lines of ``data``, which is whole lines."""
    head = bytes(data[:SAMPLE_BYTES])
    if len(head) < len(data) and not head.endswith(b"\n"):
        end = head.rfind(b"\n") + 1
        head = head[:end] or _first_line(data)
    lines = head.split(b"\n", SAMPLE_LINES)
    return head[: len(head) - len(lines[-1])] if len(lines) > SAMPLE_LINES else head


def _first_line(data: bytes | memoryview) -> bytes:
    whole = bytes(data)
    return whole[: whole.index(b"\n") + 1]
