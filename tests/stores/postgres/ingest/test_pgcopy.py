import struct
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puppylog.model.record import NO_RECORDS, NO_REJECTS, RECORDS, REJECTS
from puppylog.stores.postgres.ingest import pgcopy
from puppylog.stores.postgres.ingest.pgcopy import RECORD_COLUMNS, REJECT_COLUMNS, encode_records, encode_rejects

EPOCH_US = 946_684_800_000_000
STREAM, FILE = 7, -3
BIGINT = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "line_offset": BIGINT,
    "ts": st.integers(EPOCH_US - 2**63, 2**63 - 1),
    "status_code": st.integers(-(2**15), 2**15 - 1),
    "response_bytes": BIGINT,
    "line": st.binary(max_size=20),
}
NULLS = st.sampled_from(["some", "some", "some", "all", "no"])


def slow(names: Sequence[str], batch: pa.RecordBatch) -> bytes:
    """The same, line by line, as PostgreSQL's documentation describes it."""
    rows = []
    columns = {name: column.cast(pa.int64()) if name == "ts" else column for name, column in columns_of(batch)}
    for at in range(batch.num_rows):
        fields = [_field(name, columns[name][at].as_py() if name in columns else None) for name in names]
        rows.append(struct.pack(">h", len(names)) + b"".join(fields))
    return b"".join(rows)


def columns_of(batch: pa.RecordBatch) -> list[tuple[str, pa.Array]]:
    return list(zip(batch.schema.names, batch.columns, strict=True))


def _field(name: str, value: Any) -> bytes:
    if name in ("stream_id", "file_id"):
        data = struct.pack(">i", {"stream_id": STREAM, "file_id": FILE}[name])
    elif value is None:
        return struct.pack(">i", -1)
    elif name == "ts":
        data = struct.pack(">q", value - EPOCH_US)
    elif isinstance(value, int):
        data = struct.pack(">h" if name == "status_code" else ">q", value)
    else:
        data = value if isinstance(value, bytes) else value.encode()
        data = b"\1" + data if name == "attributes" else data
    return struct.pack(">i", len(data)) + data


@st.composite
def batches(draw: st.DrawFn, schema: pa.Schema) -> pa.RecordBatch:
    """Batches, and parts of batches, with columns that have no nulls, some, or nothing else."""
    rows = draw(st.integers(0, 20))
    columns = []
    for field in schema:
        values = VALUES.get(field.name, TEXT)
        nulls = draw(NULLS) if field.nullable else "no"
        value = {"no": values, "some": st.none() | values, "all": st.none()}[nulls]
        columns.append(pa.array(draw(st.lists(value, min_size=rows, max_size=rows)), field.type))
    batch = pa.RecordBatch.from_arrays(columns, schema=schema)
    start = draw(st.integers(0, rows))
    return batch.slice(start, draw(st.integers(0, rows - start)))


def record(**values: Any) -> dict[str, Any]:
    return {"line_offset": 0, "ts": 0} | values


def make_records(*rows: dict[str, Any]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(list(rows), schema=RECORDS)


@settings(max_examples=60)  # a batch is fifteen columns, and slow to draw
@given(batches(RECORDS))
def test_records_are_encoded_as_line_by_line(batch: pa.RecordBatch) -> None:
    assert bytes(encode_records(STREAM, FILE, batch)) == slow(RECORD_COLUMNS, batch)


@given(batches(REJECTS))
def test_rejects_are_encoded_as_line_by_line(batch: pa.RecordBatch) -> None:
    assert bytes(encode_rejects(STREAM, FILE, batch)) == slow(REJECT_COLUMNS, batch)


def test_a_row_reads_as_the_format_says() -> None:
    rejects = pa.RecordBatch.from_pylist([{"line_offset": 258, "reason": "torn", "line": b"\0\xff"}], schema=REJECTS)
    assert bytes(encode_rejects(1, 2, rejects)) == (
        b"\0\5"
        b"\0\0\0\4\0\0\0\1"
        b"\0\0\0\4\0\0\0\2"
        b"\0\0\0\x08\0\0\0\0\0\0\1\2"
        b"\0\0\0\4torn"
        b"\0\0\0\2\0\xff"
    )  # fmt: skip


def test_the_header_and_the_trailer_are_those_of_the_format() -> None:
    assert bytes.fromhex("5047434f50590aff0d0a00 00000000 00000000") == pgcopy.HEADER
    assert bytes.fromhex("ffff") == pgcopy.TRAILER


def test_the_columns_are_those_of_the_batches_and_their_source() -> None:
    assert sorted(RECORD_COLUMNS) == sorted([*RECORDS.names, "stream_id", "file_id"])
    assert sorted(REJECT_COLUMNS) == sorted([*REJECTS.names, "stream_id", "file_id"])


def test_no_rows_are_no_bytes() -> None:
    assert bytes(encode_records(1, 1, NO_RECORDS)) == b""
    assert bytes(encode_rejects(1, 1, NO_REJECTS)) == b""


@pytest.mark.parametrize("rows", [63, 64, 65, 1000])
def test_any_number_of_rows_is_in_order(rows: int) -> None:
    hosts = [None, "", "::1", "höst", "a" * 300]
    batch = make_records(
        *(
            record(line_offset=n, ts=n * 10**12, host=hosts[n % 5], response_bytes=n if n % 3 else None)
            for n in range(rows)
        )
    )
    assert bytes(encode_records(STREAM, FILE, batch)) == slow(RECORD_COLUMNS, batch)


def test_the_parts_of_a_batch_are_the_batch() -> None:
    batch = make_records(*(record(line_offset=n, host=str(n), attributes=None if n % 7 else "{}") for n in range(100)))
    parts = [encode_records(STREAM, FILE, batch.slice(start, 13)) for start in range(0, 100, 13)]
    assert b"".join(parts) == encode_records(STREAM, FILE, batch)


def test_a_batch_that_is_too_large_for_one_arrow_array_is_encoded_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = make_records(*(record(line_offset=n, message="x" * n) for n in range(50)))
    sizes: list[int] = []
    join = pgcopy._Row.join

    def join_and_note(row: pgcopy._Row) -> memoryview:
        sizes.append(row.size)
        return join(row)

    monkeypatch.setattr(pgcopy._Row, "join", join_and_note)
    monkeypatch.setattr(pgcopy, "_MOST_BYTES", 500)
    assert bytes(encode_records(STREAM, FILE, batch)) == slow(RECORD_COLUMNS, batch)
    assert max(sizes) <= 500


def test_bytes_behind_a_null_are_not_sent() -> None:
    texts = pa.array(["seen", "hidden", "seen too"])
    validity = pa.py_buffer(bytes([0b101]))
    batch = make_records(record(), record(), record())
    masked = pa.Array.from_buffers(pa.string(), 3, [validity, *texts.buffers()[1:]])
    for name in ("host", "attributes"):
        spoilt = batch.set_column(RECORDS.get_field_index(name), RECORDS.field(name), masked)
        assert b"hidden" not in bytes(encode_records(STREAM, FILE, spoilt))
        assert bytes(encode_records(STREAM, FILE, spoilt)) == slow(RECORD_COLUMNS, spoilt)
