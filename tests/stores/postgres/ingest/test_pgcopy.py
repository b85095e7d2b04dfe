"""Rows in PostgreSQL's binary COPY format, made in C and made in Python, against a third encoder in this module."""

import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from formats.native_builds import build_module, build_with_sanitizers, find_compiler, run_fuzzer
from puppylog.model.record import NO_RECORDS, NO_REJECTS, RECORDS, REJECTS
from puppylog.stores.postgres.ingest import pgcopy
from puppylog.stores.postgres.ingest.pgcopy import RECORD_COLUMNS, REJECT_COLUMNS, encode_records, encode_rejects
from support.examples import examples

INPUTS = os.environ.get("PUPPYLOG_TEST_FUZZ_INPUTS", "300")  # rows that are encoded under the sanitizers
FUZZ_S = 240 + int(INPUTS) / 100  # at least 100 rows a second
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
PATHS = ["native", "python"]
on_both_paths = pytest.mark.parametrize("path", PATHS)


@contextmanager
def encoding(path: str) -> Iterator[None]:
    """Encode rows on one of PATHS."""
    if path == "native":
        if pgcopy.encode_fields is None:
            pytest.skip("NOT TESTED: rows encoded in C; there was no C compiler when Puppylog was installed")
        yield
        return
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pgcopy, "encode_fields", None)
        yield


def slow(names: Sequence[str], batch: pa.RecordBatch) -> bytes:
    """Encode rows one by one, as PostgreSQL's documentation describes the format."""
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


@on_both_paths
# A batch is fifteen columns, and slow to draw: on a busy machine the first one takes a second.
@settings(max_examples=examples(25, soak=60), suppress_health_check=[HealthCheck.too_slow])
@given(batches(RECORDS))
def test_records_are_encoded_like_the_reference_encoder(path: str, batch: pa.RecordBatch) -> None:
    with encoding(path):
        assert encode_records(STREAM, FILE, batch) == slow(RECORD_COLUMNS, batch)


@on_both_paths
@given(batches(REJECTS))
def test_rejects_are_encoded_like_the_reference_encoder(path: str, batch: pa.RecordBatch) -> None:
    with encoding(path):
        assert encode_rejects(STREAM, FILE, batch) == slow(REJECT_COLUMNS, batch)


@on_both_paths
def test_a_row_has_the_bytes_of_the_format(path: str) -> None:
    rejects = pa.RecordBatch.from_pylist([{"line_offset": 258, "reason": "torn", "line": b"\0\xff"}], schema=REJECTS)
    with encoding(path):
        encoded = encode_rejects(1, 2, rejects)
    assert encoded == (
        b"\0\5"
        b"\0\0\0\4\0\0\0\1"
        b"\0\0\0\4\0\0\0\2"
        b"\0\0\0\x08\0\0\0\0\0\0\1\2"
        b"\0\0\0\4torn"
        b"\0\0\0\2\0\xff"
    )  # fmt: skip


@on_both_paths
def test_the_version_of_jsonb_counts_as_part_of_the_value(path: str) -> None:
    with encoding(path):
        encoded = encode_records(1, 2, make_records(record(attributes="{}"), record(attributes="")))
    assert encoded.count(b"\0\0\0\3\1{}") == 1
    assert encoded.endswith(b"\0\0\0\1\1")


@on_both_paths
def test_times_are_counted_from_the_year_2000_as_far_as_64_bits_reach(path: str) -> None:
    earliest, latest = EPOCH_US - 2**63, 2**63 - 1
    for ts in (EPOCH_US, EPOCH_US - 1, 0, -1, earliest, latest):
        with encoding(path):
            encoded = encode_records(STREAM, FILE, make_records(record(ts=ts)))
        assert encoded[2:14] == struct.pack(">iq", 8, ts - EPOCH_US)
    with encoding(path), pytest.raises(OverflowError):
        encode_records(STREAM, FILE, make_records(record(ts=earliest - 1)))


def test_the_header_and_the_trailer_are_those_of_the_format() -> None:
    assert bytes.fromhex("5047434f50590aff0d0a00 00000000 00000000") == pgcopy.HEADER
    assert bytes.fromhex("ffff") == pgcopy.TRAILER


def test_the_columns_are_those_of_the_batches_and_their_source() -> None:
    assert sorted(RECORD_COLUMNS) == sorted([*RECORDS.names, "stream_id", "file_id"])
    assert sorted(REJECT_COLUMNS) == sorted([*REJECTS.names, "stream_id", "file_id"])


