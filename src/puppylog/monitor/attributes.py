"""The attributes of a store's records: names that a query may use like columns, with an example value each.

A store has no list of its attributes. So they are collected from the newest records. A name that these records lack is
searched in all records, because it may be rare or old.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from puppylog.model.expression import render
from puppylog.model.expression.term import Dialect
from puppylog.model.query import Reading, translate
from puppylog.model.query.tree import Has, Name
from puppylog.monitor.search import Search, count_records
from puppylog.stores.base import RecordReader
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores", "monitor.sql")

SAMPLE_RECORDS: Final = 2000
"""How many of the newest records the names of attributes are collected from."""

_MAX_DEPTH: Final = 5


def find_attributes(reader: RecordReader, wanted: Sequence[str], dialect: Dialect) -> dict[str, str]:
    """Return attributes with an example value each: all of the newest records, and those of ``wanted`` that exist.

    The example of an attribute that only older records have is empty. Dots separate the keys of nested objects.
    """
    found = _sample(reader)
    for name in wanted:
        if name not in found and _is_anywhere(reader, name, dialect):
            found[name] = ""
    return found


def _sample(reader: RecordReader) -> dict[str, str]:
    rows = reader.query(_QUERIES["newest_attributes"], {"records": SAMPLE_RECORDS})
    return list_names(rows["attributes"].to_pylist())


def list_names(attributes: Iterable[str]) -> dict[str, str]:
    """Return the names in JSON objects of attributes, each with an example value. Dots separate the keys of objects."""
    found: dict[str, str] = {}
    for text in attributes:
        for name, example in iter_attributes(json.loads(text)):
            if not found.get(name):
                found[name] = example
    return found


def iter_attributes(value: Any, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - JSON
    """Yield the name and the value, as text, of every member of a JSON object, nested members included."""
    if not isinstance(value, dict) or depth > _MAX_DEPTH:
        return
    for key, inner in value.items():
        if isinstance(inner, dict):
            yield from iter_attributes(inner, f"{prefix}{key}.", depth + 1)
        if inner is not None:
            yield f"{prefix}{key}", inner if isinstance(inner, str) else json.dumps(inner)


def _is_anywhere(reader: RecordReader, name: str, dialect: Dialect) -> bool:
    written = f"attributes.{name}"
    expression = translate(Has(Name(written)), Reading(text=written))
    return count_records(reader, Search(render(expression, dialect)), 1) > 0
