"""From the text of an expression to its canonical text and to SQL; and whatever is wrong with it, as one line."""

import re
from typing import Literal, TypeAlias

from sqlglot.errors import ParseError, TokenError
from sqlglot.tokenizer_core import Token, TokenType

from puppylog.errors import ExpressionError
from puppylog.model.expression.conversion import as_text, coerce
from puppylog.model.expression.grammar import MAX_DEPTH, judge
from puppylog.model.expression.term import Offence, Term, Type
from puppylog.model.expression.tree import Node, Refusal, grow, span, tokenize

Dialect: TypeAlias = Literal["duckdb", "postgres"]

MAX_LENGTH = 1000
# Canonical text says in full what people may abbreviate, such as x::int or an instant.
MAX_CANONICAL_LENGTH = 8 * MAX_LENGTH
_SHOWN = 60
_CLOSED = re.compile(r"""(?:[^'"]|'[^']*'|"[^"]*")*""")


class _Complaint(Exception):
    """What is wrong, and from where to where."""

    def __init__(self, cause: str, start: int = 0, end: int = 0) -> None:
        super().__init__(cause)
        self.cause = cause
        self.start = start
        self.end = end


def parse_segment(text: str) -> str:
    """Return the canonical text of a segment expression: one whose value can be written as text.

    Raises:
        ExpressionError: it is not one, or uses what is not allowed; the message says what and where.
    """
    return _parse(text, "segment")


def parse_filter(text: str) -> str:
    """Return the canonical text of a filter expression: a condition.

    Raises:
        ExpressionError: as `parse_segment`.
    """
    return _parse(text, "filter")


def render(canonical: str, dialect: Dialect) -> str:
    """Return an expression as SQL for a store. It is judged again: what a catalog holds is trusted no more than a text.

    The SQL can stand wherever an operand can. Its string literals may hold any characters, ``$``, ``%`` and braces too.

    Raises:
        ExpressionError: as `parse_segment`.
    """
    return _text_for(_read(canonical, "expression", MAX_CANONICAL_LENGTH), dialect)


def render_segment(canonical: str, dialect: Dialect) -> str:
    """Return a segment expression as SQL of type text, the same text on every store. Otherwise as `render`."""
    return _text_for(_read(canonical, "segment", MAX_CANONICAL_LENGTH), dialect)


def _parse(text: str, what: str) -> str:
    canonical = _read(text, what, MAX_LENGTH).canonical
    _read(canonical, what, MAX_CANONICAL_LENGTH)
    return canonical


def _text_for(term: Term, dialect: Dialect) -> str:
    return term.duckdb if dialect == "duckdb" else term.postgres


def _read(text: str, what: str, max_length: int) -> Term:
    try:
        return _fit(_judge(text, max_length), what)
    except _Complaint as complaint:
        place = ""
        if complaint.end > complaint.start:
            place = f" (at column {complaint.start + 1}: {_shorten(text[complaint.start : complaint.end])})"
        name = what if what == "expression" else f"{what} expression"
        raise ExpressionError("use", f'{name} "{_shorten(text)}"', f"{complaint.cause}{place}") from None


def _shorten(text: str) -> str:
    cut = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)


def _fit(term: Term, what: str) -> Term:
    """Return the term as what it is for."""
    try:
        if what == "segment":
            return as_text(term)
        return coerce(term, Type.BOOLEAN) if what == "filter" else term
    except Offence:
        wanted = "a text, a number or a boolean" if what == "segment" else "a condition"
        raise _Complaint(f"a {what} is {wanted}, this is {term.type}") from None


def _judge(text: str, max_length: int) -> Term:
    if len(text) > max_length:
        raise _Complaint(f"it has {len(text)} characters, at most {max_length} are allowed")
    try:
        return judge(_grow(_tokenize(text), text))
    except RecursionError:
        raise _Complaint(f"it is nested more than {MAX_DEPTH} deep") from None
    except Refusal as refusal:
        start, end = span(refusal.node) or (0, len(text))
        raise _Complaint(refusal.cause, start, _balance(text, start, end)) from None


def _balance(text: str, start: int, end: int) -> int:
    """Return where what is open between ``start`` and ``end`` has been closed: a node's leaves have no parentheses."""
    while end < len(text) and text.count("(", start, end) > text.count(")", start, end):
        end += 1
    return end


def _tokenize(text: str) -> list[Token]:
    """Return the tokens of ``text``, none of which can make more of it than one expression."""
    for place, character in enumerate(text):
        if character == "\0" or "\ud800" <= character <= "\udfff":
            raise _Complaint("it has a character that no store can keep", place, place + 1)
    try:
        tokens = tokenize(text)
    except TokenError:
        closed = _CLOSED.match(text)
        start = closed.end() if closed else 0
        raise _Complaint("a quote or a comment is not closed", start, len(text)) from None
    _check_gaps(text, tokens)
    for index, token in enumerate(tokens):
        previous = tokens[index - 1] if index else None
        after_dot = previous is not None and previous.token_type is TokenType.DOT
        if token.token_type in _REFUSED and not after_dot:
            opened = previous is not None and previous.token_type is TokenType.L_PAREN
            start = previous.start if previous and opened and token.token_type in _QUERIES else token.start
            raise _Complaint(
                f"{_REFUSED[token.token_type]} is not allowed", start, _balance(text, start, token.end + 1)
            )
    return tokens


_QUERIES = frozenset({TokenType.SELECT, TokenType.VALUES})
_REFUSED = {
    **dict.fromkeys(_QUERIES, "a subquery"),
    TokenType.SEMICOLON: "a semicolon",
    TokenType.L_BRACKET: "a bracket",
    TokenType.R_BRACKET: "a bracket",
    TokenType.L_BRACE: "a brace",
    TokenType.R_BRACE: "a brace",
    TokenType.COLON: "a placeholder",
    TokenType.PARAMETER: "a placeholder",
    TokenType.PLACEHOLDER: "a placeholder",
    TokenType.OVER: "a window function",
}
"""Tokens that no expression has. The tree would show most of them too, but not where they stand."""


def _check_gaps(text: str, tokens: list[Token]) -> None:
    """Refuse comments: they are what lies between tokens without being a blank."""
    end = 0
    for start, after in [*((token.start, token.end + 1) for token in tokens), (len(text), len(text))]:
        gap = text[end:start]
        if gap.strip():
            begin = end + len(gap) - len(gap.lstrip())
            raise _Complaint("a comment is not allowed", begin, end + len(gap.rstrip()))
        end = after


def _grow(tokens: list[Token], text: str) -> Node:
    try:
        tree = grow(tokens, text)
    except ParseError as error:
        raise _syntax_complaint(error, tokens) from None
    if tree is None:
        raise _Complaint("it is empty")
    return tree


def _syntax_complaint(error: ParseError, tokens: list[Token]) -> _Complaint:
    """Make a complaint of sqlglot's: it says only where the token ends that it stopped at, in lines and columns."""
    details = error.errors[0] if error.errors else {}
    place = (details.get("line"), details.get("col"))
    token = next((token for token in tokens if (token.line, token.col) == place), None)
    if token is None:
        return _Complaint("it is no expression")
    if token is tokens[-1] and "Unexpected" not in str(details.get("description")):
        return _Complaint("it ends too early, after this", token.start, token.end + 1)
    return _Complaint("this cannot stand here", token.start, token.end + 1)
