"""The names of what a store has, for completion in a shell."""

from typing import Final, Literal, TypeAlias

from puppylog.stores.base import RecordReader
from puppylog.stores.queries import load_queries

Kind: TypeAlias = Literal["metric", "alert", "group"]

_QUERIES: Final = load_queries("puppylog.stores", "monitor.sql")


def list_names(reader: RecordReader, kind: Kind) -> list[str]:
    """Return the names of all metrics, alerts or log groups, in their order. It is fast, because nothing is counted."""
    return [str(name) for name in reader.query(_QUERIES["names"], {"kind": kind})["name"].to_pylist()]
