"""Splits a range of time into windows, the newest first, so that a search for the newest records can end early.

DuckDB evaluates a filter on every record of a range before it sorts them, so a search for the newest hundred records
would take as long as a search for all.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from puppylog.monitor.budget import GROWTH, Budget
from puppylog.monitor.range import Range
from puppylog.stores.base import RecordReader
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores", "monitor.sql")

_FIRST: Final = timedelta(minutes=5)
_WIDEST: Final = timedelta(days=30)  # what is older is one window


def iter_windows(reader: RecordReader, within: Range, budget: Budget | None = None) -> Iterator[Range]:
    """Yield ranges that cover the records within a range, without overlap, the newest first and each wider.

    With a budget, a window is only as wide as the time that is left. If the time is over before everything is covered,
    the budget has the instant at which the last window began.
    """
    until, width = within.until, _FIRST
    try:
        [newest] = reader.query(_QUERIES["newest_time"], within.parameters())["newest"].to_pylist()
        if newest is None:
            return
        first = within.since if budget is None else _find_first(reader, within)
        since = newest - width
        while (width <= _WIDEST or budget is not None) and (first is None or since > first):
            started = 0.0 if budget is None else budget.clock()
            yield Range(since, until)
            until, width = since, width * (GROWTH if budget is None else budget.grow(started))
            if budget is not None and not width:
                budget.reached = since
                return
            since = until - width
    except (OverflowError, ValueError):  # within some days of the first or last instant that Python has
        pass
    yield Range(within.since, until)


def iter_oldest_windows(reader: RecordReader, within: Range, budget: Budget | None = None) -> Iterator[Range]:
    """Yield ranges as `iter_windows` does, but the oldest first. The budget has the end of the last one."""
    since, width = within.since, _FIRST
    try:
        [oldest] = reader.query(_QUERIES["oldest_time"], within.parameters())["oldest"].to_pylist()
        if oldest is None:
            return
        last = within.until if budget is None else _find_last(reader, within)
        until = oldest + width
        while (width <= _WIDEST or budget is not None) and (last is None or until < last):
            started = 0.0 if budget is None else budget.clock()
            yield Range(since, until)
            since, width = until, width * (GROWTH if budget is None else budget.grow(started))
            if budget is not None and not width:
                budget.reached = until
                return
            until = since + width
    except (OverflowError, ValueError):  # as above
        pass
    yield Range(since, within.until)


def _find_first(reader: RecordReader, within: Range) -> datetime | None:
    [oldest] = reader.query(_QUERIES["oldest_time"], within.parameters())["oldest"].to_pylist()
    return within.since if oldest is None else oldest


def _find_last(reader: RecordReader, within: Range) -> datetime | None:
    [newest] = reader.query(_QUERIES["newest_time"], within.parameters())["newest"].to_pylist()
    return within.until if newest is None else newest
