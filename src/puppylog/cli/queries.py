"""The QUERY argument of a command, and its conversion to a condition in SQL."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import click
from click.shell_completion import CompletionItem

from puppylog.cli.complete import ask_store, matching
from puppylog.errors import ExpressionError, SearchError
from puppylog.model.expression import parse_filter, render
from puppylog.model.expression.term import Dialect
from puppylog.model.query import RECORDS, REJECTS, Reading, find_attribute_names, parse_query, translate
from puppylog.model.query.fields import Vocabulary
from puppylog.model.query.tree import FieldTest, Name, Or, Query, Value, has_bare_word
from puppylog.monitor.attributes import find_attributes
from puppylog.settings import Settings
from puppylog.stores.base import Store


def complete_field(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the fields that begin with ``incomplete``, for an argument that is a field."""
    del parameter  # any argument that is a field
    return _list_fields(ctx, incomplete, "")


def _complete_query(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the fields that begin with ``incomplete``, each with a colon, for the next word of a query."""
    del parameter  # the commands that take a query have one
    return _list_fields(ctx, incomplete, ":")


def _list_fields(ctx: click.Context, incomplete: str, ending: str) -> list[CompletionItem]:
    """Return columns or, if no column begins so, attributes of the newest records, which the store is asked for."""
    vocabulary = REJECTS if ctx.parent is not None and ctx.parent.info_name == "rejects" else RECORDS
    columns = matching([f"{name}{ending}" for name in vocabulary.names], incomplete)
    if columns or not vocabulary.has_attributes:
        return columns
    names = ask_store(ctx, lambda store: sorted(find_attributes(store, [], dialect_of(store))))
    return matching([f"{name}{ending}" for name in names], incomplete)


query_argument: Final = click.argument("query", metavar="[QUERY]...", nargs=-1, shell_complete=_complete_query)


@dataclass(frozen=True, slots=True)
class WrittenQuery:
    """A query whose syntax is correct, and its text."""

    text: str
    tree: Query


def read_query(words: Sequence[str]) -> WrittenQuery | None:
    """Return the query that the arguments ``words`` form; None if there are no arguments.

    Raises:
        SearchError: the syntax of the query is wrong.
    """
    text = " ".join(words).strip()
    return WrittenQuery(text, parse_query(text)) if text else None


def read_source_query(patterns: Sequence[str]) -> WrittenQuery | None:
    """Return a query for the records of the sources that one of the patterns matches; None without patterns.

    A pattern means the same as in ``source:pattern``: it is a whole path or the end of one, and ``*`` is any text.
    ``-`` is standard input.
    """
    written = ["stdin://*" if pattern == "-" else pattern for pattern in patterns]
    tests = [FieldTest(Name("source"), ":", Value(tuple(pattern.split("*")))) for pattern in written]
    if not tests:
        return None
    return WrittenQuery(" ".join(patterns), tests[0] if len(tests) == 1 else Or(tuple(tests)))


def dialect_of(store: Store) -> Dialect:
    return "duckdb" if store.info.flavour == "duckdb" else "postgres"


def read_filter(text: str, what: str = "filter") -> str | WrittenQuery:
    """Return the filter of a metric: the canonical text of an SQL expression, or a query.

    The text is parsed as SQL first, so that filters keep their meaning. Otherwise it is accepted as a query only if it
    cannot be SQL with a mistake: it has no apostrophe, and every word outside of quotes belongs to a field.

    Args:
        text: the condition as the user wrote it.
        what: the name of the condition, for errors.

    Raises:
        ExpressionError: the text is neither an SQL expression nor a query.
    """
    try:
        return parse_filter(text, what)
    except ExpressionError:
        with suppress(SearchError):
            tree = parse_query(text)
            if "'" not in text and not has_bare_word(tree):
                return WrittenQuery(text, tree)
        raise


def translate_for(
    store: Store,
    query: WrittenQuery,
    settings: Settings,
    *,
    vocabulary: Vocabulary = RECORDS,
    is_kept: bool = False,
) -> str:
    """Return a query on records or on rejected lines as an expression.

    Times without an offset are in the zone of ``--tz``. With ``is_kept``, the query is the filter of a metric: relative
    times and fields that are not in the records are refused.

    Raises:
        SearchError: the query names a field that no record has, or compares a field with a value of a wrong type.
    """
    names = find_attribute_names(query.tree) if vocabulary.has_attributes else []
    known = find_attributes(store, names, dialect_of(store)) if names else {}
    now = None if is_kept else settings.clock()
    return translate(query.tree, Reading(query.text, vocabulary, known, now, settings.zone, is_kept))


def join_conditions(store: Store, *expressions: str | None) -> str:
    """Return the SQL condition that all expressions are true; expressions that are None are ignored."""
    rendered = [render(text, dialect_of(store)) for text in expressions if text is not None]
    return " AND ".join(f"({text})" for text in rendered) or "true"
