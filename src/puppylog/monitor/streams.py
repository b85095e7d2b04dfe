"""The streams of a store."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from puppylog.errors import NotFound, UsageError
from puppylog.model.labels import format_labels
from puppylog.model.source import name_on_host, name_source, split_uri
from puppylog.stores.base import RecordReader
from puppylog.stores.queries import load_queries
from puppylog.stores.rows import decode_labels

_QUERIES = load_queries("puppylog.stores", "monitor.sql")


def list_streams(reader: RecordReader) -> pa.Table:
    """Return ``(stream_id, source_uri, group, labels, files, bytes, stored_at)`` of every stream, by their sources.

    ``labels`` are JSON; ``bytes`` are those that are stored; ``stored_at`` is when lines of it were last stored.
    """
    return reader.query(_QUERIES["streams"])


def list_named_streams(reader: RecordReader) -> pa.Table:
    """Return ``(source, group, labels, files, bytes, stored_at, stream_id)`` of every stream; see `list_streams`.

    ``source`` is the name of the source as users write it; ``labels`` are written as ``env=prod pod=cart``.
    """
    found = list_streams(reader)
    names = [name_source(uri) for uri in found["source_uri"].to_pylist()]
    named = found.add_column(0, pa.field("source", pa.string()), pa.array(names, pa.string()))
    labels = [format_labels(decode_labels(text)) for text in found["labels"].to_pylist()]
    named = named.set_column(named.schema.get_field_index("labels"), "labels", pa.array(labels, pa.string()))
    return named.select(["source", "group", "labels", "files", "bytes", "stored_at", "stream_id"])


def list_source_uris(reader: RecordReader) -> list[str]:
    """Return the source URI of every stream."""
    uris: list[str] = reader.query(_QUERIES["source_uris"])["source_uri"].to_pylist()
    return uris


def find_source_uri(reader: RecordReader, written: str, host: str) -> str:
    """Return the source URI of the stream that a user names.

    Args:
        reader: the store.
        written: a path, the name of the source, or its URI. A path means the stream of this host if there is one.
        host: the name of this host in source URIs.

    Raises:
        NotFound: there is no such stream.
        UsageError: several hosts have a stream of this path, and this host has none.
    """
    uris = list_source_uris(reader)
    exact = [uri for uri in uris if written in {uri, name_source(uri)}]
    if exact:
        return exact[0]
    paths = {written, str(Path(written).absolute())}
    found = [uri for uri in uris if name_on_host(uri) in paths]
    own = [uri for uri in found if split_uri(uri)[0] in {None, host}]
    if len(own or found) > 1:
        names = ", ".join(name_source(uri) for uri in found[:5])
        raise UsageError("find", f"stream {written}", f"it could be any of {names}")
    if not found:
        raise NotFound("find", f"stream {written}", "the store has none of this name", "see puppylog streams list")
    return (own or found)[0]


@dataclass(frozen=True, slots=True)
class StoredRows:
    """What is stored of one file."""

    records: int
    rejects: int
    first_offset: int  # of the first record or rejected line, in bytes


def count_rows(reader: RecordReader, stream_id: int) -> Mapping[int, StoredRows]:
    """Return what is stored of each file of a stream, by the id of the file. Files without rows are left out."""
    rows = reader.query(_QUERIES["rows_of_stream"], {"stream_id": stream_id}).to_pylist()
    return {row.pop("file_id"): StoredRows(**row) for row in rows}
