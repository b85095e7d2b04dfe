"""Splits a range of time into windows, the newest first, so that a search for the newest records can end early.

DuckDB evaluates a filter on every record of a range before it sorts them, so a search for the newest hundred records
would take as long as a search for all.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from puppylog.monitor.range import Range
from puppylog.stores.base import RecordReader
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores", "monitor.sql")

_FIRST: Final = timedelta(minutes=5)
GROWTH: Final = 8
"""By how much each window is wider than the one before, so that a search through everything takes few queries."""

_WIDEST: Final = timedelta(days=30)  # what is older is one window


def iter_windows(reader: RecordReader, within: Range) -> Iterator[Range]:
    """Yield ranges that cover the records within a range, without overlap, the newest first and each wider."""
    until, width = within.until, _FIRST
    try:
        [newest] = reader.query(_QUERIES["newest_time"], within.parameters())["newest"].to_pylist()
        if newest is None:
            return
        since = newest - width
        while width <= _WIDEST and (within.since is None or since > within.since):
            yield Range(since, until)
            until, width = since, width * GROWTH
            since = until - width
    except (OverflowError, ValueError):  # within some days of the first or last instant that Python has
        pass
    yield Range(within.since, until)


def iter_oldest_windows(reader: RecordReader, within: Range) -> Iterator[Range]:
    """Yield ranges as `iter_windows` does, but the oldest first."""
    since, width = within.since, _FIRST
    try:
        [oldest] = reader.query(_QUERIES["oldest_time"], within.parameters())["oldest"].to_pylist()
        if oldest is None:
            return
        until = oldest + width
        while width <= _WIDEST and (within.until is None or until < within.until):
            yield Range(since, until)
            since, width = until, width * GROWTH
            until = since + width
    except (OverflowError, ValueError):  # as above
        pass
    yield Range(since, within.until)
