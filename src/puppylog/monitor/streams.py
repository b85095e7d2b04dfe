"""The streams of a store."""

import pyarrow as pa

from puppylog.stores.base import RecordReader
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores", "monitor.sql")


def list_streams(reader: RecordReader) -> pa.Table:
    """Return ``(stream_id, source_uri, group, files, bytes, stored_at)`` of every stream, in the order of the sources.

    ``bytes`` are those that are stored; ``stored_at`` is when lines of the stream were last stored.
    """
    return reader.query(_QUERIES["streams"])
