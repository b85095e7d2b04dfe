"""The QUERY of a command: its words, and how they become a condition that the store understands."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import click

from puppylog.errors import ExpressionError, SearchError
from puppylog.model.expression import parse_filter, render
from puppylog.model.expression.reading import Dialect
from puppylog.model.query import Reading, find_attribute_names, parse_query, translate
from puppylog.model.query.tree import Query, has_bare_word
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


def read_filter(text: str) -> str | WrittenQuery:
    """Return the filter of a metric: the canonical text of an SQL expression, or a query.

    SQL comes first, so that a filter means what it always meant. A text that is no SQL is a query only if it cannot be
    SQL with a mistake in it: it has no apostrophe, and no word outside of quotes that is not beside a field.

    Raises:
        ExpressionError: it is neither.
    """
    try:
        return parse_filter(text)
    except ExpressionError:
        with suppress(SearchError):
            tree = parse_query(text)
            if "'" not in text and not has_bare_word(tree):
                return WrittenQuery(text, tree)
        raise


def translate_for(store: Store, query: WrittenQuery, settings: Settings, *, is_kept: bool = False) -> str:
    """Return a query about records as an expression; times without an offset are of the zone of ``--tz``.

    What ``is_kept`` by a metric has neither relative times nor fields that are not in the records.

    Raises:
        SearchError: it names a field that no record has, or compares it with what it cannot be.
    """
    names = find_attribute_names(query.tree)
    known = find_attributes(store, names, dialect_of(store)) if names else {}
    now = None if is_kept else datetime.now(UTC)
    return translate(query.tree, Reading(query.text, attributes=known, now=now, zone=settings.zone, is_kept=is_kept))


def join_conditions(store: Store, *expressions: str | None) -> str:
    """Return SQL that is true where all of the expressions are; those that are None are left out."""
    rendered = [render(text, dialect_of(store)) for text in expressions if text is not None]
    return " AND ".join(f"({text})" for text in rendered) or "true"
