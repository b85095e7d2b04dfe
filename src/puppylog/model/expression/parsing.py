"""Turns the text of an expression into canonical text and into SQL, or reports in one line what is wrong and where."""

import re
from collections.abc import Mapping

from sqlglot import exp
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokenizer_core import Token, TokenType

from puppylog.errors import ExpressionError
from puppylog.model.expression.attribute_names import iter_names, replace_names
from puppylog.model.expression.conversion import as_text, coerce
from puppylog.model.expression.function import nearest
from puppylog.model.expression.grammar import MAX_DEPTH, make_term
from puppylog.model.expression.matching import ELSEWHERE
from puppylog.model.expression.term import Dialect, Term, TermError, Type
from puppylog.model.expression.tree import Node, NodeError, parse_tree, span, tokenize
from puppylog.model.record import ALIASES, COLUMNS, REJECT_COLUMNS

MAX_LENGTH = 1000
# Canonical text spells out abbreviations such as x::int, so it may be longer.
MAX_CANONICAL_LENGTH = 8 * MAX_LENGTH
_PROPERTIES = frozenset({"property", "number"})  # a "number" is a property of which a statistic needs numbers
_KEPT = _PROPERTIES | {"segment", "filter"}  # a metric keeps them; a stored text is read as an "expression"
_SHOWN = 60
_CLOSED = re.compile(r"""(?:[^'"]|'[^']*'|"[^"]*")*""")


class _TextError(Exception):
    """What is wrong with a text, and the range of characters that is wrong; an empty range for the whole text."""

    def __init__(self, cause: str, start: int = 0, end: int = 0) -> None:
        super().__init__(cause)
        self.cause = cause
        self.start = start
        self.end = end


def parse_segment(text: str) -> str:
    """Return the canonical text of a segment: an expression whose value can be written as text.

    Raises:
        ExpressionError: the text is not such an expression, or uses what is not allowed; the message says where.
    """
    return _parse(text, "segment")


def parse_filter(text: str, name: str = "filter") -> str:
    """Return the canonical text of a filter: an expression of type boolean.

    Args:
        text: the expression.
        name: the name of the condition, for errors.

    Raises:
        ExpressionError: as `parse_segment`.
    """
    canonical = _read(text, "filter", MAX_LENGTH, name=name).canonical
    _read(canonical, "filter", MAX_CANONICAL_LENGTH, name=name)
    return canonical


def parse_search(text: str) -> str:
    """Return the canonical text of the condition of a search, which may also look into tables other than the records.

    Raises:
        ExpressionError: as `parse_segment`.
    """
    return _parse(text, "search", MAX_CANONICAL_LENGTH)


def parse_value(text: str, *, is_number: bool, attributes: Mapping[str, str] | None = None) -> str:
    """Return the canonical text of a metric's property: an expression whose value the statistic is taken of.

    Args:
        text: the expression. It may name attributes as it names columns.
        is_number: whether the statistic needs numbers. An attribute then becomes a number without a cast.
        attributes: the attributes that the store knows, each with an example of its value.

    Raises:
        ExpressionError: as `parse_segment`; it has the text and the position of the fault.
    """
    what = "number" if is_number else "property"
    canonical = _read(text, what, MAX_LENGTH, attributes or {}).canonical
    _read(canonical, what, MAX_CANONICAL_LENGTH)
    return canonical


def find_names(text: str) -> list[str]:
    """Return the names in the text of a property that are not columns. A text that is not an expression has none."""
    try:
        return list(dict.fromkeys(iter_names(_parse_tree(_tokenize(text), text))))
    except (_TextError, RecursionError):
        return []


def render(canonical: str, dialect: Dialect) -> str:
    """Return the SQL of an expression for a store. The text is checked again, because anyone may write to a store.

    The SQL can be an operand of any operator. Its string literals may contain any character, also ``$``, ``%`` and
    braces.

    Raises:
        ExpressionError: as `parse_segment`.
    """
    return _text_for(_read(canonical, "expression", MAX_CANONICAL_LENGTH), dialect)


def render_segment(canonical: str, dialect: Dialect) -> str:
    """Return the SQL of a segment, of type text, for a store. The text is the same on every store. See `render`."""
    return _text_for(_read(canonical, "segment", MAX_CANONICAL_LENGTH), dialect)


def _parse(text: str, what: str, max_length: int = MAX_LENGTH) -> str:
    canonical = _read(text, what, max_length).canonical
    _read(canonical, what, MAX_CANONICAL_LENGTH)
    return canonical


def _text_for(term: Term, dialect: Dialect) -> str:
    return term.duckdb if dialect == "duckdb" else term.postgres


def _read(
    text: str, what: str, max_length: int, attributes: Mapping[str, str] | None = None, *, name: str | None = None
) -> Term:
    try:
        return _coerce_for(_make_term(text, max_length, attributes, is_kept=what in _KEPT), what)
    except _TextError as error:
        if what in _PROPERTIES:
            thing = f'property "{_shorten(text)}"'
            raise ExpressionError("use", thing, error.cause, written=text, at=error.start) from None
        position = ""
        if error.end > error.start:
            position = f" (at column {error.start + 1}: {_shorten(text[error.start : error.end])})"
        thing = f'{what if what == "expression" else f"{name or what} expression"} "{_shorten(text)}"'
        raise ExpressionError("use", thing, f"{error.cause}{position}", written=text, at=error.start) from None


