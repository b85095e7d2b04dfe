"""Converts PostgreSQL's answers to Arrow: the types that the embedded store has, too, and every other type as text."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import psycopg
import pyarrow as pa
from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import Loader
from psycopg.types.string import TextLoader

_TYPES: Final = {
    "bool": pa.bool_(),
    "int2": pa.int16(),
    "int4": pa.int32(),
    "int8": pa.int64(),
    "oid": pa.int64(),
    "float4": pa.float32(),
    "float8": pa.float64(),
    "bytea": pa.binary(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us", "UTC"),
}
_BY_OID: Final = {psycopg.adapters.types[name].oid: type_ for name, type_ in _TYPES.items()}
_NUMERIC: Final = psycopg.adapters.types["numeric"].oid
_WHOLE: Final = pa.decimal128(38, 0)
_MAX_DIGITS: Final = Decimal(10) ** 38
_FIRST: Final = datetime(1, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(9999, 12, 31, tzinfo=UTC)


class _InstantLoader(Loader):
    """Reads an instant from its text, with an offset. psycopg's own loader takes half of the time of reading a metric.

    An instant that a `datetime` cannot hold, such as infinity, becomes the first or the last possible one. Many rows
    have the instant of the row before, such as the segments of a bucket, so the last one is kept.
    """

    def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
        super().__init__(oid, context)
        self._data = b""
        self._instant = _FIRST

    def load(self, data: Buffer) -> datetime:
        if data != self._data:
            self._data = bytes(data)
            self._instant = _read_instant(self._data.decode())
        return self._instant


def _read_instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return _FIRST if text.startswith("-") or text.endswith("BC") else _LAST


def read_rest_as_text(connection: "psycopg.Connection[Any]") -> None:
    """Make psycopg return PostgreSQL's text for all types that have no Arrow type in ``_TYPES``."""
    connection.adapters.register_loader("timestamptz", _InstantLoader)
    for info in psycopg.adapters.types:
        if info.oid not in _BY_OID and info.oid != _NUMERIC:
            connection.adapters.register_loader(info.oid, TextLoader)
        if info.array_oid:
            connection.adapters.register_loader(info.array_oid, TextLoader)


def schema_of(description: Sequence[psycopg.Column], first: Sequence[Sequence[Any]], *, is_all: bool) -> pa.Schema:
    """Return the Arrow schema of an answer.

    A numeric has no fixed width. If ``first`` is the whole answer and has only whole numbers in the column, they stay
    exact. Otherwise they become double precision, like an average on the embedded store.

    Args:
        description: the columns.
        first: the first rows.
        is_all: whether ``first`` is the whole answer.
    """
    fields = []
    for position, column in enumerate(description):
        type_ = _BY_OID.get(column.type_code, pa.string())
        if column.type_code == _NUMERIC:
            type_ = _WHOLE if is_all and _are_whole([row[position] for row in first]) else pa.float64()
        fields.append(pa.field(column.name, type_))
    return pa.schema(fields)


def batch_of(rows: Sequence[Sequence[Any]], schema: pa.Schema) -> pa.RecordBatch:
    """Return rows as a batch of ``schema``."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    arrays = [_array(values, field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _array(values: Sequence[Any], type_: pa.DataType) -> pa.Array:
    if pa.types.is_float64(type_):
        return pa.array([None if value is None else float(value) for value in values], type_)
    return pa.array(values, type_)


def _are_whole(values: Sequence[Decimal | None]) -> bool:
    return all(
        value is None or (value.is_finite() and value == value.to_integral_value() and abs(value) < _MAX_DIGITS)
        for value in values
    )
