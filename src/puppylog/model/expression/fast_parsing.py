"""Reads common expressions without sqlglot, which takes 70 ms of CPU and 9 MB of memory to load.

`parse_fast` knows the few forms that `model.query.translation` writes, and calls of common functions: an engine
needs sqlglot for unusual metrics only. It gives the same terms as `parsing`, because it calls the same functions. Every
other text, and every text with a fault, is left to `parsing`.
"""

import re
from collections.abc import Sequence
from typing import Final, NoReturn

from puppylog.model.expression.attribute import KEY, attribute_term, column_term
from puppylog.model.expression.conversion import as_text, cast, coerce, common_type, of_type
from puppylog.model.expression.operator import compare, infix, negate, predicate
from puppylog.model.expression.term import AND, OR, SIGN, Term, TermError, Type, accept_each, compose, text_term
from puppylog.model.record import REJECT_COLUMNS

_TOKEN: Final = re.compile(r" *('(?:[^']|'')*'|[A-Za-z_][A-Za-z0-9_]*|[0-9]+(?:\.[0-9]+)?|->>|->|<>|<=|>=|[=<>(),-])")
_SEARCHES: Final = frozenset({"SOURCE_LIKE", "GROUP_LIKE", "FILE_LIKE", "LABEL_LIKE", "LINE_LIKE"})
_FUNCTIONS: Final = _SEARCHES | {
    *("ANY_REGEXP_LIKE", "COALESCE", "CONCAT", "LENGTH", "LOWER", "NULLIF", "REGEXP_LIKE", "REPLACE"),
    *("SEVERITY_NUMBER", "SPLIT_PART", "STARTS_WITH", "SUBSTR", "UPPER"),
}
# Names that only a search may use. `parsing` says what is wrong with them in a metric.
_NOT_KEPT: Final = _SEARCHES | REJECT_COLUMNS
_COMPARISONS: Final = frozenset({"=", "<>", "<", "<=", ">", ">="})
_TYPES: Final = {"TEXT": Type.TEXT, "TIMESTAMPTZ": Type.TIMESTAMPTZ, "DOUBLE": Type.NUMBER}
_MAX_LENGTH: Final = 8000
# Well below the depth that `parsing` allows, which counts other nodes, too.
_MAX_DEPTH: Final = 5
_MAX_WHOLE: Final = 15  # digits


class _UnknownError(Exception):
    """The text has a form that this module does not know."""


def parse_fast(text: str) -> Term | None:
    """Return the term of an expression; None if `parsing` must read the text."""
    try:
        return _read(_split(text))
    except (_UnknownError, TermError):
        return None


def read_conjuncts(text: str) -> Sequence[Term] | None:
    """Return the terms that must all be true for an expression to be true; None if `parsing` must read the text."""
    try:
        return _Reader(_split(text)).conjuncts()
    except (_UnknownError, TermError):
        return None


def parse_segment_fast(text: str) -> Term | None:
    """Return the term of a segment, as text; None if `parsing` must read the segment."""
    try:
        tokens = _split(text)
        return None if _NOT_KEPT.intersection(tokens) else as_text(_read(tokens))
    except (_UnknownError, TermError):
        return None


def _read(tokens: Sequence[str]) -> Term:
    reader = _Reader(tokens)
    term = reader.condition(0)
    reader.expect("")
    return term if len(term.canonical) <= _MAX_LENGTH else _give_up()


def _split(text: str) -> list[str]:
    if len(text) > _MAX_LENGTH:
        _give_up()
    tokens, at = [], 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise _UnknownError
        tokens.append(found[1])
        at = found.end()
    return [*tokens, ""]


