"""The functions that expressions may use. Each is pure, defined on every row, and the same in DuckDB and PostgreSQL.

Where the two differ, the SQL templates make them equal, or an argument must be a literal, so that the cases in which
they differ can be refused: a position below 1, a negative count, an empty delimiter. Regular expressions only say
whether they match (`matching`), because RE2 and POSIX find different parts of a text. ``round`` with a number of digits
is left out, because it rounds doubles differently. ``lower``, ``upper`` and ``ILIKE`` agree on ASCII only; on other
characters PostgreSQL follows the locale of the database.
"""

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from puppylog.model.expression.conversion import as_number, as_text, byte_order, coerce, common_type, of_type
from puppylog.model.expression.matching import ELSEWHERE, any_regexp_like, label_like, regexp_like
from puppylog.model.expression.overflow import absolute_whole
from puppylog.model.expression.term import Accept, Term, TermError, Type, accept_each, compose
from puppylog.model.severity import number_sql

UNITS = ("second", "minute", "hour", "day", "week", "month", "quarter", "year")
"""The units that ``date_trunc`` accepts. It truncates in UTC."""

FIELDS = ("year", "quarter", "month", "week", "day", "dow", "isodow", "doy", "hour", "minute")
"""The fields that ``extract`` accepts. Their values are in UTC."""


def _whole(least: int) -> Accept:
    def accept(term: Term) -> Term:
        if not isinstance(term.literal, int) or term.literal < least:
            raise TermError(f"this must be a literal integer of at least {least}")
        return term

    return accept


def _delimiter(term: Term) -> Term:
    if not isinstance(term.literal, str) or not term.literal:
        raise TermError("a delimiter must be a literal text of at least one character")
    return term


def _written(term: Term) -> Term:
    if not isinstance(term.literal, str):
        raise TermError("this must be a literal text, so that the length of the result is known")
    return term


def _unit(term: Term) -> Term:
    if term.literal not in UNITS:
        raise TermError(f"a unit is one of {', '.join(UNITS)}")
    return term


_TEXT, _NUMBER, _INTEGER = of_type(Type.TEXT), of_type(Type.NUMBER), of_type(Type.INTEGER)
_COUNT, _POSITION = _whole(0), _whole(1)


@dataclass(frozen=True, slots=True)
class Form:
    """One form of a function, with as many arguments as ``takes`` has. The SQL templates are those of `compose`."""

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
    "severity_number": (Form((_TEXT,), Type.INTEGER, sql=f"CAST({number_sql('{0}')} AS BIGINT)"),),
    "split_part": (Form((_TEXT, _delimiter, _POSITION), Type.TEXT),),
    "starts_with": (Form((_TEXT, _TEXT), Type.BOOLEAN),),
    "strpos": (Form((_TEXT, _TEXT), Type.INTEGER),),
    "substr": (Form((_TEXT, _POSITION), Type.TEXT), Form((_TEXT, _POSITION, _COUNT), Type.TEXT)),
    "substring": (Form((_TEXT, _POSITION), Type.TEXT), Form((_TEXT, _POSITION, _COUNT), Type.TEXT)),
    "trim": (Form((_TEXT,), Type.TEXT, sql="TRIM({0}, ' ')"), Form((_TEXT, _TEXT), Type.TEXT)),
    "upper": (Form((_TEXT,), Type.TEXT),),
}
"""Functions with a fixed type for each argument."""


def _call(
    name: str, arguments: Sequence[Term], returns: Type, sql: str | None = None, duckdb: str | None = None
) -> Term:
    call = f"{name.upper()}({', '.join(f'{{{i}}}' for i in range(len(arguments)))})"
    return compose(returns, call, *arguments, sql=sql, duckdb=duckdb)


def _abs(arguments: Sequence[Term]) -> Term:
    argument = as_number(arguments[0])
    if argument.type is Type.NUMBER:
        return _call("abs", [argument], Type.NUMBER)
    return absolute_whole(coerce(argument, Type.INTEGER))


def _concat(arguments: Sequence[Term]) -> Term:
    return _call("concat", accept_each([as_text] * len(arguments), arguments), Type.TEXT)


def _same(name: str) -> Callable[[Sequence[Term]], Term]:
    """Return a function whose arguments and result have one common type."""

    def call(arguments: Sequence[Term]) -> Term:
        type_ = common_type(arguments)
        alike = [coerce(argument, type_) for argument in arguments]
        term = _call(name, [byte_order(term) for term in alike] if name in _ORDERING else alike, type_)
        return replace(term, is_attribute=all(argument.is_attribute for argument in alike))

    return call


_ORDERING = frozenset({"greatest", "least"})
MIXED: dict[str, tuple[int, int, Callable[[Sequence[Term]], Term]]] = {
    "abs": (1, 1, _abs),
    "any_regexp_like": (1, 1, any_regexp_like),
    "coalesce": (1, 99, _same("coalesce")),
    "concat": (1, 99, _concat),
    "greatest": (1, 99, _same("greatest")),
    "least": (1, 99, _same("least")),
    "nullif": (2, 2, _same("nullif")),
    "regexp_like": (2, 2, regexp_like),
    **{name: (1, 1, make) for name, make in ELSEWHERE.items()},
    "label_like": (2, 2, label_like),
}
"""Functions with arguments of several types: the least and the greatest number of arguments, and the call."""

NAMES = (*FORMS, *MIXED)
_AGGREGATES = frozenset(
    {"array_agg", "avg", "count", "first", "last", "max", "median", "min", "mode", "stddev", "string_agg", "sum"}
)


def check_name(name: str) -> None:
    """Raise TermError if there is no function ``name``."""
    if name in _AGGREGATES:
        raise TermError("an aggregate is not allowed; the statistic of the metric is one")
    if name not in NAMES:
        raise TermError(f"there is no such function; the nearest known one is {nearest(name, NAMES)}")


def call(name: str, arguments: Sequence[Term]) -> Term:
    """Return a call of the function ``name``, which `check_name` has accepted.

    Raises:
        TermError: the number or the type of the arguments is wrong.
    """
    if name in MIXED:
        least, most, make = MIXED[name]
        if least <= len(arguments) <= most:
            return make(arguments)
        wanted = str(least) if least == most else "one or more"
        raise TermError(f"{name} takes {wanted} argument{'' if wanted == '1' else 's'}, not {len(arguments)}")
    for form in FORMS[name]:
        if len(form.takes) == len(arguments):
            return _call(name, accept_each(form.takes, arguments), form.returns, form.sql, form.duckdb)
    wanted = " or ".join(str(len(form.takes)) for form in FORMS[name])
    raise TermError(f"{name} takes {wanted} argument{'' if wanted == '1' else 's'}, not {len(arguments)}")


def nearest(name: str, known: Sequence[str]) -> str:
    """Return the name in ``known`` that is most similar to ``name``."""
    return difflib.get_close_matches(name, known, n=1, cutoff=0)[0]