def _shorten(text: str) -> str:
    cut = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)


def _coerce_for(term: Term, what: str) -> Term:
    """Return the term converted to the type that a segment or a filter must have."""
    try:
        if what == "segment":
            return as_text(term)
        if what in _PROPERTIES:
            return _coerce_property(term, is_number=what == "number")
        return coerce(term, Type.BOOLEAN) if what in {"filter", "search"} else term
    except TermError:
        wanted = "a text, a number or a boolean" if what == "segment" else "a condition"
        raise _TextError(f"a {what} must be {wanted}, but this is {term.type}") from None


def _coerce_property(term: Term, *, is_number: bool) -> Term:
    if is_number and term.type is not Type.INTEGER:
        wanted = "this statistic is taken of numbers"
        if term.type not in {Type.NUMBER, Type.TEXT} or (term.type is Type.TEXT and not term.is_attribute):
            raise _TextError(f"{wanted}, but this is {term.type}")
        return coerce(term, Type.NUMBER)
    if term.type in {Type.INTERVAL, Type.NULL}:
        raise _TextError(f"a property must be a text, a number, a boolean or a time, but this is {term.type}")
    return term


def _make_term(text: str, max_length: int, attributes: Mapping[str, str] | None, *, is_kept: bool) -> Term:
    if len(text) > max_length:
        raise _TextError(f"it has {len(text)} characters, at most {max_length} are allowed")
    try:
        tree = _parse_tree(_tokenize(text), text)
        if attributes is not None:
            tree = replace_names(tree, attributes)
        if is_kept:
            _check_kept(tree)
        return make_term(tree)
    except RecursionError:
        raise _TextError(f"it is nested more than {MAX_DEPTH} deep") from None
    except NodeError as error:
        start, end = span(error.node) or (0, len(text))
        raise _TextError(error.cause, start, _find_closing(text, start, end)) from None


def _check_kept(tree: Node) -> None:
    """Refuse what only a search may use: a metric is computed from the columns of the records alone."""
    for column in tree.find_all(exp.Column):
        if column.name.lower() in REJECT_COLUMNS and not column.args.get("table"):
            known = nearest(column.name, [*COLUMNS, *ALIASES])
            raise NodeError(column, f"there is no such column; the nearest known one is {known}")
    for call in tree.find_all(exp.Anonymous):
        if call.name.lower() in ELSEWHERE:
            raise NodeError(call, f"{call.name.lower()} is for searches only; a metric can be limited to a group")


def _find_closing(text: str, start: int, end: int) -> int:
    """Return the end of ``text[start:end]`` extended by the parentheses that close those it opens.

    sqlglot keeps the positions of a node's leaves only, and no leaf is a parenthesis.
    """
    while end < len(text) and text.count("(", start, end) > text.count(")", start, end):
        end += 1
    return end


def _tokenize(text: str) -> list[Token]:
    """Return the tokens of ``text``. Tokens that do not belong to an expression are refused."""
    for position, character in enumerate(text):
        if character == "\0" or "\ud800" <= character <= "\udfff":
            raise _TextError("it has a character that no store can keep", position, position + 1)
    try:
        tokens = tokenize(text)
    except TokenError:
        closed = _CLOSED.match(text)
        start = closed.end() if closed else 0
        raise _TextError("a quote or a comment is not closed", start, len(text)) from None
    _check_gaps(text, tokens)
    for index, token in enumerate(tokens):
        previous = tokens[index - 1] if index else None
        after_dot = previous is not None and previous.token_type is TokenType.DOT
        if token.token_type in _REFUSED and not after_dot:
            opened = previous is not None and previous.token_type is TokenType.L_PAREN
            start = previous.start if previous and opened and token.token_type in _QUERIES else token.start
            raise _TextError(
                f"{_REFUSED[token.token_type]} is not allowed", start, _find_closing(text, start, token.end + 1)
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
"""Tokens that are refused. Most would be refused in the tree, too, but the tree does not keep their positions."""


def _check_gaps(text: str, tokens: list[Token]) -> None:
    """Refuse comments. A comment is text between two tokens that is not blank."""
    end = 0
    for start, after in [*((token.start, token.end + 1) for token in tokens), (len(text), len(text))]:
        gap = text[end:start]
        if gap.strip():
            begin = end + len(gap) - len(gap.lstrip())
            raise _TextError("a comment is not allowed", begin, end + len(gap.rstrip()))
        end = after


def _parse_tree(tokens: list[Token], text: str) -> Node:
    try:
        tree = parse_tree(tokens, text)
    except ParseError as error:
        raise _syntax_error(error, tokens) from None
    if tree is None:
        raise _TextError("it is empty")
    return tree


def _syntax_error(error: ParseError, tokens: list[Token]) -> _TextError:
    """Return sqlglot's error with the position of its token. sqlglot gives only line and column of the token's end."""
    details = error.errors[0] if error.errors else {}
    position = (details.get("line"), details.get("col"))
    token = next((token for token in tokens if (token.line, token.col) == position), None)
    if token is None:
        return _TextError("it is not an expression")
    if token is tokens[-1] and "Unexpected" not in str(details.get("description")):
        return _TextError("it ends too early, after this", token.start, token.end + 1)
    return _TextError("this is not allowed here", token.start, token.end + 1)
