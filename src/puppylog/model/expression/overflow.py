"""Arithmetic on integers. A result beyond 64 bits is null on every store, so that no log line makes a query fail.

Integers are computed in a wider type, HUGEINT in DuckDB and NUMERIC in PostgreSQL, and then narrowed to 64 bits: a sum
of any length once, at its end, and a product after each factor. The SQL of an operation contains each operand once. If
it contained an operand twice, n nested operations would repeat it 2^n times.
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
    """Return an integer of the wider type as one of 64 bits; null if it does not fit."""
    postgres = _narrow(wide.postgres, str(_TOO_LOW), str(_TOO_HIGH))
    return replace(wide, duckdb=f"TRY_CAST({wide.duckdb} AS BIGINT)", postgres=postgres)


def add_whole(operator: str, terms: Sequence[Term], *, is_wide: bool) -> Term:
    """Return the sum or the difference in the wider type. ``is_wide``: the first operand has the wider type already."""
    text = f"{{0}} {operator} {{1}}"
    if is_wide:
        return compose(Type.INTEGER, text, *terms, sql=f"({text})", binding=SUM)
    duckdb, postgres = (f"(CAST({{0}} AS {wide}) {operator} {{1}})" for wide in ("HUGEINT", "NUMERIC"))
    return compose(Type.INTEGER, text, *terms, duckdb=duckdb, postgres=postgres, binding=SUM)


def multiply_whole(operator: str, terms: Sequence[Term]) -> Term:
    """Return the product, the quotient as an integer, or the remainder. A divisor of zero gives null.

    A remainder always fits into 64 bits. So does a quotient, except that of -2^63 and -1.
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
    """Return the SQL that rounds ``template``, a double, to an integer of 64 bits, for DuckDB and for PostgreSQL.

    A number that does not fit or is not finite gives null.
    """
    low, high = (f"CAST({bound} AS DOUBLE PRECISION)" for bound in (_TOO_LOW_NUMBER, _TOO_HIGH))
    return f"TRY_CAST({template} AS BIGINT)", _narrow(template, low, high)


def _narrow(sql: str, too_low: str, too_high: str) -> str:
    """Return PostgreSQL's SQL for a cast to BIGINT that gives null if ``sql`` does not fit.

    PostgreSQL has no TRY_CAST. A value that does not fit is replaced by one of two bounds, and each bound by null.
    LEAST and GREATEST ignore null and sort NaN last, so that null and NaN become a bound, too.
    """
    bounded = f"GREATEST(LEAST({sql}, {too_high}), {too_low})"
    return f"CAST(NULLIF(NULLIF({bounded}, {too_high}), {too_low}) AS BIGINT)"
