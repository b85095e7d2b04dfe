"""The formula of a derived metric: arithmetic over names of metrics, such as ``errors / total * 100``."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NoReturn, TypeAlias

from puppylog.errors import ExpressionError

MAX_INPUTS: Final = 8
MAX_LENGTH: Final = 1000
MAX_OPERATORS: Final = 100
_MAX_DEPTH: Final = 20
_SHOWN: Final = 60
_TOKEN = re.compile(r"\s*(?:(?P<number>[0-9]+(?:\.[0-9]+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign>[-+*/()]))")
_SUM, _PRODUCT, _SIGN, _ATOM = range(4)  # precedence


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Input:
    name: str


@dataclass(frozen=True, slots=True)
class Negative:
    operand: "Part"


@dataclass(frozen=True, slots=True)
class Operation:
    operator: str
    left: "Part"
    right: "Part"


Part: TypeAlias = Number | Input | Negative | Operation


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula that was parsed.

    Attributes:
        text: the canonical text, without needless parentheses.
        inputs: the names of the metrics in it, each once, in the order of the text.
        input_offsets: where each input first stands in the text that was parsed, in characters from its start.
    """

    text: str
    inputs: tuple[str, ...]
    input_offsets: Mapping[str, int]
    tree: Part

    def render(self, values: Mapping[str, str]) -> str:
        """Return the SQL of the formula. A divisor of zero, and a value that is null, give null.

        Args:
            values: the SQL of the value of each input, in double precision.
        """
        return _render(self.tree, values)


def parse_formula(text: str) -> Formula:
    """Return the formula in ``text``. Its names need not be names of metrics.

    Raises:
        ExpressionError: the text is not a formula; the error says where.
    """
    parser = _Parser(text)
    tree = parser.parse()
    if not parser.input_offsets:
        refuse(text, 0, "it names no metric")
    if len(parser.input_offsets) > MAX_INPUTS:
        at = list(parser.input_offsets.values())[MAX_INPUTS]
        refuse(text, at, f"it names {len(parser.input_offsets)} metrics; at most {MAX_INPUTS} are allowed")
    canonical = _write(tree)
    if len(canonical) > MAX_LENGTH:  # a store keeps it, and must be able to parse it
        refuse(text, 0, f"it is longer than {MAX_LENGTH} characters")
    return Formula(canonical, tuple(parser.input_offsets), parser.input_offsets, tree)


def refuse(text: str, at: int, cause: str, advice: str = "") -> NoReturn:
    """Raise ExpressionError about a formula, with the offset of the fault."""
    shown = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    raise ExpressionError("use", f'formula "{shown}"', cause, advice, written=text, at=at)


class _Parser:
    """Parses a text by recursive descent. A chain of operators of one precedence is read in a loop."""

    def __init__(self, text: str) -> None:
        if len(text) > MAX_LENGTH:
            refuse(text, 0, f"it is longer than {MAX_LENGTH} characters")
        self._text = text
        self._tokens = self._scan()
        self._next = 0
        self._operators = 0
        self.input_offsets: dict[str, int] = {}

    def _scan(self) -> list[tuple[str, str, int]]:
        """Return kind, text and offset of each token."""
        tokens, at = [], 0
        while self._text[at:].strip():
            match = _TOKEN.match(self._text, at)
            if match is None or match.lastgroup is None:
                start = at + len(self._text[at:]) - len(self._text[at:].lstrip())
                refuse(self._text, start, "a formula has names of metrics, numbers, + - * / and parentheses")
            tokens.append((match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
            at = match.end()
        return tokens

    def parse(self) -> Part:
        tree = self._sum(0)
        if self._next < len(self._tokens):
            refuse(self._text, self._tokens[self._next][2], "expected an operator or the end")
        return tree

    def _sum(self, depth: int) -> Part:
        return self._chain("+-", lambda: self._chain("*/", lambda: self._factor(depth)))

    def _chain(self, operators: str, parse: Callable[[], Part]) -> Part:
        left = parse()
        while (sign := self._peek_sign()) and sign in operators:
            self._operators += 1
            if self._operators > MAX_OPERATORS:
                refuse(self._text, self._tokens[self._next][2], f"it has more than {MAX_OPERATORS} operators")
            self._next += 1
            left = Operation(sign, left, parse())
        return left

    def _factor(self, depth: int) -> Part:
        if self._next == len(self._tokens):
            refuse(self._text, len(self._text.rstrip()), "it ends too early: expected a metric or a number")
        kind, text, at = self._tokens[self._next]
        if depth > _MAX_DEPTH:
            refuse(self._text, at, f"it is nested more than {_MAX_DEPTH} deep")
        self._next += 1
        if kind == "number":
            return Number(float(text))
        if kind == "name":
            self.input_offsets.setdefault(text, at)
            return Input(text)
        if text == "-":
            return Negative(self._factor(depth + 1))
        if text != "(":
            refuse(self._text, at, "expected a metric or a number")
        inner = self._sum(depth + 1)
        if self._peek_sign() != ")":
            refuse(self._text, at, "this parenthesis is not closed")
        self._next += 1
        return inner

    def _peek_sign(self) -> str:
        """Return the next token if it is a sign, else the empty text."""
        if self._next == len(self._tokens) or self._tokens[self._next][0] != "sign":
            return ""
        return self._tokens[self._next][1]


def _write(part: Part, least: int = _SUM) -> str:
    """Return the canonical text, in parentheses if its precedence is below ``least``."""
    match part:
        case Number(value):
            return f"{Decimal(repr(value)).normalize():f}"
        case Input(name):
            return name
        case Negative(operand):
            text, binding = f"-{_write(operand, _SIGN + 1)}", _SIGN
        case Operation(operator, left, right):
            binding = _SUM if operator in "+-" else _PRODUCT
            text = f"{_write(left, binding)} {operator} {_write(right, binding + 1)}"
    return text if binding >= least else f"({text})"


def _render(part: Part, values: Mapping[str, str]) -> str:
    match part:
        case Number(value):
            return f"CAST({value!r} AS DOUBLE PRECISION)"
        case Input(name):
            return values[name]
        case Negative(operand):
            return f"(-{_render(operand, values)})"
        case Operation("/", left, right):
            return f"({_render(left, values)} / NULLIF({_render(right, values)}, 0))"
        case Operation(operator, left, right):
            return f"({_render(left, values)} {operator} {_render(right, values)})"
