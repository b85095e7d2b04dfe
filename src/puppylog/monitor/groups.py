"""The log groups of a store."""

import pyarrow as pa

from puppylog.stores.base import RecordReader
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores", "monitor.sql")


def list_groups(reader: RecordReader) -> pa.Table:
    """Return ``(name, streams, files, bytes, moved_at)`` of every group, in the order of their names.

    ``bytes`` are those that are stored; ``moved_at`` is when a position in one of the group's files last moved.
    """
    return reader.query(_QUERIES["groups"])
