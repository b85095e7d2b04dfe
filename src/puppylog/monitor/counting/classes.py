"""Chooses what divides records into a few classes: their severity, or the first digit of their status."""

from typing import Final, Literal

from puppylog.monitor.search import Search
from puppylog.stores.base import RecordReader
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores", "counting.sql")

_SAMPLE: Final = 2_000  # the size of the sample, in records


def choose_class(reader: RecordReader, search: Search) -> Literal["severity", "status_class"] | None:
    """Return what most records in a sample of the search have; None if most have neither."""
    sql = _QUERIES["marks"].format(chosen=search.render("chosen_records"))
    [row] = reader.query(sql, {**search.parameters(), "records": _SAMPLE}).to_pylist()
    if row["with_severity"] * 2 > row["records"]:
        return "severity"
    return "status_class" if row["with_status"] * 2 > row["records"] else None


def name_status_class(status_code: int | None) -> str | None:
    """Return the class of a status.

    >>> name_status_class(503), name_status_class(42), name_status_class(None)
    ('5xx', 'other', None)
    """
    if status_code is None:
        return None
    return f"{status_code // 100}xx" if 100 <= status_code <= 599 else "other"
