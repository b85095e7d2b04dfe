"""Arithmetic that leaves the range of 64 bits gives null on every store, so that no line of a log makes a query fail.

Whole numbers are computed in a wider type, HUGEINT in DuckDB and NUMERIC in PostgreSQL, and narrowed to 64 bits
afterwards: a sum of any length once, at its end, and a product at each factor. Each text contains its operands once:
nested operations must not double it each time.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from puppylog.model.expression.term import ATOM, PRODUCT, SIGN, SUM, Term, Type, compose

_TOO_HIGH: Final = 2**63
_TOO_LOW: Final = -(2**63) - 1
# The nearest double below -2^63.
_TOO_LOW_NUMBER: Final = -(2**63) - 2048


def narrow(wide: Term) -> Term:
    """Return a whole number of the wider type as 64 bits, null where it does not fit."""
    postgres = _narrow(wide.postgres, str(_TOO_LOW), str(_TOO_HIGH))
    return replace(wide, duckdb=f"TRY_CAST({wide.duckdb} AS BIGINT)", postgres=postgres)


def add_whole(operator: str, terms: Sequence[Term], *, is_wide: bool) -> Term:
    """Return the sum or the difference in the wider type; ``is_wide``: the first operand has it already."""
    text = f"{{0}} {operator} {{1}}"
    if is_wide:
        return compose(Type.INTEGER, text, *terms, sql=f"({text})", binding=SUM)
    duckdb, postgres = (f"(CAST({{0}} AS {wide}) {operator} {{1}})" for wide in ("HUGEINT", "NUMERIC"))
    return compose(Type.INTEGER, text, *terms, duckdb=duckdb, postgres=postgres, binding=SUM)


def multiply_whole(operator: str, terms: Sequence[Term]) -> Term:
    """Return the product, the quotient (whole) or the remainder; a divisor of zero gives null.

    No remainder is beyond 64 bits, and one quotient: that of the least number and -1.
    """
    text = f"{{0}} {operator} {{1}}"
    if operator == "%" or (operator == "/" and terms[1].literal is not None):
        duckdb, postgres = (
            f"(CAST({{0}} AS BIGINT) {word} NULLIF({{1}}, 0))" for word in (_DUCKDB[operator], operator)
        )
        return compose(Type.INTEGER, text, *terms, duckdb=duckdb, postgres=postgres, binding=PRODUCT)
    if operator == "/":
        duckdb, postgres = "CAST({0} AS HUGEINT) // NULLIF({1}, 0)", "DIV(CAST({0} AS NUMERIC), NULLIF({1}, 0))"
    else:
        duckdb, postgres = "CAST({0} AS HUGEINT) * {1}", "CAST({0} AS NUMERIC) * {1}"
    return narrow(compose(Type.INTEGER, text, *terms, duckdb=duckdb, postgres=postgres, binding=PRODUCT))


_DUCKDB: Final = {"%": "%", "/": "//"}


def negate_whole(term: Term) -> Term:
    duckdb, postgres = "-CAST({0} AS HUGEINT)", "-CAST({0} AS NUMERIC)"
    return narrow(compose(Type.INTEGER, "-{0}", term, duckdb=duckdb, postgres=postgres, binding=SIGN))


def absolute_whole(term: Term) -> Term:
    duckdb, postgres = "ABS(CAST({0} AS HUGEINT))", "ABS(CAST({0} AS NUMERIC))"
    return narrow(compose(Type.INTEGER, "ABS({0})", term, duckdb=duckdb, postgres=postgres, binding=ATOM))


def narrow_number(template: str) -> tuple[str, str]:
    """Return a template of double precision rounded to 64 bits, for DuckDB and for PostgreSQL.

    What does not fit, or is not finite, is null.
    """
    low, high = (f"CAST({bound} AS DOUBLE PRECISION)" for bound in (_TOO_LOW_NUMBER, _TOO_HIGH))
    return f"TRY_CAST({template} AS BIGINT)", _narrow(template, low, high)


def _narrow(sql: str, too_low: str, too_high: str) -> str:
    """PostgreSQL has no TRY_CAST: what does not fit becomes one of two bounds, and the bounds become null.

    LEAST and GREATEST leave nulls out, so a null becomes a bound as well; of NaN, LEAST takes the bound.
    """
    bounded = f"GREATEST(LEAST({sql}, {too_high}), {too_low})"
    return f"CAST(NULLIF(NULLIF({bounded}, {too_high}), {too_low}) AS BIGINT)"
