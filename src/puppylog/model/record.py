"""A record: one parsed log line, as one row of columns. A rejected line: one that did not fit, with the reason.

Lines travel in columns from here on: a format turns bytes into these two shapes, a store keeps them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

RECORDS = pa.schema(
    [
        pa.field("line_offset", pa.int64(), nullable=False),  # where the line starts in its file, in bytes
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
"""What a format makes of the lines that fit. A store adds ``stream_id`` and ``file_id``."""

REJECTS = pa.schema(
    [
        pa.field("line_offset", pa.int64(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("line", pa.binary(), nullable=False),  # the bytes as they stood in the file, without their newline
    ]
)
"""What a format makes of the lines that do not fit."""

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

ALIASES = {"indent_logname": "ident", "response_bsize": "response_bytes"}
"""The original's names, accepted wherever a column is named."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a format made of some whole lines: records and rejects, each in file order.

    A line that makes no row of its own (a directive, a continuation line, an empty line) is counted in ``rowless``.
    """

    records: pa.RecordBatch  # of schema RECORDS
    rejects: pa.RecordBatch  # of schema REJECTS
    data: bytes = b""  # what they were made of, for a store that must give a line back as it was
    data_offset: int = 0  # where that starts in its file
    rowless: int = 0  # lines that made no row of their own

    def line_at(self, line_offset: int) -> bytes:
        """Return the line that starts there, without its newline; nothing if it is not known any more."""
        start = line_offset - self.data_offset
        end = self.data.find(b"\n", start) if start >= 0 else -1
        return self.data[start:end] if end >= 0 else self.data[max(start, 0) :] if start >= 0 else b""

    @property
    def lines(self) -> int:
        return int(self.records.num_rows + self.rejects.num_rows)


NO_RECORDS = pa.RecordBatch.from_pylist([], schema=RECORDS)
NO_REJECTS = pa.RecordBatch.from_pylist([], schema=REJECTS)


def join_parsed(parts: Sequence[Parsed]) -> Parsed:
    """Return the parts, which follow one another, as one."""
    if len(parts) == 1:
        return parts[0]
    return Parsed(
        pa.concat_batches([NO_RECORDS, *(part.records for part in parts)]),
        pa.concat_batches([NO_REJECTS, *(part.rejects for part in parts)]),
        rowless=sum(part.rowless for part in parts),
    )
