"""Finds the format of some lines: every candidate reads them, and the candidate that fits most lines is chosen."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from puppylog.formats.base import Format
from puppylog.formats.container_parts import ContainerFormat
from puppylog.formats.file.format import FileFormat
from puppylog.formats.file.lazy import LazyFormat
from puppylog.formats.multiline import Multiline
from puppylog.model.record import Parsed

SAMPLE_BYTES: Final = 64 << 10
SAMPLE_LINES: Final = 256
"""The most bytes and lines of a sample, which has at least one line."""

_MAX_JOINED: Final = 2
"""Continuation lines that do not look like one and count as fitting, for each record. In the format of a file all of
them count: its records begin in one way only, and may have many lines, as a slow query has. So do
all lines that the user tells Puppylog to join."""

_CONTINUATION: Final = re.compile(
    rb"[ \t)\]}]|Caused by:|Suppressed:|\.\.\. \d+ |Traceback |During handling of |The above exception "
    rb"|(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Warning|Interrupt|Exit)\b"
    rb"|[A-Z_][A-Z0-9_]*="
    rb"|.{0,200}\b(?:DETAIL|HINT|CONTEXT|STATEMENT|QUERY|LOCATION|BACKTRACE):  "
)
"""A line that continues a record in many logs: it is indented, closes a bracket, is of a stack trace, is a variable
of an environment or a field of the journal, or is a part of a message of PostgreSQL."""


_GENERAL: Final = "app"
_GENERAL_MARGIN: Final = 0.1  # of the coverage


@dataclass(frozen=True, slots=True)
class Verdict:
    """How well one format fits a sample."""

    format: Format
    heads: int  # the number of records with a beginning
    fits: int  # the same, and the number of their continuation lines that count, see `judge`
    lines: int  # the number of lines that are not blank
    parsed: Parsed
    is_sure: bool = False  # all lines fit, and continuation lines look like such

    @property
    def coverage(self) -> float:
        """The share of the lines that fit, from 0 to 1."""
        return self.fits / self.lines if self.lines else 0.0

    @property
    def rank(self) -> tuple[float, bool, float]:
        """The coverage, and the share of the lines that begin a record: the higher, the better.

        The format of application text fits nearly every log with a time, and its damaged lines, too. So a format that
        fits a few lines less is better. Of formats that are sure none is better than another, so that the first of
        them is chosen.
        """
        margin = _GENERAL_MARGIN if self.format.name == _GENERAL else 0.0
        share = self.heads / self.lines if self.lines and not self.is_sure else 0.0
        return self.coverage - margin, self.is_sure, share


def judge(format_: Format, sample: bytes, modified_at_us: int | None = None) -> Verdict:
    """Read the sample, which is whole lines, with one format, and return how well it fits.

    Args:
        format_: the format.
        sample: whole lines.
        modified_at_us: see `puppylog.formats.base.Format.open`.
    """
    parsed = format_.open("", modified_at_us).parse(sample, 0, modified_at_us or 0)
    heads = parsed.records.num_rows - parsed.orphans
    alike = min(parsed.continued, _count_alike(format_, sample)) if parsed.continued else 0
    counted = (
        parsed.continued if isinstance(format_, LazyFormat | FileFormat | Multiline) else alike + _MAX_JOINED * heads
    )
    fits = heads + min(parsed.continued, counted) if heads else 0
    lines = parsed.records.num_rows + parsed.rejects.num_rows + parsed.continued
    return Verdict(format_, heads, fits, lines, parsed, is_sure=0 < lines == heads + alike)


def _count_alike(format_: Format, sample: bytes) -> int:
    """Return how many lines look like ones that continue a record, by themselves or to this format."""
    known = format_.count_continuations(sample) if isinstance(format_, ContainerFormat) else 0
    return known + sum(map(looks_continued, sample.split(b"\n")))


def looks_continued(line: bytes) -> bool:
    """Return whether a line looks like one that continues the record before it."""
    return _CONTINUATION.match(line) is not None


def find_best(candidates: Iterable[Format], sample: bytes, modified_at_us: int | None = None) -> Verdict | None:
    """Return the verdict of the highest rank, the first of equal ones; None if no candidate fits any line.

    The candidates after one that is sure are not tried, because none can fit better.
    """
    best: Verdict | None = None
    for candidate in candidates:
        if not may_fit(candidate, sample):
            continue
        verdict = judge(candidate, sample, modified_at_us)
        if best is None or verdict.rank > best.rank:
            best = verdict
        if verdict.is_sure:
            break
    return best if best is not None and best.fits else None


def rank(candidates: Iterable[Format], sample: bytes, modified_at_us: int | None = None) -> list[Verdict]:
    """Return the verdicts of all candidates, the highest rank first."""
    verdicts = [judge(candidate, sample, modified_at_us) for candidate in _without_other_files(candidates, sample)]
    return sorted(verdicts, key=lambda verdict: verdict.rank, reverse=True)


def _without_other_files(candidates: Iterable[Format], sample: bytes) -> Iterator[Format]:
    return (one for one in candidates if not isinstance(one, LazyFormat) or one.may_fit(sample))


def may_fit(format_: Format, sample: bytes) -> bool:
    """Return False only if none of these lines begins a record of the format.

    A format may have a method ``may_fit`` that says so at less cost than `judge`. Most formats fit no line of a file,
    and a file of twenty lines takes less time to read than to judge with one format.
    """
    check: Callable[[bytes], bool] | None = getattr(format_, "may_fit", None)
    return check is None or check(sample)


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
