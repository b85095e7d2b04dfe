"""Ranges of time as whole buckets."""

from collections.abc import Iterable

US_PER_S = 1_000_000

# Ranges that are closer than this are recomputed as one range: another query costs more than reading the gap.
_MERGE_US = 3600 * US_PER_S


def merge_ranges(ranges: Iterable[tuple[int, int]], period_us: int) -> list[tuple[int, int]]:
    """Return ``ranges`` (half-open, in microseconds) as whole buckets, in order. Close ranges are merged."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if low >= high:
            continue
        since, until = low // period_us * period_us, -(-high // period_us) * period_us
        if merged and since - merged[-1][1] <= _MERGE_US:
            merged[-1] = (merged[-1][0], max(merged[-1][1], until))
        else:
            merged.append((since, until))
    return merged
