"""The slices in which a metric is materialized: each is aggregated in one transaction, and others run in between."""

from collections.abc import Iterable
from typing import Final, TypeVar

Day = TypeVar("Day")

_SLICE_RECORDS: Final = 4_000_000
"""The most records of a slice, unless one day has more: about two seconds of aggregating."""


def slice_starts(days: Iterable[tuple[Day, int]], most_records: int = _SLICE_RECORDS) -> list[Day]:
    """Return the first day of each slice; a slice ends where the next one starts.

    Args:
        days: those that have records, in order, with the number of their records.
        most_records: how many records a slice of several days may have.
    """
    starts: list[Day] = []
    in_slice = 0
    for day, records in days:
        if not starts or in_slice + records > most_records:
            starts.append(day)
            in_slice = 0
        in_slice += records
    return starts
