"""Which times a batch has touched: what its metrics have to look at again."""

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

_HOUR_US: Final = 3_600_000_000
# A log whose times are all over the place must not make a note for each of its lines.
_MOST_RANGES: Final = 1_000


class Touched(NamedTuple):
    """Instants from ``low_us`` to ``high_us``, both included, in microseconds since the epoch."""

    stream_id: int
    low_us: int
    high_us: int


def ranges_of(stream_id: int, batches: Iterable[pa.RecordBatch]) -> list[Touched]:
    """Return the times of a stream's records, as ranges within an hour each: one straggler from last week does not
    touch the week. Where these would be too many, they are of whole days, or longer.
    """
    instants = [batch.column("ts").cast(pa.int64()).to_numpy() for batch in batches if batch.num_rows]
    if not instants:
        return []
    us = np.concatenate(instants)
    if us.min() // _HOUR_US == us.max() // _HOUR_US:  # as nearly always while following
        return [Touched(stream_id, int(us.min()), int(us.max()))]
    us.sort()
    width_us = _HOUR_US
    while len(starts := _starts(us // width_us)) > _MOST_RANGES:
        width_us *= 24
    ends = np.append(starts[1:], len(us)) - 1
    return [Touched(stream_id, int(low), int(high)) for low, high in zip(us[starts], us[ends], strict=True)]


def _starts(sorted_keys: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """Return where each new key begins."""
    return np.flatnonzero(np.diff(sorted_keys, prepend=sorted_keys[0] - 1)).astype(np.int64)


def days_of(batches: Iterable[pa.RecordBatch]) -> set[int]:
    """Return the days, in UTC and counted from the epoch, that the records lie in."""
    days: set[int] = set()
    for batch in batches:
        if batch.num_rows:
            us = batch.column("ts").cast(pa.int64()).to_numpy()
            low, high = int(us.min()) // (24 * _HOUR_US), int(us.max()) // (24 * _HOUR_US)
            days.update([low] if low == high else np.unique(us // (24 * _HOUR_US)).tolist())
    return days
