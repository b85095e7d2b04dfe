"""sqlglot's trees as they are used here: how one is grown from a text, and where a node of one stands in it."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, TypeAlias

from sqlglot import exp
from sqlglot.dialects.postgres import Postgres
from sqlglot.parsers.postgres import PostgresParser
from sqlglot.tokenizer_core import Token, TokenType

from puppylog.model.expression.term import Offence

Node: TypeAlias = exp.Expr


class Words(Postgres):
    """PostgreSQL's expressions, but no function that sqlglot would translate: calls keep the name they came with."""

    class Parser(PostgresParser):
        FUNCTIONS: ClassVar[dict[str, Callable[..., Any]]] = {}
        FUNCTION_PARSERS: ClassVar = {
            name: parser for name, parser in PostgresParser.FUNCTION_PARSERS.items() if name in {"CAST", "EXTRACT"}
        }
        NO_PAREN_FUNCTIONS: ClassVar[dict[TokenType, Any]] = {}
        LAMBDAS: ClassVar[dict[TokenType, Any]] = {}  # an arrow in an argument leads to a key
        NO_PAREN_FUNCTION_PARSERS: ClassVar = {"CASE": PostgresParser.NO_PAREN_FUNCTION_PARSERS["CASE"]}


_WORDS = Words()


def tokenize(text: str) -> list[Token]:
    """Raises sqlglot's TokenError."""
    return _WORDS.tokenize(text)


def grow(tokens: list[Token], text: str) -> Node | None:
    """Return the tree of one expression, None of an empty text. Raises sqlglot's ParseError, or RecursionError."""
    trees = _WORDS.parser().parse_into(exp.Condition, tokens, text)
    return trees[0] if trees else None


class Refusal(Exception):
    """A node that may not be where it is."""

    def __init__(self, node: Node, cause: str) -> None:
        super().__init__(cause)
        self.node = node
        self.cause = cause


@contextmanager
def blaming(node: Node, *arguments: Node) -> Iterator[None]:
    """Turn an offence within into a refusal of ``node``, or of the one of ``arguments`` that the offence names."""
    try:
        yield
    except Offence as offence:
        culprit = node if offence.argument is None else arguments[offence.argument]
        raise Refusal(culprit, offence.cause) from None


def describe(node: Node) -> str:
    """Return what to call a node that has no place in an expression."""
    return _DESCRIPTIONS.get(type(node)) or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(node).__name__).lower()


_DESCRIPTIONS: dict[type[Node], str] = {
    exp.ByteString: "a string with escapes",
    exp.Concat: "a string after a string",
    exp.Distinct: "DISTINCT",
    exp.Kwarg: "a named argument",
    exp.NullSafeEQ: "IS NOT DISTINCT FROM",
    exp.NullSafeNEQ: "IS DISTINCT FROM",
    exp.Placeholder: "a placeholder",
    exp.PropertyEQ: "a named argument",
    exp.RawString: "a string in dollars",
    exp.RegexpLike: "a regular expression",
    exp.Star: "'*'",
    exp.Tuple: "a row of values",
}


def span(node: Node) -> tuple[int, int] | None:
    """Return where the leaves of ``node`` begin and end in the text, or None if sqlglot has not kept it."""
    places = [found.meta for found in node.walk() if "start" in found.meta]
    if not places:
        return span(node.parent) if node.parent else None
    return min(place["start"] for place in places), max(place["end"] for place in places) + 1
