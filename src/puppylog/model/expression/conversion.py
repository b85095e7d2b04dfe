"""Conversions from one type to another: implicit ones, explicit casts, and the SQL of both.

A conversion has the same result on every store and fails on no row: a text that is not a number becomes null.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import NamedTuple

from puppylog.model.expression.overflow import narrow_number
from puppylog.model.expression.term import ATOM, Accept, Dialect, Term, TermError, Type, quote

# A text becomes a number only if a double can hold all its digits. Any other text becomes null on every store, so that
# no log line makes an expression fail.
WHOLE_PATTERN = "^[+-]?[0-9]{1,15}$"
# No group captures: PostgreSQL would return the first group instead of the whole.
NUMBER_PATTERN = "^[+-]?(?:[0-9]{1,15}(?:[.][0-9]{0,15})?|[.][0-9]{1,15})(?:[eE]-[0-9]{1,2})?$"


def instant_term(text: str) -> Term:
    """Return a literal of type timestamptz from a text in ISO 8601. An instant without an offset is in UTC.

    Raises:
        TermError: the text is not an instant.
    """
    try:
        instant = datetime.fromisoformat(text)
        instant = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise TermError("it is not an instant; write it like timestamptz '2015-05-17 10:05:00+00'") from None
    sql = f"CAST({quote(instant.isoformat(' '))} AS TIMESTAMPTZ)"
    return Term(Type.TIMESTAMPTZ, sql, sql, sql)


def date_term(text: str) -> Term:
    try:
        sql = f"CAST({quote(date.fromisoformat(text).isoformat())} AS DATE)"
    except ValueError:
        raise TermError("it is not a date; write it like date '2015-05-17'") from None
    return Term(Type.DATE, sql, sql, sql)


def _converted(term: Term, type_: Type, duckdb: str, postgres: str | None = None) -> Term:
    """Return the term converted by SQL for the stores. The canonical text is unchanged: the conversion is implicit."""
    return replace(
        term, type=type_, duckdb=duckdb.format(term.duckdb), postgres=(postgres or duckdb).format(term.postgres)
    )


def coerce(term: Term, wanted: Type) -> Term:
    """Return the term converted to type ``wanted``, if the conversion is implicit.

    An attribute becomes a number where one is needed. The canonical text then has the cast.

    Raises:
        TermError: the conversion needs a cast, or is impossible.
    """
    match term.type, wanted:
        case have, _ if have is wanted:
            return term
        case Type.NULL, _:
            return _converted(term, wanted, f"CAST({{0}} AS {wanted.upper()})")
        case Type.INTEGER, Type.NUMBER:
            return _converted(term, wanted, "CAST({0} AS DOUBLE PRECISION)")
        case Type.DATE, Type.TIMESTAMPTZ:
            return _converted(term, wanted, "(CAST({0} AS TIMESTAMP) AT TIME ZONE 'UTC')")
        case Type.TEXT, Type.NUMBER | Type.INTEGER if term.is_attribute:
            return cast(term, wanted)
        case Type.TEXT, Type.TIMESTAMPTZ | Type.DATE if isinstance(term.literal, str):
            return instant_term(term.literal) if wanted is Type.TIMESTAMPTZ else date_term(term.literal)
    raise TermError(f"{wanted} is needed here, but this is {term.type}")


def of_type(type_: Type) -> Accept:
    return lambda term: coerce(term, type_)


def as_text(term: Term) -> Term:
    """Return the term converted to text, the same text on every store (for numbers below 1e15).

    Raises:
        TermError: the term is a time, whose text depends on settings of the store, or an interval.
    """
    match term.type:
        case Type.TEXT | Type.NULL:
            return coerce(term, Type.TEXT)
        case Type.INTEGER | Type.BOOLEAN:
            return _converted(term, Type.TEXT, "CAST({0} AS TEXT)")
        case Type.NUMBER:  # DuckDB writes 4.0 where PostgreSQL writes 4
            return _converted(term, Type.TEXT, "REGEXP_REPLACE(CAST({0} AS TEXT), '[.]0$', '')", "CAST({0} AS TEXT)")
    raise TermError(f"{term.type} cannot become text")


def as_number(term: Term, wanted: Type = Type.NUMBER) -> Term:
    """Return an attribute as a number, a double unless ``wanted`` is another type; any other term unchanged."""
    return coerce(term, wanted) if term.is_attribute else term


def byte_order(term: Term) -> Term:
    """Return the term so that PostgreSQL compares its text by bytes, as DuckDB does, and not by the locale."""
    return replace(term, postgres=f'({term.postgres} COLLATE "C")') if term.type is Type.TEXT else term


_INTERVALS = "an interval can only be added to an instant, or taken from one"
_NUMBERS = {Type.INTEGER, Type.NUMBER}
_TIMES = {Type.DATE, Type.TIMESTAMPTZ}


def common_type(terms: Sequence[Term]) -> Type:
    """Return the type that all ``terms`` can be coerced to; text if all are null.

    Raises:
        TermError: there is no such type.
    """
    types = {term.type for term in terms} - {Type.NULL}
    if Type.INTERVAL in types:
        raise TermError(_INTERVALS)
    if not types:
        return Type.TEXT
    if len(types) == 1:
        return types.pop()
    if types <= _NUMBERS:
        return Type.NUMBER
    times = types & _TIMES
    if (
        times
        and types <= {*_TIMES, Type.TEXT}
        and all(isinstance(t.literal, str) for t in terms if t.type is Type.TEXT)
    ):
        return Type.TIMESTAMPTZ if Type.TIMESTAMPTZ in times else Type.DATE
    raise TermError(f"{' and '.join(sorted(types))} cannot be combined; cast one of them")


class _Cast(NamedTuple):
    duckdb: str
    postgres: str


def _both(sql: str) -> _Cast:
    return _Cast(sql, sql)


def _matched(pattern: str, sql_type: str) -> _Cast:
    """Return a cast of the text if it matches ``pattern``, to null otherwise.

    The operand occurs once in the SQL. If it occurred twice, n nested casts would repeat it 2^n times.
    """
    literal = quote(pattern).replace("{", "{{").replace("}", "}}")
    return _Cast(
        f"TRY_CAST(REGEXP_EXTRACT({{0}}, {literal}) AS {sql_type})",
        f"CAST(SUBSTRING({{0}} FROM {literal}) AS {sql_type})",
    )


_WORDS = {"TRUE": ("true", "t", "yes", "y", "on", "1"), "FALSE": ("false", "f", "no", "n", "off", "0")}
_WHENS = "".join(f" WHEN '{word}' THEN {value}" for value, words in _WORDS.items() for word in words)
_CASTS = {
    (Type.TEXT, Type.INTEGER): _matched(WHOLE_PATTERN, "BIGINT"),
    (Type.TEXT, Type.NUMBER): _matched(NUMBER_PATTERN, "DOUBLE PRECISION"),
    (Type.TEXT, Type.BOOLEAN): _both(f"(CASE LOWER({{0}}){_WHENS} END)"),
    (Type.NUMBER, Type.INTEGER): _Cast(*narrow_number("{0}")),
    (Type.INTEGER, Type.BOOLEAN): _both("({0} <> 0)"),
    (Type.BOOLEAN, Type.INTEGER): _both("CAST(CAST({0} AS INTEGER) AS BIGINT)"),
    (Type.TIMESTAMPTZ, Type.DATE): _both("CAST({0} AT TIME ZONE 'UTC' AS DATE)"),
}
"""Explicit casts that `coerce` and `as_text` do not make."""


def cast(term: Term, wanted: Type) -> Term:
    """Return ``CAST(term AS wanted)``.

    Raises:
        TermError: no cast from the term's type to ``wanted`` has the same result on every store.
    """
    written_out = isinstance(term.literal, str) and wanted in _TIMES
    if written_out:
        return coerce(term, wanted)
    if wanted is Type.TEXT:
        converted = as_text(term)
    elif (term.type, wanted) in _CASTS:
        converted = replace(_converted(term, wanted, *_CASTS[term.type, wanted]), is_attribute=False)
    elif term.type is Type.TEXT and wanted in _TIMES:
        raise TermError(f"only a literal text can become {wanted}")
    else:
        converted = coerce(term, wanted)
    return replace(converted, canonical=f"CAST({term.canonical} AS {wanted.upper()})", binding=ATOM, literal=None)


def render_number(sql: str, dialect: Dialect) -> str:
    """Return the SQL of the number that the text ``sql`` is; null if the text is not a number."""
    number = cast(Term(Type.TEXT, sql, sql, sql), Type.NUMBER)
    return number.duckdb if dialect == "duckdb" else number.postgres
