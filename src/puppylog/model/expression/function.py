"""The functions that expressions may use: pure, defined on every row, and of one meaning in DuckDB and PostgreSQL.

What the two do differently is ironed out in the templates, or ruled out by asking for an argument that is written out:
a position below 1, a negative count, an empty delimiter. Left out for want of agreement: regular expressions (RE2 and
POSIX find different matches) and ``round`` to digits (of a double, they round different numbers). ``lower``, ``upper``
and ``ILIKE`` agree on ASCII; beyond it PostgreSQL follows the locale of its database.
"""

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from puppylog.model.expression.conversion import as_text, byte_order, coerce, common_type, of_type
from puppylog.model.expression.overflow import absolute_whole
from puppylog.model.expression.term import Accept, Offence, Term, Type, accept_each, compose

UNITS = ("second", "minute", "hour", "day", "week", "month", "quarter", "year")
"""What ``date_trunc`` may cut an instant to, in UTC."""

FIELDS = ("year", "quarter", "month", "week", "day", "dow", "isodow", "doy", "hour", "minute")
"""What ``extract`` may take from an instant, in UTC."""


def _whole(least: int) -> Accept:
    def accept(term: Term) -> Term:
        if not isinstance(term.literal, int) or term.literal < least:
            raise Offence(f"a whole number from {least} on, written out, is wanted here")
        return term

    return accept


def _delimiter(term: Term) -> Term:
    if not isinstance(term.literal, str) or not term.literal:
        raise Offence("a delimiter is a text of at least one character, written out")
    return term


def _written(term: Term) -> Term:
    if not isinstance(term.literal, str):
        raise Offence("a text that is written out is wanted here, so that the length of the result is known")
    return term


def _unit(term: Term) -> Term:
    if term.literal not in UNITS:
        raise Offence(f"a unit is one of {', '.join(UNITS)}")
    return term


_TEXT, _NUMBER, _INTEGER = of_type(Type.TEXT), of_type(Type.NUMBER), of_type(Type.INTEGER)
_COUNT, _POSITION = _whole(0), _whole(1)


@dataclass(frozen=True, slots=True)
class Form:
    """One form of a function, for as many arguments as ``takes`` has. Texts as in `compose`."""

    takes: tuple[Accept, ...]
    returns: Type
    sql: str | None = None
    duckdb: str | None = None


_TRUNCATED = "(DATE_TRUNC({0}, {1} AT TIME ZONE 'UTC') AT TIME ZONE 'UTC')"
FORMS: dict[str, tuple[Form, ...]] = {
    "ceil": (Form((_NUMBER,), Type.NUMBER),),
    "date_trunc": (Form((_unit, of_type(Type.TIMESTAMPTZ)), Type.TIMESTAMPTZ, sql=_TRUNCATED),),
    "floor": (Form((_NUMBER,), Type.NUMBER),),
    "left": (Form((_TEXT, _COUNT), Type.TEXT),),
    "length": (Form((_TEXT,), Type.INTEGER),),
    "lower": (Form((_TEXT,), Type.TEXT),),
    "ltrim": (Form((_TEXT,), Type.TEXT, sql="LTRIM({0}, ' ')"), Form((_TEXT, _TEXT), Type.TEXT)),
    "mod": (Form((_INTEGER, _INTEGER), Type.INTEGER, sql="({0} % NULLIF({1}, 0))"),),
    "replace": (Form((_TEXT, _written, _written), Type.TEXT),),
    "right": (Form((_TEXT, _COUNT), Type.TEXT),),
    "round": (Form((_NUMBER,), Type.NUMBER, duckdb="ROUND_EVEN({0}, 0)"),),  # PostgreSQL rounds a double to even
    "rtrim": (Form((_TEXT,), Type.TEXT, sql="RTRIM({0}, ' ')"), Form((_TEXT, _TEXT), Type.TEXT)),
    "split_part": (Form((_TEXT, _delimiter, _POSITION), Type.TEXT),),
    "starts_with": (Form((_TEXT, _TEXT), Type.BOOLEAN),),
    "strpos": (Form((_TEXT, _TEXT), Type.INTEGER),),
    "substr": (Form((_TEXT, _POSITION), Type.TEXT), Form((_TEXT, _POSITION, _COUNT), Type.TEXT)),
    "substring": (Form((_TEXT, _POSITION), Type.TEXT), Form((_TEXT, _POSITION, _COUNT), Type.TEXT)),
    "trim": (Form((_TEXT,), Type.TEXT, sql="TRIM({0}, ' ')"), Form((_TEXT, _TEXT), Type.TEXT)),
    "upper": (Form((_TEXT,), Type.TEXT),),
}
"""Functions whose arguments each have a type of their own."""


