"""Answers that count records: the top values of a field, a histogram, statistics of a number, the shapes of messages.

Every function takes the store, a `Search` that chooses the records, and the store's SQL dialect. The store counts; no
record is read by the client.
"""

from puppylog.monitor.counting.field import get_field
from puppylog.monitor.counting.histogram import Histogram, Series, count_histogram
from puppylog.monitor.counting.measure import Bin, Statistics, measure_field
from puppylog.monitor.counting.patterns import Pattern, Patterns, find_patterns
from puppylog.monitor.counting.top import Top, TopValue, count_top

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
    "find_patterns",
    "get_field",
    "measure_field",
]
