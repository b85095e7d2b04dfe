"""Conversion of Arrow values to plain values (those that JSON has), and of plain values to text.

Times become RFC 3339 text with an offset, in the zone of the settings; decimals become numbers; NaN and infinities
become null; bytes become text, with escapes for bytes that are not UTF-8.
"""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, tzinfo
from decimal import Decimal
from functools import singledispatch
from types import NoneType
from typing import Final

import pyarrow as pa

from puppylog.rows.plain import Plain

JSON_TYPE: Final = "arrow.json"


def plain_rows(batch: pa.RecordBatch, zone: tzinfo | None) -> list[tuple[Plain, ...]]:
    """Return the rows of ``batch`` as plain values."""
    columns = [plain_column(column, zone) for column in batch.columns]
    return list(zip(*columns, strict=True)) if columns else []


def plain_column(column: pa.Array, zone: tzinfo | None) -> list[Plain]:
    """Return one column as plain values. A value that Python cannot hold, such as the year 12000, becomes text."""
    is_json = False
    if isinstance(column, pa.ExtensionArray):
        is_json = column.type.extension_name == JSON_TYPE
        column = column.storage
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return list(column.to_pylist())
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        column = column.cast(pa.timestamp("us", kind.tz), safe=False)  # Python's datetime has microseconds
    try:
        values = column.to_pylist()
    except (OverflowError, ValueError):
        return list(column.cast(pa.string()).to_pylist())
    if is_json:
        return [parse_json(value) for value in values]
    return list(values) if pa.types.is_string(kind) else [plain(value, zone) for value in values]


def parse_json(value: str | None) -> Plain:
    """Return the value of a JSON text, or the text itself if it is not JSON."""
    try:
        return plain(json.loads(value), None) if value is not None else None
    except (ValueError, RecursionError):
        return value


@singledispatch
def plain(value: object, _zone: tzinfo | None) -> Plain:
    """Return a Python value as a plain value."""
    return str(value)


@plain.register(NoneType | bool | int | str)
def _(value: bool | int | str | None, _zone: tzinfo | None) -> Plain:
    return value


@plain.register
def _(value: float, _zone: tzinfo | None) -> Plain:
    return value if math.isfinite(value) else None


@plain.register
def _(value: Decimal, _zone: tzinfo | None) -> Plain:
    if not value.is_finite():
        return None
    return int(value) if value == value.to_integral_value() else float(value)


@plain.register
def _(value: datetime, zone: tzinfo | None) -> Plain:
    if value.tzinfo is None:  # the column's type has no zone
        return value.isoformat()
    try:
        return value.astimezone(zone).isoformat()
    except (OverflowError, ValueError):  # within a day of the first or last instant that Python has
        return value.isoformat()


@plain.register(date | time)
def _(value: date | time, _zone: tzinfo | None) -> Plain:
    return value.isoformat()


@plain.register
def _(value: bytes, _zone: tzinfo | None) -> Plain:
    return value.decode(errors="backslashreplace")


@plain.register(dict)
def _(value: Mapping[object, object], zone: tzinfo | None) -> Plain:
    return {str(key): plain(item, zone) for key, item in value.items()}


@plain.register(list | tuple)
def _(value: Sequence[object], zone: tzinfo | None) -> Plain:
    return [plain(item, zone) for item in value]


@plain.register(pa.MonthDayNano)
def _(value: pa.MonthDayNano, _zone: tzinfo | None) -> Plain:
    return f"P{value.months}M{value.days}DT{value.nanoseconds / 1e9:g}S"


def are_numbers(schema: pa.Schema) -> Sequence[bool]:
    """Return per column whether it holds numbers, which are aligned to the right."""
    types = pa.types
    return [types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind) for kind in schema.types]