class _Reader:
    """Reads tokens from left to right, with a method for each form."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens, self._at = tokens, 0

    @property
    def _next(self) -> str:
        return self._tokens[self._at]

    def _take(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1]

    def expect(self, *tokens: str) -> None:
        for token in tokens:
            if self._take() != token:
                _give_up()

    def conjuncts(self) -> list[Term]:
        terms = [self._test(0)]
        while self._next == "AND":
            self._take()
            terms.append(self._test(0))
        if self._next == "OR":
            self._at = 0
            terms = [self.condition(0)]
        self.expect("")
        return [coerce(term, Type.BOOLEAN) for term in terms]

    def condition(self, depth: int) -> Term:
        if depth > _MAX_DEPTH:
            _give_up()
        left = self._all_of(depth)
        while self._next == "OR":
            self._take()
            left = _join("OR", left, self._all_of(depth), OR)
        return left

    def _all_of(self, depth: int) -> Term:
        left = self._test(depth)
        while self._next == "AND":
            self._take()
            left = _join("AND", left, self._test(depth), AND)
        return left

    def _test(self, depth: int) -> Term:
        if self._next == "NOT":
            self._take()
            return negate(coerce(self._test(depth + 1), Type.BOOLEAN))
        if self._next == "(":
            self._take()
            inner = self.condition(depth + 1)
            self.expect(")")
            return inner
        left = self._value(depth)
        if self._next in _COMPARISONS:
            operator, right = self._take(), self._value(depth)
            type_ = common_type([left, right])
            return compare(operator, *accept_each([of_type(type_)] * 2, [left, right]))
        if self._next == "IS":
            self.expect("IS", "NOT", "NULL")
            return predicate("{0} IS NOT NULL", [left])
        return left

    def _value(self, depth: int) -> Term:
        word = self._take()
        if word.startswith("'"):
            return text_term(_unquote(word))
        if word == "-":
            number = _number(self._take())
            return compose(number.type, "-{0}", number.operand(SIGN + 1), sql="(-{0})", binding=SIGN)
        if word in _FUNCTIONS:
            return self._call(word.lower(), depth)
        match word:
            case "TRUE" | "FALSE":
                term = compose(Type.BOOLEAN, word)
            case "TIMESTAMPTZ":
                term = cast(text_term(_unquote(self._take())), Type.TIMESTAMPTZ)
            case "CAST":
                term = self._cast(depth)
            case "attributes":
                term = self._attribute()
            case _:
                term = column_term(word) or _number(word)
        return term

    def _cast(self, depth: int) -> Term:
        self.expect("(")
        term = self._argument(depth)
        self.expect("AS")
        name = self._take()
        if name == "DOUBLE":
            self.expect("PRECISION")
        self.expect(")")
        return cast(term, _TYPES[name]) if name in _TYPES else _give_up()

    def _call(self, name: str, depth: int) -> Term:
        self.expect("(")
        arguments = [self._argument(depth)]
        while self._next == ",":
            self._take()
            arguments.append(self._argument(depth))
        self.expect(")")
        from puppylog.model.expression.function import call  # noqa: PLC0415 - a comparison of numbers calls none

        return call(name, arguments)

    def _argument(self, depth: int) -> Term:
        return self.condition(depth + 1)

    def _attribute(self) -> Term:
        keys = []
        while self._next in {"->", "->>"}:
            is_last = self._take() == "->>"
            keys.append(_unquote(self._take()))
            if not KEY.fullmatch(keys[-1]):
                _give_up()
            if is_last:
                return attribute_term(keys)
        return _give_up()


def _number(digits: str) -> Term:
    if len(digits) > _MAX_WHOLE or not digits[:1].isdigit():
        _give_up()
    if digits.isdigit():
        whole = int(digits)
        return Term(Type.INTEGER, str(whole), str(whole), str(whole), literal=whole)
    value = float(digits)
    return compose(Type.NUMBER, repr(value), sql=f"CAST({value!r} AS DOUBLE PRECISION)")


def _join(operator: str, left: Term, right: Term, binding: int) -> Term:
    terms = (left.operand(binding), right.operand(binding + 1))
    return infix(operator, accept_each([of_type(Type.BOOLEAN)] * 2, terms), Type.BOOLEAN, binding)


def _unquote(literal: str) -> str:
    return literal[1:-1].replace("''", "'") if literal.startswith("'") else _give_up()


def _give_up() -> NoReturn:
    raise _UnknownError
