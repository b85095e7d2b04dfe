"""The streams of a store."""

import pyarrow as pa

from puppylog.model.source import name_source
from puppylog.stores.base import RecordReader
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores", "monitor.sql")


def list_streams(reader: RecordReader) -> pa.Table:
    """Return ``(stream_id, source_uri, group, files, bytes, stored_at)`` of every stream, in the order of the sources.

    ``bytes`` are those that are stored; ``stored_at`` is when lines of the stream were last stored.
    """
    return reader.query(_QUERIES["streams"])


def list_named_streams(reader: RecordReader) -> pa.Table:
    """Return ``(source, group, files, bytes, stored_at, stream_id)`` of every stream; see `list_streams`.

    ``source`` is the name of the source as users write it.
    """
    found = list_streams(reader)
    names = [name_source(uri) for uri in found["source_uri"].to_pylist()]
    named = found.add_column(0, pa.field("source", pa.string()), pa.array(names, pa.string()))
    return named.select(["source", "group", "files", "bytes", "stored_at", "stream_id"])


def list_source_uris(reader: RecordReader) -> list[str]:
    """Return the source URI of every stream."""
    uris: list[str] = reader.query(_QUERIES["source_uris"])["source_uri"].to_pylist()
    return uris
