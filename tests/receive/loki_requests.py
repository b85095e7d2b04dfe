"""Push requests of Loki for tests, and the rows that they become."""

import json
from typing import Any

import pyarrow as pa

from puppylog.formats.base import Format
from puppylog.receive.loki.decode import decode_push
from puppylog.receive.received import Received

RECEIVED_AT_US = 1_795_514_400_000_000
NS = "1790000000123456789"
TS_US = 1_790_000_000_123_456
LIMIT = 1 << 26


def decode(body: bytes, *, is_json: bool = True, format_: Format | None = None) -> Received:
    received = decode_push(
        body, is_json=is_json, format_=format_, group=None, received_at_us=RECEIVED_AT_US, limit=LIMIT
    )
    for lines in received.lines:
        check(lines.parsed.records, lines.parsed.rejects, lines.size)
    return received


def check(records: pa.RecordBatch, rejects: pa.RecordBatch, size: int) -> None:
    """Check what every store expects of rows."""
    records.validate(full=True)
    rejects.validate(full=True)
    for batch in (records, rejects):
        offsets = batch["line_offset"].to_pylist()
        assert offsets == sorted(offsets)
    offsets = records["line_offset"].to_pylist() + rejects["line_offset"].to_pylist()
    assert len(set(offsets)) == len(offsets)
    assert all(0 <= offset < size for offset in offsets)
    for text in records["attributes"].to_pylist():
        assert text is None or isinstance(json.loads(text, object_pairs_hook=_refuse_duplicates), dict)


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def push(*values: object, **labels: object) -> bytes:
    return json.dumps({"streams": [{"stream": labels, "values": values}]}).encode()


def rows_of(received: Received) -> list[dict[str, Any]]:
    return [
        {
            name: json.loads(value) if name == "attributes" else value
            for name, value in row.items()
            if value is not None and name not in {"line_offset", "ts"}
        }
        for lines in received.lines
        for row in lines.parsed.records.to_pylist()
    ]


def times_of(received: Received) -> list[int]:
    return [time for lines in received.lines for time in lines.parsed.records["ts"].cast(pa.int64()).to_pylist()]
