"""Rows in PostgreSQL's binary COPY format, made from Arrow columns.

A row of that format is its fields one after another, each a length and its bytes. Whatever has a fixed width between
two texts (their lengths too) is packed side by side into one piece per row, by numpy. All pieces of one place in the
row, then those of the next place, make one long binary array; Arrow's ``take``, told the order of the rows, leaves the
bytes as they are sent. That is two passes over the data, none of them in Python. Half of the time goes into ``take``,
by the piece, hence few pieces: a column of nulls is four constant bytes of its neighbour, and where a number is null in
some rows, these rows have pieces of their own, that are shorter, in the place of the usual ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)  # the signature, no flags, no extension
TRAILER: Final = b"\xff\xff"

RECORD_COLUMNS: Final = (
    *("ts", "stream_id", "file_id", "line_offset", "host", "ident", "ruser", "request_method", "request_route"),
    *("request_proto", "status_code", "response_bytes", "referer", "user_agent", "severity", "message", "attributes"),
)
REJECT_COLUMNS: Final = ("stream_id", "file_id", "line_offset", "reason", "line")

_Ints: TypeAlias = npt.NDArray[np.integer[Any]]
_Bytes: TypeAlias = npt.NDArray[np.uint8]
_Field: TypeAlias = tuple[str, int | _Ints]  # a numpy type, and the value in all rows or in each

_LENGTH: Final = ">i4"
_NULL: Final[_Field] = (_LENGTH, -1)
_JSONB_VERSION: Final[_Field] = ("u1", 1)
_EPOCH_US: Final = 946_684_800_000_000  # PostgreSQL counts from the year 2000
_MOST_BYTES: Final = 1 << 30  # Arrow counts the bytes of an array in 31 bits


def encode_records(stream_id: int, file_id: int, records: pa.RecordBatch) -> memoryview:
    """Return rows of RECORD_COLUMNS, without HEADER and TRAILER, from a batch of schema RECORDS."""
    return _encode(RECORD_COLUMNS, {"stream_id": stream_id, "file_id": file_id}, records)


def encode_rejects(stream_id: int, file_id: int, rejects: pa.RecordBatch) -> memoryview:
    """Return rows of REJECT_COLUMNS, without HEADER and TRAILER, from a batch of schema REJECTS."""
    return _encode(REJECT_COLUMNS, {"stream_id": stream_id, "file_id": file_id}, rejects)


def _encode(names: Sequence[str], numbers: dict[str, int], batch: pa.RecordBatch) -> memoryview:
    if not batch.num_rows:
        return memoryview(b"")
    row = _Row(batch.num_rows)
    row.put((">i2", len(names)))
    for name in names:
        if name in numbers:
            row.put((_LENGTH, 4), (">i4", numbers[name]))
        else:
            _put_column(row, name, batch.column(name))
    row.close()
    if row.size > _MOST_BYTES and row.rows > 1:
        halves = batch.slice(0, row.rows // 2), batch.slice(row.rows // 2)
        return memoryview(b"".join(_encode(names, numbers, half) for half in halves))
    return row.join()


def _put_column(row: "_Row", name: str, column: pa.Array) -> None:
    if column.null_count == len(column):
        row.put(_NULL)
    elif pa.types.is_timestamp(column.type):
        _put_numbers(row, column, _read(column, np.dtype(np.int64)) - _EPOCH_US)
    elif pa.types.is_integer(column.type):
        _put_numbers(row, column, _read(column, np.dtype(f"i{column.type.bit_width // 8}")))
    else:
        _put_texts(row, column, [_JSONB_VERSION] if name == "attributes" else [])


def _put_numbers(row: "_Row", column: pa.Array, values: _Ints) -> None:
    fields: list[_Field] = [(_LENGTH, values.itemsize), (f">i{values.itemsize}", values)]
    if column.null_count:
        row.put_unless(_find_nulls(column), fields)
    else:
        row.put(*fields)


def _put_texts(row: "_Row", column: pa.Array, lead: list[_Field]) -> None:
    """Put texts, each behind its length and ``lead``, bytes that count as part of it."""
    texts = _Texts.read(column)
    if not column.null_count:
        row.put((_LENGTH, texts.lengths + len(lead)), *lead)
    else:
        nulls = _find_nulls(column)
        if (texts.lengths * nulls).any():  # Arrow allows bytes behind a null
            texts = _Texts.read(pc.fill_null(column.cast(pa.binary()), b""))
        if lead:
            row.put_unless(nulls, [(_LENGTH, texts.lengths + len(lead)), *lead])
        else:
            row.put((_LENGTH, texts.lengths - nulls))
    row.put_texts(texts)


def _read(column: pa.Array, kind: np.dtype[Any], more: int = 0) -> _Ints:
    """Return the column's numbers: of each row, and so many more."""
    return np.frombuffer(column.buffers()[1], kind, len(column) + more, column.offset * kind.itemsize)


