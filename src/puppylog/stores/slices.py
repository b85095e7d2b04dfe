"""The slices in which a metric is materialized. Each slice is one transaction; others can run between two slices."""

from collections.abc import Iterable
from typing import Final, TypeVar

Day = TypeVar("Day")

_SLICE_RECORDS: Final = 4_000_000
"""The largest number of records in a slice, unless one day has more. Aggregating them takes about two seconds."""


def slice_starts(days: Iterable[tuple[Day, int]], max_records: int = _SLICE_RECORDS) -> list[Day]:
    """Return the first day of each slice. A slice ends where the next slice starts.

    Args:
        days: the days that have records, in order, each with its number of records.
        max_records: the largest number of records in a slice of several days.
    """
    starts: list[Day] = []
    in_slice = 0
    for day, records in days:
        if not starts or in_slice + records > max_records:
            starts.append(day)
            in_slice = 0
        in_slice += records
    return starts
