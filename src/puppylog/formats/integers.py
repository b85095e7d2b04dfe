"""Arrow arrays of integers as sequences that Python can index, search and slice, without a copy."""

import pyarrow as pa


def view_integers(column: pa.Array) -> "memoryview[int]":
    """Return a view of an array of int64 that holds no null."""
    values = column.buffers()[1]
    if values is None:  # Arrow may leave out the buffer of an empty array
        return memoryview(b"").cast("q")
    return memoryview(values).cast("q")[column.offset : column.offset + len(column)]
