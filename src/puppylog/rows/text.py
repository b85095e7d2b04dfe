"""Rows as JSON, JSON lines and CSV.

`rows.c` writes most columns from their buffers, without a Python object for each value. A column of a rare type is
converted to text in Python before. If there was no C compiler at the installation, or `rows.c` refuses a batch, Python
writes the same bytes row by row.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Final, TextIO, TypeAlias

import pyarrow as pa

from puppylog.rows.base import Writer, unique
from puppylog.rows.cells import csv_cell, json_object, json_text, json_value
from puppylog.rows.plain import Plain
from puppylog.rows.values import JSON_TYPE, parse_json, plain_column, plain_rows

_Column: TypeAlias = tuple[str, bytes, int, pa.Buffer | None, pa.Buffer | None, pa.Buffer | None]

__all__ = ["WRITERS", "CsvRows", "CsvWriter", "JsonRows", "JsonWriter", "JsonlWriter", "native"]

try:
    from puppylog.rows import _rows as native
except ImportError:  # there was no C compiler when Puppylog was installed
    native = None  # type: ignore[assignment]  # mypy has no type for a module that may be missing

# Rows that are written at a time: enough for a low cost per row, few enough that they take some megabytes.
_BLOCK_ROWS: Final = 8192

_INTEGERS: Final = {pa.int8(): "int8", pa.int16(): "int16", pa.int32(): "int32", pa.int64(): "int64"}
_KINDS: Final = {**_INTEGERS, pa.bool_(): "bool", pa.string(): "text", pa.large_string(): "large_text"}


class JsonlWriter:
    """One JSON object per row and line."""

    def __init__(self, out: TextIO, schema: pa.Schema, zone: tzinfo | None) -> None:
        self._put = _open_for_bytes(out)
        self._rows = JsonRows(schema, zone, end="\n")

    def write(self, batch: pa.RecordBatch) -> None:
        for written in self._rows.iter_bytes(batch):
            self._put(written)

    def close(self) -> None:
        pass


class JsonWriter:
    """One JSON array of objects, one row to a line."""

    def __init__(self, out: TextIO, schema: pa.Schema, zone: tzinfo | None) -> None:
        self._put = _open_for_bytes(out)
        self._rows = JsonRows(schema, zone, start=",\n")
        self._is_empty = True

    def write(self, batch: pa.RecordBatch) -> None:
        for written in self._rows.iter_bytes(batch):
            if written:
                self._put(b"[" + written[1:] if self._is_empty else written)
                self._is_empty = False

    def close(self) -> None:
        self._put(b"[]\n" if self._is_empty else b"\n]\n")


class CsvWriter:
    """A header and rows. Null is an empty cell, empty text is two quotes."""

    def __init__(self, out: TextIO, schema: pa.Schema, zone: tzinfo | None) -> None:
        self._put = _open_for_bytes(out)
        self._rows = CsvRows(schema, zone)
        self._put((",".join(map(csv_cell, schema.names)) + "\n").encode())

    def write(self, batch: pa.RecordBatch) -> None:
        for written in self._rows.iter_bytes(batch):
            self._put(written)

    def close(self) -> None:
        pass


WRITERS: Final[Mapping[str, Callable[[TextIO, pa.Schema, tzinfo | None], Writer]]] = {
    "json": JsonWriter,
    "jsonl": JsonlWriter,
    "csv": CsvWriter,
}
"""The writers by the name of their format. Their arguments are the file, the schema and the zone of the times."""


class Rows:
    """Converts batches of one schema to bytes."""

    is_csv: bool

    def __init__(self, zone: tzinfo | None, prefixes: Sequence[str], end: str) -> None:
        """Convert rows.

        Args:
            zone: of the times; None is the zone of this machine.
            prefixes: the text before each column's value.
            end: the text after each row.
        """
        self._zone = zone
        self._prefixes = [prefix.encode() for prefix in prefixes]
        self._end = end.encode()

    def iter_bytes(self, batch: pa.RecordBatch) -> Iterator[bytes]:
        """Yield the rows of ``batch`` as bytes, some thousands at a time."""
        for offset in range(0, batch.num_rows if batch.num_columns else 0, _BLOCK_ROWS):
            yield self._convert(batch.slice(offset, _BLOCK_ROWS))

    def _convert(self, block: pa.RecordBatch) -> bytes:
        if native is not None:
            with contextlib.suppress(OverflowError, ValueError):  # such as a time after the last year that Python has
                columns = tuple(map(self.describe, block.columns, self._prefixes))
                return native.write(self.is_csv, block.num_rows, columns, self._end)
        return "".join(map(self._row, plain_rows(block, self._zone))).encode()

    def _row(self, values: Sequence[Plain]) -> str:
        """Return one row as text."""
        raise NotImplementedError

    def _text(self, value: Plain) -> str:
        """Return one value, which is not None, as text."""
        raise NotImplementedError

    def describe(self, column: pa.Array, prefix: bytes) -> _Column:
        if isinstance(column, pa.ExtensionArray) and column.type.extension_name == JSON_TYPE:
            return self._documents(column, prefix)
        kind = _KINDS.get(column.type)
        if pa.types.is_timestamp(column.type) and column.type.unit == "us":
            if column.type.tz is None:
                kind = "time"
            elif self._zone is UTC:
                kind = "utc_time"
        return self._texts(column, prefix) if kind is None else _describe(kind, prefix, column)

    def _documents(self, column: pa.ExtensionArray, prefix: bytes) -> _Column:
        """Return a column of JSON. Only documents that Python's json module writes in another way become objects."""
        described = _describe("document", prefix, column.storage)
        others = native.find_other_json(len(column), described)
        if not others:
            return described
        texts = column.storage.to_pylist()
        for row in others:
            value = parse_json(texts[row])
            if not isinstance(value, dict | list):  # CSV has it as a cell of its own type
                return self._texts(column, prefix)
            texts[row] = json_text(value)
        return _describe("document", prefix, pa.array(texts, pa.string()))

    def _texts(self, column: pa.Array, prefix: bytes) -> _Column:
        """Return a column as texts that Python has written."""
        values = plain_column(column, self._zone)
        return _describe(
            "raw", prefix, pa.array([None if value is None else self._text(value) for value in values], pa.string())
        )