def _call(
    name: str, arguments: Sequence[Term], returns: Type, sql: str | None = None, duckdb: str | None = None
) -> Term:
    call = f"{name.upper()}({', '.join(f'{{{i}}}' for i in range(len(arguments)))})"
    return compose(returns, call, *arguments, sql=sql, duckdb=duckdb)


def _abs(arguments: Sequence[Term]) -> Term:
    if arguments[0].type is Type.NUMBER:
        return _call("abs", arguments, Type.NUMBER)
    return absolute_whole(coerce(arguments[0], Type.INTEGER))


def _concat(arguments: Sequence[Term]) -> Term:
    return _call("concat", accept_each([as_text] * len(arguments), arguments), Type.TEXT)


def _same(name: str) -> Callable[[Sequence[Term]], Term]:
    """Make a function whose arguments and result are all of one type."""

    def call(arguments: Sequence[Term]) -> Term:
        type_ = common_type(arguments)
        alike = [coerce(argument, type_) for argument in arguments]
        return _call(name, [byte_order(term) for term in alike] if name in _ORDERING else alike, type_)

    return call


_ORDERING = frozenset({"greatest", "least"})
MIXED: dict[str, tuple[int, int, Callable[[Sequence[Term]], Term]]] = {
    "abs": (1, 1, _abs),
    "coalesce": (1, 99, _same("coalesce")),
    "concat": (1, 99, _concat),
    "greatest": (1, 99, _same("greatest")),
    "least": (1, 99, _same("least")),
    "nullif": (2, 2, _same("nullif")),
}
"""Functions of arguments of any type, with the least and the greatest number of arguments."""

NAMES = (*FORMS, *MIXED)
_AGGREGATES = frozenset(
    {"array_agg", "avg", "count", "first", "last", "max", "median", "min", "mode", "stddev", "string_agg", "sum"}
)


def check_name(name: str) -> None:
    """Raises Offence if there is no function ``name``."""
    if name in _AGGREGATES:
        raise Offence("an aggregate is not allowed; the statistic of the metric is one")
    if name not in NAMES:
        raise Offence(f"there is no such function; the nearest known one is {nearest(name, NAMES)}")


def call(name: str, arguments: Sequence[Term]) -> Term:
    """Return the call of a function that there is.

    Raises:
        Offence: it does not take these arguments.
    """
    if name in MIXED:
        least, most, make = MIXED[name]
        if least <= len(arguments) <= most:
            return make(arguments)
        wanted = str(least) if least == most else "one or more"
        raise Offence(f"{name} does not take {len(arguments)} arguments but {wanted}")
    for form in FORMS[name]:
        if len(form.takes) == len(arguments):
            return _call(name, accept_each(form.takes, arguments), form.returns, form.sql, form.duckdb)
    wanted = " or ".join(str(len(form.takes)) for form in FORMS[name])
    raise Offence(f"{name} does not take {len(arguments)} arguments but {wanted}")


def nearest(name: str, known: Sequence[str]) -> str:
    """Return the one of ``known`` that looks most like ``name``."""
    return difflib.get_close_matches(name, known, n=1, cutoff=0)[0]
