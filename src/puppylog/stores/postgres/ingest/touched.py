"""The times of a batch's records: they tell which buckets metrics must recompute, and which days need a partition."""

from collections.abc import Iterable
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

_HOUR_US: Final = 3_600_000_000
_DAY_US: Final = 24 * _HOUR_US
_MAX_RANGES: Final = 1_000
"""The largest number of ranges for a batch: a log with random times must not write a range for each of its lines."""


class Touched(NamedTuple):
    """A stream's range of time, from ``low_us`` to ``high_us``, both included, in microseconds since the epoch."""

    stream_id: int
    low_us: int
    high_us: int


def ranges_of(stream_id: int, batches: Iterable[pa.RecordBatch]) -> list[Touched]:
    """Return the times of a stream's records as ranges, each within one hour, in order.

    So a single record of last week does not invalidate the whole week. If there would be more than ``_MAX_RANGES``
    ranges, each is within one day, or within 24 days, and so on.
    """
    us = _list_times(batches)
    if not len(us):
        return []
    low, high = _find_bounds(us)
    if low // _HOUR_US == high // _HOUR_US:  # nearly always, unless it is a backfill
        return [Touched(stream_id, low, high)]
    width_us = _HOUR_US
    while pc.count_distinct(_number_periods(us, low, width_us)).as_py() > _MAX_RANGES:
        width_us *= 24
    periods = pa.table({"period": _number_periods(us, low, width_us), "us": us}).group_by("period", use_threads=False)
    bounds = periods.aggregate([("us", "min"), ("us", "max")])
    ranges = zip(bounds["us_min"].to_pylist(), bounds["us_max"].to_pylist(), strict=True)
    return [Touched(stream_id, first, last) for first, last in sorted(ranges)]


def days_of(batches: Iterable[pa.RecordBatch]) -> set[int]:
    """Return the days of the records, in UTC, as numbers of days since the epoch."""
    us = _list_times(batches)
    if not len(us):
        return set()
    low, high = _find_bounds(us)
    if low // _DAY_US == high // _DAY_US:
        return {low // _DAY_US}
    return {low // _DAY_US + day for day in pc.unique(_number_periods(us, low, _DAY_US)).to_pylist()}


def _list_times(batches: Iterable[pa.RecordBatch]) -> pa.ChunkedArray:
    """Return the records' times, in microseconds since the epoch."""
    return pa.chunked_array([batch.column("ts").cast(pa.int64()) for batch in batches], pa.int64())


def _find_bounds(us: pa.ChunkedArray) -> tuple[int, int]:
    bounds = pc.min_max(us).as_py()
    return bounds["min"], bounds["max"]


def _number_periods(us: pa.ChunkedArray, low: int, width_us: int) -> pa.ChunkedArray:
    """Return for each time the number of its period of ``width_us``. The period of ``low``, the first time, is 0.

    Periods are aligned to the epoch. They are not numbered from the epoch, because Arrow's division rounds towards zero
    and would put a time before the epoch into the period after its own.
    """
    return pc.divide(pc.subtract(us, low // width_us * width_us), width_us)
