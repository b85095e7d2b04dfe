"""Terms made by operators of conditions."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from puppylog.model.expression.conversion import byte_order
from puppylog.model.expression.term import COMPARISON, NOT, Term, TextTest, Type, compose

_WORD: Final = re.compile("[A-Za-z]{3,}")


def infix(operator: str, terms: Sequence[Term], type_: Type, binding: int) -> Term:
    """Return the operation on two operands, which have their parentheses already."""
    text = f"{{0}} {operator} {{1}}"
    term = compose(type_, text, *terms, sql=f"({text})", binding=binding)
    if operator == "OR" and all(part.tests for part in terms):
        return replace(term, tests=tuple(test for part in terms for test in part.tests))
    return term


def predicate(text: str, terms: Sequence[Term], duckdb: str | None = None) -> Term:
    """Return a condition on terms. The templates are those of `compose`."""
    operands = [term.operand(COMPARISON + 1) for term in terms]
    return compose(Type.BOOLEAN, text, *operands, sql=f"({text})", duckdb=duckdb, binding=COMPARISON)


def compare(operator: str, left: Term, right: Term) -> Term:
    """Return the comparison of two terms of the same type."""
    if operator not in {"=", "<>"}:
        left = byte_order(left)
    term = predicate(f"{{0}} {operator} {{1}}", [left, right])
    if operator == "=" and left.is_attribute and isinstance(right.literal, str):
        words = tuple(word.lower() for word in _WORD.findall(right.literal))
        return replace(term, tests=(TextTest.of_attribute(term.duckdb, (words,) if words else ()),))
    return term


def negate(condition: Term) -> Term:
    return compose(Type.BOOLEAN, "NOT {0}", condition.operand(NOT), sql="(NOT {0})", binding=NOT)
