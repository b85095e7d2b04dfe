"""The QUERY argument of a command."""

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import click
from click.shell_completion import CompletionItem

from puppylog.cli.complete import ask_store, matching
from puppylog.errors import ExpressionError, SearchError
from puppylog.model import query as language
from puppylog.model.expression import parse_filter
from puppylog.monitor import condition
from puppylog.monitor.condition import WrittenQuery, dialect_of
from puppylog.settings import Settings
from puppylog.stores.base import Store

if TYPE_CHECKING:  # a command without a query does not need it
    from puppylog.model.query.fields import Vocabulary


def complete_field(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the fields that begin with ``incomplete``, for an argument that is a field."""
    del parameter  # any argument that is a field
    return _list_fields(ctx, incomplete, "")


def complete_fields(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the fields that begin with the text after the last comma of ``incomplete``."""
    del parameter  # any option that is a list of fields
    before, comma, last = incomplete.rpartition(",")
    return [CompletionItem(f"{before}{comma}{item.value}") for item in _list_fields(ctx, last, "")]


def _complete_query(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the fields that begin with ``incomplete``, each with a colon, for the next word of a query."""
    del parameter  # the commands that take a query have one
    return _list_fields(ctx, incomplete, ":")


def _list_fields(ctx: click.Context, incomplete: str, ending: str) -> list[CompletionItem]:
    """Return columns or, if none begins with it, attributes of the newest records, which the store is asked for."""
    is_rejects = ctx.parent is not None and ctx.parent.info_name == "rejects"
    vocabulary = language.REJECTS if is_rejects else language.RECORDS
    columns = matching([f"{name}{ending}" for name in vocabulary.names], incomplete)
    if columns or not vocabulary.has_attributes:
        return columns
    from puppylog.monitor.attributes import find_attributes  # noqa: PLC0415 - see above

    names = ask_store(ctx, lambda store: sorted(find_attributes(store, [], dialect_of(store))))
    return matching([f"{name}{ending}" for name in names], incomplete)


query_argument: Final = click.argument("query", metavar="[QUERY]...", nargs=-1, shell_complete=_complete_query)


def read_query(words: Sequence[str]) -> WrittenQuery | None:
    """Return the query that the arguments ``words`` form; None if there are no arguments.

    Raises:
        SearchError: the syntax of the query is wrong.
    """
    return condition.read_query(" ".join(words).strip())


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
    """Return a query as an expression, as `condition.translate_query` does, with the clock and zone of the settings."""
    return condition.translate_query(
        store, query, now=settings.clock(), zone=settings.zone, vocabulary=vocabulary, is_kept=is_kept
    )
