"""What a store has records of, so that the default metrics fit it."""

from puppylog.model.defaults import Contents
from puppylog.model.expression.term import Dialect
from puppylog.monitor.attributes import find_attributes
from puppylog.monitor.durations import find_duration
from puppylog.stores.base import RecordReader
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores", "monitor.sql")


def read_contents(reader: RecordReader, dialect: Dialect) -> Contents | None:
    """Return what the store has records of; None if it has none."""
    [row] = reader.query(_QUERIES["contents"]).to_pylist()
    if not row["has_records"]:
        return None
    duration = find_duration(find_attributes(reader, (), dialect))
    return Contents(row["has_requests"], row["has_severities"], None if duration is None else duration.attribute)
