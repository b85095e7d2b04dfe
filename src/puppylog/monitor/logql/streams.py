"""The labels of the streams of a store."""

from collections.abc import Mapping
from typing import Final

from puppylog.model.logql.labels import FILENAME, GROUP, HOSTNAME, SERVICE
from puppylog.model.source import is_received, name_on_host, split_uri
from puppylog.stores.base import RecordReader
from puppylog.stores.queries import load_queries

_QUERIES: Final = load_queries("puppylog.stores", "monitor.sql")


def read_stream_labels(reader: RecordReader) -> dict[int, dict[str, str]]:
    """Return the labels of every stream by the stream's id."""
    rows = reader.query(_QUERIES["names_of_streams"]).to_pylist()
    return {row["id"]: label_stream(row["source_uri"], row["group_name"]) for row in rows}


def label_stream(source_uri: str, group: str | None) -> dict[str, str]:
    """Return the labels of a stream.

    >>> label_stream("file://web1/var/log/shop.log", "shop")
    {'filename': '/var/log/shop.log', 'group': 'shop', 'hostname': 'web1', 'service_name': 'shop'}
    >>> label_stream("loki://web1/cart", None)
    {'filename': 'loki:///cart', 'hostname': 'web1', 'service_name': 'cart'}
    """
    host, path = split_uri(source_uri)
    labels: Mapping[str, str | None] = {
        FILENAME: name_on_host(source_uri),
        GROUP: group,
        HOSTNAME: host,
        SERVICE: _name_service(source_uri, path),
    }
    return {name: text for name, text in labels.items() if text}


def _name_service(source_uri: str, path: str) -> str:
    """Return the name that a sender gave, or the last part of a path without its extension."""
    if is_received(source_uri):
        return path.strip("/") or source_uri.partition(":")[0]
    last = path.rstrip("/").rpartition("/")[2]
    return last.partition(".")[0] or last
