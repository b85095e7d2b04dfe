"""Rejected lines in pages, and an example for each reason. Long lines are cut as soon as they are read."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import pyarrow as pa

from puppylog.monitor.rejects import RejectFilter, count_reasons, fetch_lines, iter_location_batches
from puppylog.stores.base import RecordReader, Value
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores", "rejects.sql")

SHOWN_BYTES: Final = 32_768
"""The number of bytes after which a line is cut."""


@dataclass(frozen=True, slots=True)
class RejectCursor:
    """The line after which a page begins."""

    rejected_at: str  # as text that every store reads as an instant
    stream_id: int
    file_id: int
    line_offset: int


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """A rejected line."""

    rejected_at: datetime
    stream_id: int
    file_id: int
    line_offset: int
    reason: str
    line: bytes  # at most `SHOWN_BYTES`
    is_cut: bool

    @property
    def cursor(self) -> RejectCursor:
        return RejectCursor(self.rejected_at.isoformat(), self.stream_id, self.file_id, self.line_offset)


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many lines were rejected for a reason."""

    reason: str
    lines: int
    streams: int
    first_at: datetime
    last_at: datetime
    example: RejectedLine | None  # the newest line; None if it is no longer rejected


def find_reject_page(
    reader: RecordReader, wanted: RejectFilter, *, lines: int, after: RejectCursor | None = None
) -> tuple[list[RejectedLine], bool]:
    """Return the newest lines that match a filter, the newest first, and whether more follow.

    Args:
        reader: the store.
        wanted: which lines.
        lines: how many, at most.
        after: where the page begins; None: with the newest line.
    """
    parameters: dict[str, Value] = {**wanted.parameters(), "places": lines + 1}
    if after is not None:
        parameters |= {"at": after.rejected_at, "at_stream": after.stream_id, "at_file": after.file_id}
        parameters |= {"at_offset": after.line_offset}
    condition = "true" if after is None else _QUERIES["after_cursor"]
    locations = reader.query(wanted.render("page_of_places", after_cursor=condition), parameters)
    found = list(_read(reader, locations.slice(0, lines)))
    found.sort(key=lambda line: (line.rejected_at, line.stream_id, line.file_id, line.line_offset), reverse=True)
    return found, locations.num_rows > lines


def count_reject_reasons(reader: RecordReader, wanted: RejectFilter) -> list[ReasonCount]:
    """Return the number of lines for each reason, the most frequent first, with an example."""
    locations = reader.query(wanted.render("examples"), wanted.parameters())
    examples = {line.reason: line for line in _read(reader, locations)}
    by_reason: dict[str, list[dict[str, Any]]] = {}
    for row in count_reasons(reader, wanted).to_pylist():
        by_reason.setdefault(row["reason"], []).append(row)
    counted = [
        ReasonCount(
            reason,
            sum(row["lines"] for row in rows),
            len(rows),
            min(row["first_at"] for row in rows),
            max(row["last_at"] for row in rows),
            examples.get(reason),
        )
        for reason, rows in by_reason.items()
    ]
    return sorted(counted, key=lambda count: (-count.lines, count.reason))


def _read(reader: RecordReader, locations: pa.Table) -> Iterator[RejectedLine]:
    """Yield the lines at locations, in no order. Only some megabytes of them are in memory at once."""
    for batch in iter_location_batches(locations):
        for part in fetch_lines(reader, batch, ("file_id", "line_offset")):
            for row in part.to_pylist():
                line = row.pop("line")
                yield RejectedLine(**row, line=line[:SHOWN_BYTES], is_cut=len(line) > SHOWN_BYTES)
