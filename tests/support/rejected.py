"""Rejected lines that fit the access log format, as a collector with the wrong format leaves them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from puppylog.model.record import NO_RECORDS, REJECTS, Parsed
from puppylog.stores.base import Store
from support.embedded import wait_until
from support.lines import Source

REASON = "no reason"
MISFIT = b"\x1b[2J this is no line of an access log \xff"


def access_line(number: int, *, at: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC), agent: bytes = b"test") -> bytes:
    """Return a line in the format ``combined`` whose response has ``number`` bytes."""
    stamp = at.strftime("%d/%b/%Y:%H:%M:%S +0000").encode()
    return b'10.0.0.1 - - [%s] "GET /section%d/ HTTP/1.1" 200 %d "-" "%s"' % (stamp, number % 3, number, agent)


def access_lines(count: int, *, since: datetime, step: timedelta) -> list[bytes]:
    return [access_line(number, at=since + number * step) for number in range(count)]


def reject(source: Source, lines: Sequence[bytes], *, reason: str = REASON) -> list[int]:
    """Store lines of a source as rejected lines; return their offsets in bytes."""
    offsets, at = [], source.offset
    for line in lines:
        offsets.append(at)
        at += len(line) + 1
    columns = [pa.array(offsets, pa.int64()), pa.array([reason] * len(lines)), pa.array(lines, pa.binary())]
    appender = source.store.appender()
    parsed = Parsed(NO_RECORDS, pa.RecordBatch.from_arrays(columns, schema=REJECTS))
    appender.write(source.stream_id, source.file_id, parsed)
    appender.commit([source.move(source.offset, at)])
    source.offset = at
    return offsets


def all_places(store: Store) -> list[tuple[int, int]]:
    """Return file and offset of every record and rejected line, in one query: the store may still work on a replay."""
    one = "SELECT file_id, line_offset FROM puppylog."
    sql = f"{one}log_records UNION ALL {one}rejected_lines"
    return sorted((row["file_id"], row["line_offset"]) for row in store.query(sql).to_pylist())


def places(store: Store, table: str) -> list[tuple[int, int]]:
    """Return file and offset of every line in a table, in order."""
    rows = store.query(f"SELECT file_id, line_offset FROM puppylog.{table} ORDER BY file_id, line_offset")
    return list(zip(rows["file_id"].to_pylist(), rows["line_offset"].to_pylist(), strict=True))


def assert_places(store: Store, table: str, expected: Sequence[tuple[int, int]]) -> None:
    """Assert that a table has exactly these lines, by file and offset. A cluster may show new rows a moment later."""
    wait_until(lambda: places(store, table) == sorted(expected), what=f"that {table} has these lines")