def _find_nulls(column: pa.Array) -> _Bytes:
    """Return 1 for each null, 0 for what is none."""
    first, skipped = divmod(column.offset, 8)
    validity = np.frombuffer(column.buffers()[0], np.uint8, (skipped + len(column) + 7) // 8, first)
    return np.unpackbits(~validity, count=skipped + len(column), bitorder="little")[skipped:]


@dataclass(frozen=True, slots=True)
class _Texts:
    """Pieces that are texts, of an Arrow array's buffers."""

    bounds: _Ints
    data: Any  # None, or bytes of which the texts may be a part

    @classmethod
    def read(cls, column: pa.Array) -> Self:
        return cls(_read(column, np.dtype(np.int32), 1), column.buffers()[2])

    @property
    def lengths(self) -> _Ints:
        return self.bounds[1:] - self.bounds[:-1]

    @property
    def rows(self) -> int:
        return len(self.bounds) - 1

    @property
    def size(self) -> int:
        return int(self.bounds[-1]) - int(self.bounds[0])

    def write(self, data: _Bytes, starts: _Ints, start: int) -> None:
        """Write the pieces to ``data``, and where they start, the first at ``start``."""
        np.add(self.bounds[:-1], start - int(self.bounds[0]), out=starts)
        if self.size:
            data[:] = np.frombuffer(self.data, np.uint8, self.size, self.bounds[0])


@dataclass(frozen=True, slots=True)
class _Packed:
    """Pieces of one width, each some fields side by side."""

    fields: list[_Field]
    rows: int

    @property
    def type(self) -> np.dtype[Any]:
        return np.dtype([(str(at), kind) for at, (kind, _) in enumerate(self.fields)])

    @property
    def size(self) -> int:
        return self.rows * self.type.itemsize

    def write(self, data: _Bytes, starts: _Ints, start: int) -> None:
        """Write the pieces to ``data``, and where they start, the first at ``start``."""
        width = self.type.itemsize
        starts[:] = np.arange(start, start + len(data), width, dtype=np.int32)
        packed, constants = data.view(self.type), np.zeros(1, self.type)
        for at, (_, value) in enumerate(self.fields):
            if isinstance(value, int):
                constants[str(at)] = value
        packed.view(f"V{width}")[:] = constants.view(f"V{width}")  # all constants at once, whatever is between them
        for at, (_, value) in enumerate(self.fields):
            if not isinstance(value, int):
                packed[str(at)] = value


class _Row:
    """What the rows consist of, place by place."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self._places: list[_Texts | _Packed] = []
        self._others: list[tuple[int, _Ints, _Packed]] = []  # a place, rows, and their pieces in the place of the usual
        self._open: list[_Field] = []  # the fields of the next place
        self._others_open: list[_Field] = []  # the same in the rows of ``_others_rows``
        self._others_rows: _Ints | None = None

    @property
    def size(self) -> int:
        return sum(pieces.size for pieces in self._places)

    def put(self, *fields: _Field) -> None:
        self._open += fields
        self._others_open += fields

    def put_unless(self, nulls: _Bytes, fields: list[_Field]) -> None:
        """Put ``fields``, or a null in the rows of ``nulls``. A place has two forms at most; else begins the next."""
        if self._others_rows is not None:
            self.close()
        self._open += fields
        self._others_open.append(_NULL)
        self._others_rows = np.flatnonzero(nulls)

    def put_texts(self, texts: _Texts) -> None:
        self.close()
        self._places.append(texts)

    def close(self) -> None:
        """Complete the place whose fields were put, if there are any."""
        rows = self._others_rows
        if rows is not None:
            fields = [(kind, value if isinstance(value, int) else value[rows]) for kind, value in self._others_open]
            self._others.append((len(self._places), rows, _Packed(fields, len(rows))))
        if self._open:
            self._places.append(_Packed(self._open, self.rows))
        self._open, self._others_open, self._others_rows = [], [], None

    def join(self) -> memoryview:
        """Return the bytes of all pieces, row by row."""
        order = _order(self.rows, len(self._places))
        count = order.size
        for place, rows, pieces in self._others:
            order[rows, place] = np.arange(count, count + pieces.rows)
            count += pieces.rows
        array = _lay_out([*self._places, *(pieces for *_, pieces in self._others)])
        indices = pa.Array.from_buffers(pa.int32(), order.size, [None, pa.py_buffer(order)])
        _, ends, data = pc.take(array, indices, boundscheck=False).buffers()
        return memoryview(data).cast("B")[: np.frombuffer(ends, np.int32)[order.size]]


def _order(rows: int, places: int, step: int = 64) -> _Ints:
    """Return, row by row, the numbers of its pieces: ``row``, ``rows + row``, and so on.

    Made ``step`` rows at a time, because numpy is slow in loops as short as a row.
    """
    first = np.arange(step, dtype=np.int32)[:, None] + np.arange(0, places * rows, rows, dtype=np.int32)
    starts = np.arange(0, rows, step, dtype=np.int32)[:, None]
    order: _Ints = np.add(first.ravel(), starts).ravel()
    return order[: rows * places].reshape(rows, places)


def _lay_out(blocks: Sequence[_Texts | _Packed]) -> pa.Array:
    """Return all pieces, one block after another, as one binary array."""
    rows, size = sum(block.rows for block in blocks), sum(block.size for block in blocks)
    bounds, data = np.empty(rows + 1, np.int32), np.empty(size, np.uint8)
    row = at = 0
    for block in blocks:
        block.write(data[at : at + block.size], bounds[row : row + block.rows], at)
        row, at = row + block.rows, at + block.size
    bounds[row] = at
    return pa.Array.from_buffers(pa.binary(), rows, [None, pa.py_buffer(bounds), pa.py_buffer(data)])
