"""Random rows for the writer in C: ``python -m rows.rows_fuzz FILE --inputs N``, from ``tests``.

FILE is the compiled module, usually built with a compiler's sanitizers. Its rows must be those that Python writes. Then
the buffers are damaged: the writer may refuse them or write anything, but must not read or write outside of them.
Buffers are copied, so that each ends where its memory ends.
"""

import argparse
import random
import sys
from datetime import UTC
from pathlib import Path
from typing import Any
from unittest import mock

import pyarrow as pa

from formats.native_builds import load_module
from puppylog.rows import text
from puppylog.rows.text import CsvRows, JsonRows

_ROWS = 30  # at most, in one batch
_PIECES = ["", "a", "ö", "\U0001f415", "\x1b", "\x7f", "\u202e", "\n", '"', "\\", ",", "=", "+1", ".5", "-", "x" * 30]
_DOCUMENTS = [
    "{}",
    "[]",
    '{"a": 1}',
    '{"a":1}',
    '"x"',
    "7",
    "nonsense",
    '{"a": "\\u001b\\n", "b": [1.5, null]}',
    '{"a": 1e9}',
]
_KINDS = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.bool_(), pa.string(), pa.large_string()]
_KINDS += [pa.timestamp("us", "UTC"), pa.timestamp("us"), pa.json_(pa.string()), pa.float64(), pa.binary()]


def main() -> int:
    parser = argparse.ArgumentParser(description="Write random rows.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--inputs", type=int, default=1_000_000, help="rows, and as many damaged rows")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    module = load_module("_rows", asked.file)
    chance = random.Random(asked.seed)
    rows = refused = 0
    while rows < asked.inputs:
        batch = draw_batch(chance)
        rows += batch.num_rows
        for converter in (JsonRows(batch.schema, UTC, end="\n"), CsvRows(batch.schema, UTC)):
            with mock.patch.object(text, "native", None):
                expected = b"".join(converter.iter_bytes(batch))
            with mock.patch.object(text, "native", module):
                assert b"".join(converter.iter_bytes(batch)) == expected
                columns = [converter.describe(column, b",") for column in batch.columns]
            damaged = tuple(_damage(chance, column) for column in columns)
            try:
                module.write(converter.is_csv, batch.num_rows + chance.choice((0, 0, 1, 7)), damaged, b"\n")
                module.find_other_json(batch.num_rows, ("document", *damaged[0][1:]))
            except (ValueError, OverflowError):
                refused += 1
    sys.stdout.write(f"{rows} rows the same in Python; {refused} batches with damaged buffers refused\n")
    return 0


def draw_batch(chance: random.Random) -> pa.RecordBatch:
    """Return a slice of a batch with random columns and hostile values."""
    count = chance.randrange(1, _ROWS)
    kinds = chance.choices(_KINDS, k=chance.randrange(1, 5))
    columns = []
    for kind in kinds:
        nulls = chance.choice((0, 0.3, 1))
        columns.append(
            draw_column(kind, [None if chance.random() < nulls else _draw(chance, kind) for _ in range(count)])
        )
    batch = pa.RecordBatch.from_arrays(columns, [chance.choice(("a", "b", 'c"\x1b')) for _ in kinds])
    start = chance.randrange(count)
    return batch.slice(start, chance.randrange(count - start + 1))


def draw_column(kind: pa.DataType, values: list[Any]) -> pa.Array:
    """Return a column of a type, also of JSON."""
    if isinstance(kind, pa.BaseExtensionType):
        return pa.ExtensionArray.from_storage(kind, pa.array(values, kind.storage_type))
    return pa.array(values, kind)


def _draw(chance: random.Random, kind: pa.DataType) -> Any:
    if isinstance(kind, pa.BaseExtensionType):
        return chance.choice(_DOCUMENTS)
    if pa.types.is_string(kind) or kind == pa.large_string():
        return "".join(chance.choices(_PIECES, k=chance.randrange(6)))
    if pa.types.is_boolean(kind):
        return chance.random() < 0.5
    if pa.types.is_floating(kind):
        return chance.choice((0.1, -0.0, 3.0, float("nan"), float("inf"), 1e16, 1e-7))
    if kind == pa.binary():
        return chance.randbytes(3)
    bits = kind.bit_width - 1 if pa.types.is_integer(kind) else chance.choice((50, 57, 62))
    return chance.choice((0, -1, chance.randrange(-(1 << bits), 1 << bits)))


def _damage(chance: random.Random, column: Any) -> Any:
    kind, prefix, offset, *buffers = column
    buffers = [None if buffer is None else bytes(buffer) for buffer in buffers]
    if chance.random() < 0.7:
        return (kind, prefix, offset, *buffers)
    place = chance.randrange(3)
    data = buffers[place] or b""
    at = chance.randrange(len(data) + 1)
    changed = data[:at], data[:at] + chance.randbytes(1) + data[at + 1 :], None if place != 1 else b""
    buffers[place] = chance.choice(changed)
    return (chance.choice((kind, "text", "int64")), prefix, offset + chance.choice((0, 0, 1, 50)), *buffers)


if __name__ == "__main__":
    sys.exit(main())
