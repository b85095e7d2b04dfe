"""sqlglot's trees: parsing a text into one, and the position of a node in the text."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, TypeAlias

from sqlglot import exp
from sqlglot.dialects.postgres import Postgres
from sqlglot.parsers.postgres import PostgresParser
from sqlglot.tokenizer_core import Token, TokenType

from puppylog.model.expression.term import TermError

Node: TypeAlias = exp.Expr


class ExpressionDialect(Postgres):
    """PostgreSQL's expressions, in which sqlglot translates no function: a call keeps its name."""

    class Parser(PostgresParser):
        FUNCTIONS: ClassVar[dict[str, Callable[..., Any]]] = {}
        FUNCTION_PARSERS: ClassVar = {
            name: parser for name, parser in PostgresParser.FUNCTION_PARSERS.items() if name in {"CAST", "EXTRACT"}
        }
        NO_PAREN_FUNCTIONS: ClassVar[dict[TokenType, Any]] = {}
        LAMBDAS: ClassVar[dict[TokenType, Any]] = {}  # an arrow in an argument is an access to a key, not a lambda
        NO_PAREN_FUNCTION_PARSERS: ClassVar = {"CASE": PostgresParser.NO_PAREN_FUNCTION_PARSERS["CASE"]}


_DIALECT = ExpressionDialect()


def tokenize(text: str) -> list[Token]:
    """Return the tokens of ``text``.

    Raises:
        TokenError: of sqlglot, for a quote or comment that is not closed.
    """
    return _DIALECT.tokenize(text)


def parse_tree(tokens: list[Token], text: str) -> Node | None:
    """Return the tree of one expression; None for an empty text.

    Raises:
        ParseError: of sqlglot.
        RecursionError: the expression is nested too deep.
    """
    trees = _DIALECT.parser().parse_into(exp.Condition, tokens, text)
    return trees[0] if trees else None


class NodeError(Exception):
    """A node that is not allowed, and why."""

    def __init__(self, node: Node, cause: str) -> None:
        super().__init__(cause)
        self.node = node
        self.cause = cause


@contextmanager
def locate_errors(node: Node, *arguments: Node) -> Iterator[None]:
    """Turn a TermError into a NodeError at ``node``, or at the argument whose index the error has."""
    try:
        yield
    except TermError as error:
        wrong = node if error.argument is None else arguments[error.argument]
        raise NodeError(wrong, error.cause) from None


def describe(node: Node) -> str:
    """Return the name of a kind of node, for the message that refuses it."""
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
    """Return start and end of ``node`` in the text, in characters; None if sqlglot kept no position."""
    positions = [found.meta for found in node.walk() if "start" in found.meta]
    if not positions:
        return span(node.parent) if node.parent else None
    return min(position["start"] for position in positions), max(position["end"] for position in positions) + 1
