"""What a receiver decodes from one request: lines by source, and the parts that could not be decoded."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from puppylog.formats.record_times import READ, set_untimed
from puppylog.model.record import RECORDS, Parsed


@dataclass(frozen=True, slots=True)
class ReceivedLines:
    """Lines of one source within a request, as rows.

    The server appends them to the stream of the source. The stream's position before them is added to every
    ``line_offset``, and then advances by ``size``.
    """

    source: str
    """What the sender calls the source: a service, an index, a file. Empty if the sender names none."""
    group: str | None
    """The log group of the source; None for the default of the receiver."""
    parsed: Parsed
    """The rows. ``line_offset`` and ``data_offset`` count from 0 within these lines."""
    size: int
    """By how much the position of the stream advances, in bytes. Every ``line_offset`` is below it."""
    format_name: str = ""
    """The name of the format that the lines have; empty if it is unknown."""
    context: str | None = None
    """What the next request of this source must know of these lines; None keeps what the stream has."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A part of a request that could not be decoded."""

    place: str
    """Where it is in the request, as the protocol counts: ``line 3``, ``resourceLogs[0].scopeLogs[2]``."""
    cause: str
    count: int = 1
    """The number of records that are lost with this part, as far as it is known."""


@dataclass(frozen=True, slots=True)
class Received:
    """What one request brought."""

    lines: tuple[ReceivedLines, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def records(self) -> int:
        """The number of records."""
        return sum(lines.parsed.records.num_rows for lines in self.lines)

    @property
    def rejects(self) -> int:
        """The number of rejected lines."""
        return sum(lines.parsed.rejects.num_rows for lines in self.lines)

    @property
    def size_bytes(self) -> int:
        """About how much memory the rows take, in bytes."""
        return sum(_count_bytes(lines.parsed) for lines in self.lines)


class NotDecoded(Exception):
    """A request of which no part can be decoded. The sender gets the place and the cause, and must not send it again.

    Attributes:
        place: where in the request the fault is; empty if it concerns the whole request.
        cause: what is wrong there.
    """

    def __init__(self, place: str, cause: str) -> None:
        super().__init__(place, cause)
        self.place = place
        self.cause = cause

    def __str__(self) -> str:
        return f"{self.place}: {self.cause}" if self.place else self.cause


def shorten_problems(problems: Sequence[Problem], limit: int = 5) -> str:
    """Return the first ``limit`` problems as one line of text, and how many more there are."""
    shown = "; ".join(f"{problem.place}: {problem.cause}" for problem in problems[:limit])
    more = len(problems) - limit
    return f"{shown}; and {more} more" if more > 0 else shown


def _count_bytes(parsed: Parsed) -> int:
    return int(parsed.records.nbytes + parsed.rejects.nbytes + len(parsed.data))


def use_time_of_receipt(parsed: Parsed, received_at_us: int) -> Parsed:
    """Return the rows of a request; a record without a time gets the time of receipt, and ``ts_source`` ``read``.

    The record before it may be of another sender, and a sender sends its records soon.

    Args:
        parsed: as a parser returned it.
        received_at_us: the time of receipt, in microseconds since the epoch.
    """
    if not parsed.before:
        return parsed
    received_at = pa.scalar(received_at_us, RECORDS.field("ts").type)
    records = set_untimed(parsed.records, received_at, READ)
    return replace(parsed, records=records, before=0, read=parsed.before + parsed.read)
