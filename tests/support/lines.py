"""Parsed lines for tests of stores, as a format would make them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from puppylog.model.record import NO_RECORDS, NO_REJECTS, RECORDS, REJECTS, Parsed
from puppylog.model.stream import Fingerprint, Move, Stream, hash_bytes
from puppylog.stores.base import Appended, NewFile, Store

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LINE_BYTES = 100


def records(count: int, *, start: int = 0, ts: datetime = NOON, step_s: float = 1.0, **columns: Any) -> Parsed:
    """Return ``count`` records, ``step_s`` seconds apart, of lines of LINE_BYTES from byte ``start`` on."""
    rows = [
        {"line_offset": start + i * LINE_BYTES, "ts": ts + timedelta(seconds=i * step_s), "host": "h", **columns}
        for i in range(count)
    ]
    return Parsed(pa.RecordBatch.from_pylist(rows, schema=RECORDS), NO_REJECTS)


def soon() -> datetime:
    """Return an instant that has not passed yet when records of it are committed, even on a busy machine.

    An alert sees what is committed within its delay. Records that take longer come too late for it.
    """
    return datetime.now(UTC) + timedelta(seconds=3)


def rows(values: Sequence[dict[str, Any]], *, start: int = 0) -> Parsed:
    """Return records with these columns."""
    complete = [{"line_offset": start + i * LINE_BYTES, "ts": NOON, **value} for i, value in enumerate(values)]
    return Parsed(pa.RecordBatch.from_pylist(complete, schema=RECORDS), NO_REJECTS)


def rejects(*lines: bytes, start: int = 0) -> Parsed:
    """Return rejected lines."""
    values = [{"line_offset": start + i, "reason": "no reason", "line": line} for i, line in enumerate(lines)]
    return Parsed(NO_RECORDS, pa.RecordBatch.from_pylist(values, schema=REJECTS))


def with_data(parsed: Parsed, *, start: int = 0) -> Parsed:
    """Return the same with the bytes of its lines: each is LINE_BYTES long and has its offset as text."""
    lines = (b"line at byte %d" % (start + i * LINE_BYTES) for i in range(parsed.lines))
    return replace(parsed, data=b"".join(line.ljust(LINE_BYTES - 1, b".") + b"\n" for line in lines), data_offset=start)


def fingerprint(at: int) -> Fingerprint:
    """Return a fingerprint that is different for every offset."""
    return Fingerprint(min(at, 1024), "head", min(at, 256), hash_bytes(str(at).encode()))


def open_stream(store: Store, uri: str, *, group: str | None = None) -> Stream:
    """Open one stream."""
    (stream,) = store.open_streams([uri], group=group)
    return stream


class Source:
    """A file of a stream, to which batches are appended one after another."""

    def __init__(self, store: Store, uri: str = "file:///var/log/test.log", group: str | None = None) -> None:
        self.store = store
        self.stream_id = open_stream(store, uri, group=group).stream_id
        (file,) = store.open_files([NewFile(self.stream_id, "/var/log/test.log", device=1, inode=2)])
        self.file_id = file.file_id
        self.offset = 0

    def append(self, *batches: Parsed) -> Appended:
        """Commit batches as one transaction."""
        appender = self.store.appender()
        for parsed in batches:
            appender.write(self.stream_id, self.file_id, parsed)
        start, self.offset = self.offset, self.offset + sum(parsed.lines for parsed in batches) * LINE_BYTES
        return appender.commit([self.move(start, self.offset)])

    def move(self, start: int, end: int, *, finished: bool = False, context: str = "") -> Move:
        return Move(self.file_id, start, end, fingerprint(end), finished, context)
