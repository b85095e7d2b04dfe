"""The labels of the streams of a store."""

from collections.abc import Mapping
from typing import Final

from puppylog.model.logql.labels import FILENAME, GROUP, HOSTNAME, SERVICE, clean_name, is_known
from puppylog.model.source import is_received, name_on_host, split_uri
from puppylog.stores.base import RecordReader
from puppylog.stores.queries import load_queries
from puppylog.stores.rows import decode_labels

_QUERIES: Final = load_queries("puppylog.stores", "monitor.sql")


def read_stream_labels(reader: RecordReader) -> dict[int, dict[str, str]]:
    """Return the labels of every stream by the stream's id."""
    rows = reader.query(_QUERIES["names_of_streams"]).to_pylist()
    return {row["id"]: label_stream(row["source_uri"], row["group_name"], decode_labels(row["labels"])) for row in rows}


def label_stream(source_uri: str, group: str | None, own: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the labels of a stream, with its own ones; their names are cleaned as those of attributes are.

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
    known = {name: text for name, text in labels.items() if text}
    return {**{clean_name(name): text for name, text in (own or {}).items() if not is_known(clean_name(name))}, **known}


def _name_service(source_uri: str, path: str) -> str:
    """Return the name that a sender gave, or the last part of a path without its extension."""
    if is_received(source_uri):
        return path.strip("/") or source_uri.partition(":")[0]
    last = path.rstrip("/").rpartition("/")[2]
    return last.partition(".")[0] or last
