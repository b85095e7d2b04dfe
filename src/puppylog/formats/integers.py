"""Gives Python's sequence operations to Arrow arrays of integers, without a copy."""

import pyarrow as pa


def view_integers(column: pa.Array) -> "memoryview[int]":
    """Return a view of the values of an int64 array without nulls."""
    values = column.buffers()[1]
    if values is None:  # Arrow may leave out the buffer of an empty array
        return memoryview(b"").cast("q")
    return memoryview(values).cast("q")[column.offset : column.offset + len(column)]
