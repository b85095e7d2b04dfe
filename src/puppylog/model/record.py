"""Records and rejected lines, as Arrow record batches.

A record is one parsed log line. A rejected line is a line that does not fit its format, with the reason. A format turns
bytes into record batches of the two schemas here, and a store keeps them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

RECORDS = pa.schema(
    [
        pa.field("line_offset", pa.int64(), nullable=False),  # offset in bytes of the line in its file
        pa.field("ts", pa.timestamp("us", "UTC"), nullable=False),
        ("host", pa.string()),
        ("ident", pa.string()),
        ("ruser", pa.string()),
        ("request_method", pa.string()),
        ("request_route", pa.string()),
        ("request_proto", pa.string()),
        ("status_code", pa.int16()),
        ("response_bytes", pa.int64()),
        ("referer", pa.string()),
        ("user_agent", pa.string()),
        ("severity", pa.string()),
        ("message", pa.string()),
        ("attributes", pa.string()),  # a JSON object, or null
    ]
)
"""The columns of records. A store adds ``stream_id`` and ``file_id``."""

REJECTS = pa.schema(
    [
        pa.field("line_offset", pa.int64(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("line", pa.binary(), nullable=False),  # the bytes in the file, without the newline
    ]
)
"""The columns of rejected lines. A store adds ``stream_id``, ``file_id`` and ``rejected_at``."""

NUMERIC_COLUMNS = frozenset({"line_offset", "status_code", "response_bytes", "stream_id", "file_id"})
TEXT_COLUMNS = frozenset(
    {
        "host",
        "ident",
        "ruser",
        "request_method",
        "request_route",
        "request_proto",
        "referer",
        "user_agent",
        "severity",
        "message",
    }
)
COLUMNS = frozenset({*RECORDS.names, "stream_id", "file_id"})
"""Every column of ``log_records``."""

REJECT_COLUMNS = frozenset({"line", "reason", "rejected_at"})
"""What ``rejected_lines`` has in addition to columns of the same names as ``log_records``."""

ALIASES = {"indent_logname": "ident", "response_bsize": "response_bytes"}
"""Names of columns in the original Puppylog, accepted wherever the user names a column."""


@dataclass(frozen=True, slots=True)
class LineCounts:
    """Numbers of lines and records, as in `Parsed`."""

    rowless: int = 0
    continued: int = 0
    before: int = 0
    read: int = 0
    ambiguous_zones: int = 0

    def __add__(self, other: "LineCounts") -> "LineCounts":
        return LineCounts(
            self.rowless + other.rowless,
            self.continued + other.continued,
            self.before + other.before,
            self.read + other.read,
            self.ambiguous_zones + other.ambiguous_zones,
        )


@dataclass(frozen=True, slots=True)
class Parsed:
    """The result of parsing some whole lines: records and rejects, each in the order of the file.

    A line that is joined to the record before is counted in ``continued``, a directive or a blank line in ``rowless``.
    """

    records: pa.RecordBatch  # of schema RECORDS
    rejects: pa.RecordBatch  # of schema REJECTS
    data: bytes = b""  # the lines that were parsed, from which `line_at` returns one
    data_offset: int = 0  # offset in bytes of ``data`` in its file
    rowless: int = 0  # directives and blank lines
    continued: int = 0  # the number of continuation lines, which belong to the record before
    orphans: int = 0  # records that begin with a continuation line
    joined_runs: Sequence[tuple[int, int]] = ()
    """The first long runs of continuation lines: the offset of each in its file, and its number of lines."""
    before: int = 0  # records without a time of their own that have the time of the record before
    read: int = 0  # records without a time of their own that have the time of reading
    ambiguous_zones: int = 0  # records whose stamp names a zone that can mean several
    parts: int = 0  # lines that are a part of a longer line of a container, and not the last part

    def line_at(self, line_offset: int) -> bytes:
        """Return the line at ``line_offset`` of the file, without its newline; empty if ``data`` does not hold it."""
        start = line_offset - self.data_offset
        end = self.data.find(b"\n", start) if start >= 0 else -1
        return self.data[start:end] if end >= 0 else self.data[max(start, 0) :] if start >= 0 else b""

    @property
    def counts(self) -> "LineCounts":
        """What the lines were, besides records and rejected lines."""
        return LineCounts(self.rowless, self.continued, self.before, self.read, self.ambiguous_zones)

    @property
    def lines(self) -> int:
        """The number of records and rejects."""
        return int(self.records.num_rows + self.rejects.num_rows)


NO_RECORDS = pa.RecordBatch.from_pylist([], schema=RECORDS)
NO_REJECTS = pa.RecordBatch.from_pylist([], schema=REJECTS)


def join_parsed(parts: Sequence[Parsed]) -> Parsed:
    """Return consecutive parts as one. Its ``data`` is empty if there is more than one part."""
    if len(parts) == 1:
        return parts[0]
    return Parsed(
        pa.concat_batches([NO_RECORDS, *(part.records for part in parts)]),
        pa.concat_batches([NO_REJECTS, *(part.rejects for part in parts)]),
        rowless=sum(part.rowless for part in parts),
        continued=sum(part.continued for part in parts),
        orphans=sum(part.orphans for part in parts),
        joined_runs=tuple(run for part in parts for run in part.joined_runs),
        before=sum(part.before for part in parts),
        read=sum(part.read for part in parts),
        parts=sum(part.parts for part in parts),
        ambiguous_zones=sum(part.ambiguous_zones for part in parts),
    )
