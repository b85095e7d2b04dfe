"""A term: an expression that was checked, with its type, its canonical text, and its SQL for each store.

A store keeps the canonical text and shows it to users; it has no unnecessary parentheses. The SQL can be an operand of
any operator without further parentheses.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal, TypeAlias

Dialect: TypeAlias = Literal["duckdb", "postgres"]
"""A store's SQL."""


class Type(StrEnum):
    TEXT = "text"
    INTEGER = "bigint"  # all integers have 64 bits, so that both stores overflow at the same value
    NUMBER = "double precision"
    BOOLEAN = "boolean"
    TIMESTAMPTZ = "timestamptz"
    DATE = "date"
    INTERVAL = "interval"
    NULL = "null"  # can be coerced to every other type


# Precedence of operators, as in PostgreSQL. An operand of lower precedence needs parentheses.
OR, AND, NOT, COMPARISON, OTHER, SUM, PRODUCT, SIGN, ATOM = range(9)


class TermError(Exception):
    """Why a term cannot be made, and the index of the argument at fault. `locate_errors` adds the node."""

    def __init__(self, cause: str, argument: int | None = None) -> None:
        super().__init__(cause)
        self.cause = cause
        self.argument = argument


@dataclass(frozen=True, slots=True)
class TextTest:
    """A test of one column of texts, in DuckDB's SQL.

    Attributes:
        column: of ``log_records``.
        sql: the test of the column. It may be null.
        sieve: a quicker test, which every value passes that passes the test.
        of_value: the same test of a column that is named ``value``; None: a list of values cannot tell.
        words: what `required_words` says of the pattern.
    """

    column: str
    sql: str
    sieve: str
    of_value: str | None
    words: tuple[tuple[str, ...], ...]

    @classmethod
    def of_attribute(cls, sql: str, words: tuple[tuple[str, ...], ...]) -> "TextTest":
        """Return the test of one attribute, in SQL: what is in its value is also in the attributes as a whole."""
        return cls("attributes", sql, sql, None, words)


@dataclass(frozen=True, slots=True)
class Term:
    type: Type
    canonical: str
    duckdb: str
    postgres: str
    binding: int = ATOM  # precedence of the outermost operator in the canonical text
    literal: str | int | None = None  # the value, if the term is a literal text or integer
    is_attribute: bool = False  # whether it is the text of an attribute, which becomes a number without a cast
    tests: tuple[TextTest, ...] = ()  # if there are any, the term is true where one of them is, and nowhere else

    def operand(self, min_binding: int) -> "Term":
        """Return the term as an operand, in parentheses if its precedence is below ``min_binding``."""
        if self.binding >= min_binding:
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
    """Return a term made of ``operands``. In a template, ``{0}`` stands for the text of the first operand.

    Args:
        type_: of the term.
        canonical: template of the canonical text.
        operands: the terms that the templates refer to.
        sql: template of the SQL, if it differs from the canonical text.
        duckdb: template of DuckDB's SQL, if it differs from ``sql``.
        postgres: template of PostgreSQL's SQL, if it differs from ``sql``.
        binding: precedence of the outermost operator in ``canonical``.
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
"""Returns an argument converted to what a function takes, or raises TermError."""


def accept_each(accepts: Sequence[Accept], terms: Sequence[Term]) -> list[Term]:
    """Return each term converted by the function of the same index.

    Raises:
        TermError: with the index of the term that was not accepted.
    """
    accepted = []
    for index, (accept, term) in enumerate(zip(accepts, terms, strict=True)):
        try:
            accepted.append(accept(term))
        except TermError as error:
            raise TermError(error.cause, index) from None
    return accepted
