"""The QUERY of a command: its words, and how they become a condition that the store understands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import click

from puppylog.model.expression import render
from puppylog.model.expression.reading import Dialect
from puppylog.model.query import Reading, find_attribute_names, parse_query, translate
from puppylog.model.query.tree import Query
from puppylog.monitor.attributes import find_attributes
from puppylog.settings import Settings
from puppylog.stores.base import Store

query_argument: Final = click.argument("query", metavar="[QUERY]...", nargs=-1)


@dataclass(frozen=True, slots=True)
class WrittenQuery:
    """A query whose syntax is right, and its text."""

    text: str
    tree: Query


def read_query(words: Sequence[str]) -> WrittenQuery | None:
    """Return the query that the words of a command line are, None if there are none.

    Raises:
        SearchError: they are no query.
    """
    text = " ".join(words).strip()
    return WrittenQuery(text, parse_query(text)) if text else None


def dialect_of(store: Store) -> Dialect:
    return "duckdb" if store.info.flavour == "duckdb" else "postgres"


def translate_for(store: Store, query: WrittenQuery, settings: Settings) -> str:
    """Return a query about records as an expression; times without an offset are of the zone of ``--tz``.

    Raises:
        SearchError: it names a field that no record has, or compares it with what it cannot be.
    """
    names = find_attribute_names(query.tree)
    known = find_attributes(store, names, dialect_of(store)) if names else {}
    return translate(query.tree, Reading(query.text, attributes=known, now=datetime.now(UTC), zone=settings.zone))


def join_conditions(store: Store, *expressions: str | None) -> str:
    """Return SQL that is true where all of the expressions are; those that are None are left out."""
    rendered = [render(text, dialect_of(store)) for text in expressions if text is not None]
    return " AND ".join(f"({text})" for text in rendered) or "true"
