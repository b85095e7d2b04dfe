"""A term: an expression that has been judged, with its type and its text for each reader of it.

The canonical text is what a person reads and a catalog keeps; it has the fewest parentheses that give the same tree
again. The texts for the stores need no context: each can stand wherever an operand can.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum


class Type(StrEnum):
    TEXT = "text"
    INTEGER = "bigint"  # every whole number is 64 bits wide, so that none overflows on one store only
    NUMBER = "double precision"
    BOOLEAN = "boolean"
    TIMESTAMPTZ = "timestamptz"
    DATE = "date"
    INTERVAL = "interval"
    NULL = "null"  # fits wherever any other type does


# How tightly an operator binds, as in PostgreSQL: an operand that binds less needs parentheses.
OR, AND, NOT, COMPARISON, OTHER, SUM, PRODUCT, SIGN, ATOM = range(9)


class Offence(Exception):
    """Why a term cannot be made, and because of which argument. Whoever knows the place makes an error of it."""

    def __init__(self, cause: str, argument: int | None = None) -> None:
        super().__init__(cause)
        self.cause = cause
        self.argument = argument


@dataclass(frozen=True, slots=True)
class Term:
    type: Type
    canonical: str
    duckdb: str
    postgres: str
    binding: int = ATOM  # of the canonical text
    literal: str | int | None = None  # its value, if it is a text or a whole number that is written out

    def operand(self, least_binding: int) -> "Term":
        """Return the term as an operand of an operator that wants at least ``least_binding``."""
        if self.binding >= least_binding:
            return self
        return replace(self, canonical=f"({self.canonical})", binding=ATOM)


def compose(
    type_: Type,
    canonical: str,
    *operands: Term,
    sql: str | None = None,
    duckdb: str | None = None,
    postgres: str | None = None,
    binding: int = ATOM,
) -> Term:
    """Make a term of ``operands``; ``{0}`` in a template stands for the first one's text.

    ``sql`` is what the stores read where that is not the canonical text, ``duckdb`` and ``postgres`` where they differ.
    """
    common = sql or canonical
    return Term(
        type_,
        canonical.format(*(operand.canonical for operand in operands)),
        (duckdb or common).format(*(operand.duckdb for operand in operands)),
        (postgres or common).format(*(operand.postgres for operand in operands)),
        binding,
    )


def quote(text: str) -> str:
    """Return ``text`` as a string literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def text_term(text: str) -> Term:
    literal = quote(text)
    return Term(Type.TEXT, literal, literal, literal, literal=text)


Accept = Callable[[Term], Term]
"""Returns a term as its place takes it, or raises Offence."""


def accept_each(accepts: Sequence[Accept], terms: Sequence[Term]) -> list[Term]:
    """Return each of ``terms`` as the one of ``accepts`` beside it takes it; an offence says which was the culprit."""
    accepted = []
    for index, (accept, term) in enumerate(zip(accepts, terms, strict=True)):
        try:
            accepted.append(accept(term))
        except Offence as offence:
            raise Offence(offence.cause, index) from None
    return accepted
