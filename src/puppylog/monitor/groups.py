"""What there is to know of log groups."""

import pyarrow as pa

from puppylog.stores.base import RecordReader
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores", "monitor.sql")


def list_groups(reader: RecordReader) -> pa.Table:
    """Return ``(name, streams, files, bytes, moved_at)`` of every group, in the order of their names."""
    return reader.query(_QUERIES["groups"])