@on_both_paths
def test_no_rows_are_no_bytes(path: str) -> None:
    with encoding(path):
        assert encode_records(1, 1, NO_RECORDS) == b""
        assert encode_rejects(1, 1, NO_REJECTS) == b""


@on_both_paths
@pytest.mark.parametrize("rows", [63, 64, 65, 1000])
def test_any_number_of_rows_is_in_order(path: str, rows: int) -> None:
    hosts = [None, "", "::1", "höst", "a" * 300]
    batch = make_records(
        *(
            record(line_offset=n, ts=n * 10**12, host=hosts[n % 5], response_bytes=n if n % 3 else None)
            for n in range(rows)
        )
    )
    with encoding(path):
        assert encode_records(STREAM, FILE, batch) == slow(RECORD_COLUMNS, batch)


@on_both_paths
def test_the_parts_of_a_batch_are_the_batch(path: str) -> None:
    batch = make_records(*(record(line_offset=n, host=str(n), attributes=None if n % 7 else "{}") for n in range(100)))
    with encoding(path):
        parts = [encode_records(STREAM, FILE, batch.slice(start, 13)) for start in range(0, 100, 13)]
        assert b"".join(parts) == encode_records(STREAM, FILE, batch)


@on_both_paths
@pytest.mark.parametrize("name", ["host", "attributes"])
def test_bytes_behind_a_null_are_not_sent(path: str, name: str) -> None:
    texts = pa.array(["seen", "hidden", "seen too"])
    validity = pa.py_buffer(bytes([0b101]))
    masked = pa.Array.from_buffers(pa.string(), 3, [validity, *texts.buffers()[1:]])
    spoilt = make_records(record(), record(), record()).set_column(
        RECORDS.get_field_index(name), RECORDS.field(name), masked
    )
    with encoding(path):
        encoded = encode_records(STREAM, FILE, spoilt)
    assert b"hidden" not in encoded
    assert encoded == slow(RECORD_COLUMNS, spoilt)


def encode_fields(rows: int, fields: tuple[Any, ...]) -> bytes:
    assert pgcopy.encode_fields is not None
    return pgcopy.encode_fields(rows, fields)


BOUNDS = struct.pack("=3i", 0, 3, 6)


@pytest.mark.parametrize(
    ("rows", "column"),
    [
        (3, ("text", 0, None, BOUNDS, b"abcdef")),  # bounds of two texts
        (2, ("text", 1, None, BOUNDS, b"abcdef")),
        (2, ("text", 0, None, BOUNDS, b"abcde")),
        (2, ("text", 0, None, BOUNDS, None)),
        (2, ("text", 0, b"", BOUNDS, b"abcdef")),
        (2, ("text", 0, None, struct.pack("=3i", 0, 3, 2), b"abcdef")),
        (2, ("text", 0, None, struct.pack("=3i", -1, 3, 6), b"abcdef")),
        (2, ("int8", 0, None, bytes(15), None)),
        (2, ("timestamptz", 0, b"", bytes(16), None)),
        (2, ("text", -1, None, BOUNDS, b"abcdef")),
        (2, ("text", 2**63 - 1, None, BOUNDS, b"abcdef")),
        (2, ("float8", 0, None, bytes(16), None)),
        (-1, ("int8", 0, None, bytes(16), None)),
    ],
)
def test_buffers_that_are_too_small_for_the_rows_are_refused(
    rows: int, column: tuple[str, int, bytes | None, bytes, bytes | None]
) -> None:
    with encoding("native"), pytest.raises(ValueError, match=r"cannot encode|cannot begin|do not hold"):
        encode_fields(rows, (b"\0\1", column))


def test_more_rows_than_memory_holds_are_a_memory_error() -> None:
    with encoding("native"), pytest.raises(MemoryError):
        encode_fields(2**62, (b"\0\1\0\0",))


@pytest.mark.timeout(FUZZ_S + 60)
def test_sanitizers_find_nothing_in_damaged_buffers() -> None:
    """Addresses and undefined behaviour; `pgcopy_fuzz` says what is damaged."""
    compiler = find_compiler()
    if compiler is None:
        pytest.skip("NOT TESTED: rows encoded in C; there is no C compiler here")
    build = partial(build_module, compiler, Path(pgcopy.__file__).parent, "_pgcopy")
    module, environment = build_with_sanitizers(compiler, build)
    options = (str(module), "--inputs", INPUTS)
    printed = run_fuzzer("stores.postgres.ingest.pgcopy_fuzz", *options, environment=environment, timeout_s=FUZZ_S)
    assert "the same in Python" in printed
