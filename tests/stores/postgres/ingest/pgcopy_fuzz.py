"""Random rows for the encoder in C: ``python -m stores.postgres.ingest.pgcopy_fuzz FILE --inputs N``, from ``tests``.

FILE is the compiled module, usually built with a compiler's sanitizers. Rows are encoded by this encoder and by the
encoder in Python, which must give the same bytes. Then the buffers are damaged: the encoder may refuse them or encode
anything, but must not read or write outside the buffers. Buffers are copied, so that each ends where its memory ends.
"""

import argparse
import random
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import pyarrow as pa

from formats.native_builds import load_module
from puppylog.model.record import RECORDS
from puppylog.stores.postgres.ingest import pgcopy

_ROWS = 40  # at most, in one batch
_TEXTS = ["", "a", "höst", "\U0001f415", "x" * 300, '{"a": "b"}']


def main() -> int:
    parser = argparse.ArgumentParser(description="Encode random rows.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--inputs", type=int, default=1_000_000, help="rows, and as many damaged rows")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    encode = load_module("_pgcopy", asked.file).encode
    chance = random.Random(asked.seed)
    rows = refused = 0
    while rows < asked.inputs:
        batch = _draw_batch(chance)
        rows += batch.num_rows
        fields = _copy(pgcopy._list_fields(pgcopy.RECORD_COLUMNS, {"stream_id": 1, "file_id": 2}, batch))
        with mock.patch.object(pgcopy, "encode_fields", None):
            assert encode(batch.num_rows, fields) == pgcopy.encode_records(1, 2, batch)
        try:
            encode(batch.num_rows + chance.choice((0, 0, 1, 7)), tuple(_damage(chance, field) for field in fields))
        except (ValueError, OverflowError):
            refused += 1
    sys.stdout.write(f"{rows} rows the same in Python; {refused} batches with damaged buffers refused\n")
    return 0


def _draw_batch(chance: random.Random) -> pa.RecordBatch:
    count = chance.randrange(1, _ROWS)
    columns = []
    for field in RECORDS:
        nulls = chance.choice((0, 0.3, 1)) if field.nullable else 0
        values = [None if chance.random() < nulls else _draw_value(chance, field.type) for _ in range(count)]
        columns.append(pa.array(values, field.type))
    start = chance.randrange(count)
    return pa.RecordBatch.from_arrays(columns, schema=RECORDS).slice(start, chance.randrange(count - start + 1))


def _draw_value(chance: random.Random, kind: pa.DataType) -> int | str:
    if pa.types.is_string(kind):
        return chance.choice(_TEXTS)
    bits = 15 if pa.types.is_int16(kind) else 62
    return chance.choice((0, -1, chance.randrange(-(1 << bits), 1 << bits)))


def _copy(fields: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(
        field if isinstance(field, bytes) else (*field[:2], *(buffer and bytes(buffer) for buffer in field[2:]))
        for field in fields
    )


def _damage(chance: random.Random, field: Any) -> Any:
    if isinstance(field, bytes) or chance.random() < 0.7:
        return field
    kind, offset, *buffers = field
    place = chance.randrange(3)
    data = buffers[place] or b""
    at = chance.randrange(len(data) + 1)
    changed = data[:at], data[:at] + bytes((chance.randrange(256),)) + data[at + 1 :], None if place != 1 else b""
    buffers[place] = chance.choice(changed)
    return (chance.choice((kind, "text", "int8")), offset + chance.choice((0, 0, 1, 50)), *buffers)


if __name__ == "__main__":
    sys.exit(main())
