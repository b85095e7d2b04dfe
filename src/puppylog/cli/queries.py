"""The QUERY argument of a command, and its conversion to a condition in SQL."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import click
from click.shell_completion import CompletionItem

from puppylog.cli.complete import ask_store, matching
from puppylog.errors import ExpressionError, SearchError
from puppylog.model import query as language
from puppylog.model.expression import parse_filter, render
from puppylog.settings import Settings
from puppylog.stores.base import Store

if TYPE_CHECKING:  # a command without a query needs none of these modules, and they take 30 ms of CPU
    from puppylog.model.expression.term import Dialect
    from puppylog.model.query.fields import Vocabulary
    from puppylog.model.query.tree import Query


def complete_field(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the fields that begin with ``incomplete``, for an argument that is a field."""
    del parameter  # any argument that is a field
    return _list_fields(ctx, incomplete, "")


def complete_fields(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the fields that begin with what stands behind the last comma of ``incomplete``."""
    del parameter  # any option that is a list of fields
    before, comma, last = incomplete.rpartition(",")
    return [CompletionItem(f"{before}{comma}{item.value}") for item in _list_fields(ctx, last, "")]


def _complete_query(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the fields that begin with ``incomplete``, each with a colon, for the next word of a query."""
    del parameter  # the commands that take a query have one
    return _list_fields(ctx, incomplete, ":")


def _list_fields(ctx: click.Context, incomplete: str, ending: str) -> list[CompletionItem]:
    """Return columns or, if no column begins so, attributes of the newest records, which the store is asked for."""
    is_rejects = ctx.parent is not None and ctx.parent.info_name == "rejects"
    vocabulary = language.REJECTS if is_rejects else language.RECORDS
    columns = matching([f"{name}{ending}" for name in vocabulary.names], incomplete)
    if columns or not vocabulary.has_attributes:
        return columns
    from puppylog.monitor.attributes import find_attributes  # noqa: PLC0415 - see above

    names = ask_store(ctx, lambda store: sorted(find_attributes(store, [], dialect_of(store))))
    return matching([f"{name}{ending}" for name in names], incomplete)


query_argument: Final = click.argument("query", metavar="[QUERY]...", nargs=-1, shell_complete=_complete_query)


@dataclass(frozen=True, slots=True)
class WrittenQuery:
    """A query whose syntax is correct, and its text."""

    text: str
    tree: "Query"


def read_query(words: Sequence[str]) -> WrittenQuery | None:
    """Return the query that the arguments ``words`` form; None if there are no arguments.

    Raises:
        SearchError: the syntax of the query is wrong.
    """
    text = " ".join(words).strip()
    return WrittenQuery(text, language.parse_query(text)) if text else None


def read_source_query(patterns: Sequence[str]) -> WrittenQuery | None:
    """Return a query for the records of the sources that one of the patterns matches; None without patterns.

    A pattern means the same as in ``source:pattern``: it is a whole path or the end of one, and ``*`` is any text.
    ``-`` is standard input.
    """
    if not patterns:
        return None
    from puppylog.model.query.tree import FieldTest, Name, Or, Value  # noqa: PLC0415 - see above

    written = ["stdin://*" if pattern == "-" else pattern for pattern in patterns]
    tests = [FieldTest(Name("source"), ":", Value(tuple(pattern.split("*")))) for pattern in written]
    return WrittenQuery(" ".join(patterns), tests[0] if len(tests) == 1 else Or(tuple(tests)))


def dialect_of(store: Store) -> "Dialect":
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
            tree = language.parse_query(text)
            if "'" not in text and not language.has_bare_word(tree):
                return WrittenQuery(text, tree)
        raise


def translate_for(
    store: Store,
    query: WrittenQuery,
    settings: Settings,
    *,
    vocabulary: "Vocabulary | None" = None,
    is_kept: bool = False,
) -> str:
    """Return a query on records or on rejected lines as an expression.

    The query is about records unless another ``vocabulary`` is given. Times without an offset are in the zone of
    ``--tz``. With ``is_kept``, the query is the filter of a metric: relative times and fields that are not in the
    records are refused.

    Raises:
        SearchError: the query names a field that no record has, or compares a field with a value of a wrong type.
    """
    vocabulary = vocabulary or language.RECORDS
    names = language.find_attribute_names(query.tree) if vocabulary.has_attributes else []
    known: Mapping[str, str] = {}
    if names:
        from puppylog.monitor.attributes import find_attributes  # noqa: PLC0415 - see above

        known = find_attributes(store, names, dialect_of(store))
    now = None if is_kept else settings.clock()
    return language.translate(query.tree, language.Reading(query.text, vocabulary, known, now, settings.zone, is_kept))


def join_conditions(store: Store, *expressions: str | None) -> str:
    """Return the SQL condition that all expressions are true; expressions that are None are ignored."""
    rendered = [render(text, dialect_of(store)) for text in expressions if text is not None]
    return " AND ".join(f"({text})" for text in rendered) or "true"