class JsonRows(Rows):
    is_csv = False

    def __init__(self, schema: pa.Schema, zone: tzinfo | None, *, start: str = "", end: str = "") -> None:
        """Convert rows to objects, with the text ``start`` before and ``end`` after each."""
        self._names = unique(schema.names)
        self._start, self._close = start, end
        prefixes = [f", {json_value(name)}: " for name in self._names]
        if prefixes:
            prefixes[0] = f"{start}{{{prefixes[0].removeprefix(', ')}"
        super().__init__(zone, prefixes, "}" + end)

    def _row(self, values: Sequence[Plain]) -> str:
        return f"{self._start}{json_object(self._names, values)}{self._close}"

    def _text(self, value: Plain) -> str:
        return json_value(value)


class CsvRows(Rows):
    is_csv = True

    def __init__(self, schema: pa.Schema, zone: tzinfo | None) -> None:
        super().__init__(zone, ["", *[","] * (len(schema.names) - 1)], "\n")

    def _row(self, values: Sequence[Plain]) -> str:
        return ",".join(map(csv_cell, values)) + "\n"

    def _text(self, value: Plain) -> str:
        return csv_cell(value)


def _describe(kind: str, prefix: bytes, column: pa.Array) -> _Column:
    validity, values, *data = column.buffers()
    return kind, prefix, column.offset, validity, values, data[0] if data else None


def _open_for_bytes(out: TextIO) -> Callable[[bytes], object]:
    """Return a function that writes UTF-8 to ``out``: directly, unless ``out`` has another encoding."""
    buffer = getattr(out, "buffer", None)
    if buffer is None or (out.encoding or "").lower().replace("-", "") != "utf8":
        return lambda data: out.write(data.decode())
    out.flush()  # text that was written before comes first
    if not out.isatty():
        return buffer.write  # type: ignore[no-any-return]  # every file of text with a buffer writes bytes to it

    def put(data: bytes) -> None:
        buffer.write(data)
        buffer.flush()  # a person waits for the rows

    return put
