"""Columns and attributes, as terms and as the text of an expression. These need no parser."""

import re
from collections.abc import Sequence
from typing import Final

from puppylog.model.expression.rejected import reject_column
from puppylog.model.expression.term import OTHER, Term, Type, compose, quote
from puppylog.model.record import COLUMNS, REJECT_COLUMNS, TEXT_COLUMNS

# DuckDB's paths give the other characters a meaning within a key.
KEY: Final = re.compile(r'[^"\\*\x00-\x1f]+')


def column_term(column: str) -> Term | None:
    """Return the term of a column of the records or of the rejected lines; None if there is none of this name."""
    if column in REJECT_COLUMNS:
        return reject_column(column)
    if column not in COLUMNS:
        return None
    if column == "ts":
        return compose(Type.TIMESTAMPTZ, column)
    return compose(Type.TEXT if column in TEXT_COLUMNS else Type.INTEGER, column)


def attribute_term(keys: Sequence[str]) -> Term:
    """Return the term of an attribute: the key in an object, in an object, and so on. Every key matches KEY."""
    arrows = [quote(key) for key in keys]
    canonical = " ->> ".join([" -> ".join(["attributes", *arrows[:-1]]), arrows[-1]])
    path = quote("$" + "".join(f'."{key}"' for key in keys))
    return Term(Type.TEXT, canonical, f"(attributes ->> {path})", f"({canonical})", binding=OTHER, is_attribute=True)


def attribute_text(key: str) -> str:
    """Return the expression of an attribute. The dots in ``key`` are a part of it, or separate the keys of objects."""
    flat = f"attributes ->> {quote(key)}"
    if "." not in key:
        return flat
    *outer, last = key.split(".")
    nested = " -> ".join(["attributes", *map(quote, outer)])
    return f"COALESCE({flat}, {nested} ->> {quote(last)})"
