"""The shape of a message in the SQL of a store, as `puppylog.model.shape` defines it, in two steps."""

from typing import Final

from puppylog.model.shape import MAX_CHARACTERS, QUOTED, VARYING
from puppylog.stores.queries import load_queries

_QUERIES: Final = load_queries("puppylog.stores", "counting.sql")


def masked_sql(value: str) -> str:
    """Return the SQL of the first step: the first line of the text ``value`` with its varying parts masked."""
    return _QUERIES["masked"].format(value=value, characters=MAX_CHARACTERS, varying=_quote(VARYING))


def shape_sql(masked: str) -> str:
    """Return the SQL of the second step: the shape of a text that `masked_sql` has masked."""
    return _QUERIES["shape"].format(masked=masked, quoted=_quote(QUOTED))


def _quote(pattern: str) -> str:
    return "'" + pattern.replace("'", "''") + "'"
