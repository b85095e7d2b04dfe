"""Answers that count records: the top values of a field, a histogram, statistics of a number, the shapes of messages.

Every function takes the store, a `Search` that chooses the records, and the store's SQL dialect. The store counts; no
record is read by the client. A module is loaded when one of its names is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a command needs one of these modules, and each takes 2 ms of CPU
    from puppylog.monitor.counting.field import get_field
    from puppylog.monitor.counting.histogram import Histogram, Series, count_histogram, find_latest
    from puppylog.monitor.counting.measure import Bin, Statistics, measure_field
    from puppylog.monitor.counting.patterns import Pattern, Patterns, find_patterns
    from puppylog.monitor.counting.top import Top, TopValue, count_top
    from puppylog.monitor.counting.tops import count_tops

__all__ = [
    "Bin",
    "Histogram",
    "Pattern",
    "Patterns",
    "Series",
    "Statistics",
    "Top",
    "TopValue",
    "count_histogram",
    "count_top",
    "count_tops",
    "find_latest",
    "find_patterns",
    "get_field",
    "measure_field",
]

_MODULES = {
    "Bin": "measure",
    "Histogram": "histogram",
    "Pattern": "patterns",
    "Patterns": "patterns",
    "Series": "histogram",
    "Statistics": "measure",
    "Top": "top",
    "TopValue": "top",
    "count_histogram": "histogram",
    "count_top": "top",
    "count_tops": "tops",
    "find_latest": "histogram",
    "find_patterns": "patterns",
    "get_field": "field",
    "measure_field": "measure",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
