"""What a writer of rows does, for every format."""

from collections.abc import Sequence
from typing import Protocol

import pyarrow as pa


class Writer(Protocol):
    """Writes rows in one format. `close` writes the end of the answer; it must be called once, unless an error ends it.

    A batch may have any number of rows. A writer holds no more than a bounded number of rows, so a long answer streams.
    """

    def write(self, batch: pa.RecordBatch) -> None: ...

    def close(self) -> None: ...


def unique(names: Sequence[str]) -> list[str]:
    """Return distinct names, for formats in which a row has only one value of a name.

    >>> unique(["a", "b", "a"])
    ['a', 'b', 'a_2']
    """
    taken: list[str] = []
    for name in names:
        number, member = 1, name
        while member in taken:
            number += 1
            member = f"{name}_{number}"
        taken.append(member)
    return taken


def with_unique_names(schema: pa.Schema) -> pa.Schema:
    """Return the schema with distinct names of columns: most readers of Parquet and Arrow find columns by name."""
    names = unique(schema.names)
    return pa.schema([field.with_name(name) for field, name in zip(schema, names, strict=True)])
