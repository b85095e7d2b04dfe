"""Encodes Arrow columns as rows in PostgreSQL's binary COPY format.

A row in this format has the number of its fields, and then the size and the bytes of each field. ``pgcopy.c`` encodes
rows from the columns' buffers, without a Python object for each row or field. If there was no C compiler at the
installation, this module encodes the same bytes row by row in Python.
"""

import contextlib
import struct
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import pyarrow as pa

_Field: TypeAlias = bytes | tuple[str, int, pa.Buffer | None, pa.Buffer | None, pa.Buffer | None]

encode_fields: Callable[[int, tuple[_Field, ...]], bytes] | None = None
"""The encoder in C; None where there was no C compiler when Puppylog was installed. See ``_pgcopy.pyi``."""

with contextlib.suppress(ImportError):
    from puppylog.stores.postgres.ingest import _pgcopy

    encode_fields = _pgcopy.encode

HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)  # the signature, no flags, no extension
TRAILER: Final = b"\xff\xff"

RECORD_COLUMNS: Final = (
    *("ts", "stream_id", "file_id", "line_offset", "host", "ident", "ruser", "request_method", "request_route"),
    *("request_proto", "status_code", "response_bytes", "referer", "user_agent", "severity", "message", "attributes"),
)
REJECT_COLUMNS: Final = ("stream_id", "file_id", "line_offset", "reason", "line")

_NULL: Final = struct.pack(">i", -1)
_JSONB_VERSION: Final = b"\1"
_EPOCH_US: Final = 946_684_800_000_000  # PostgreSQL counts from the year 2000

# Encoders of values, by PostgreSQL's name of the type. A ``bytea`` is encoded like a text.
_ENCODERS: Final[dict[str, Callable[[Any], bytes]]] = {
    "int2": lambda number: number.to_bytes(2, "big", signed=True),
    "int4": lambda number: number.to_bytes(4, "big", signed=True),
    "int8": lambda number: number.to_bytes(8, "big", signed=True),
    "timestamptz": lambda us: (us - _EPOCH_US).to_bytes(8, "big", signed=True),
    "text": lambda text: text,
    "jsonb": lambda text: _JSONB_VERSION + text,
}


def encode_records(stream_id: int, file_id: int, records: pa.RecordBatch) -> bytes:
    """Return rows of RECORD_COLUMNS, without HEADER and TRAILER, from a batch of schema RECORDS.

    Raises:
        OverflowError: a time is too early for PostgreSQL.
    """
    return _encode(RECORD_COLUMNS, {"stream_id": stream_id, "file_id": file_id}, records)


def encode_rejects(stream_id: int, file_id: int, rejects: pa.RecordBatch) -> bytes:
    """Return rows of REJECT_COLUMNS, without HEADER and TRAILER, from a batch of schema REJECTS."""
    return _encode(REJECT_COLUMNS, {"stream_id": stream_id, "file_id": file_id}, rejects)


def _encode(names: Sequence[str], numbers: dict[str, int], batch: pa.RecordBatch) -> bytes:
    """Return rows of the columns ``names``. A column has the same number in all rows, or is a column of the batch."""
    if encode_fields is not None:
        return encode_fields(batch.num_rows, _list_fields(names, numbers, batch))
    columns = []
    for name in names:
        if name in numbers:
            columns.append([_encode_field("int4", numbers[name])] * batch.num_rows)
        else:
            kind = _find_type(name, batch.column(name))
            columns.append([_encode_field(kind, value) for value in _list_values(kind, batch.column(name))])
    start = struct.pack(">h", len(names))
    return b"".join(start + b"".join(fields) for fields in zip(*columns, strict=True))


def _encode_field(kind: str, value: int | bytes | None) -> bytes:
    if value is None:
        return _NULL
    data = _ENCODERS[kind](value)
    return struct.pack(">i", len(data)) + data


def _list_values(kind: str, column: pa.Array) -> list[Any]:
    """Return the values of a column: numbers, times as microseconds since 1970, or texts as bytes."""
    if kind == "timestamptz":
        column = column.cast(pa.int64())
    elif kind in ("text", "jsonb"):
        column = column.cast(pa.binary())
    values: list[Any] = column.to_pylist()
    return values


def _list_fields(names: Sequence[str], numbers: dict[str, int], batch: pa.RecordBatch) -> tuple[_Field, ...]:
    """Return the arguments for ``encode_fields``: bytes that are the same in all rows, and columns."""
    fields: list[_Field] = []
    constant = struct.pack(">h", len(names))  # the bytes before the next column that are the same in all rows
    for name in names:
        if name in numbers:
            constant += _encode_field("int4", numbers[name])
        elif (column := batch.column(name)).null_count == batch.num_rows:
            constant += _NULL
        else:
            validity, values, *data = column.buffers()
            fields += [constant, (_find_type(name, column), column.offset, validity, values, data[0] if data else None)]
            constant = b""
    return (*fields, constant)


def _find_type(name: str, column: pa.Array) -> str:
    """Return PostgreSQL's name of the type of a column."""
    if name == "attributes":
        return "jsonb"
    if pa.types.is_timestamp(column.type):
        return "timestamptz"
    if pa.types.is_integer(column.type):
        return f"int{column.type.bit_width // 8}"
    return "text"
