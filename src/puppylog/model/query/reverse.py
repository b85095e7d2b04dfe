"""From a metric's expressions back to the query language, so that a page can link a metric to its records.

Not every expression has a query: `find_query` and `find_field_name` return None then. A query that is returned is
translated again and compared with the expression, so it finds exactly the same records.
"""

import re
from functools import lru_cache
from typing import Final

from sqlglot import exp
from sqlglot.errors import SqlglotError

from puppylog.errors import ExpressionError, SearchError
from puppylog.model.expression import parse_filter
from puppylog.model.expression.tree import Node, parse_tree, tokenize
from puppylog.model.query.parsing import parse_query
from puppylog.model.query.text import write_query
from puppylog.model.query.translation import Reading, translate
from puppylog.model.query.tree import And, AnyText, FieldRegex, FieldTest, Has, Name, Not, Operator, Or, Query, Regex
from puppylog.model.query.tree import Value as Text
from puppylog.model.record import COLUMNS
from puppylog.model.severity import SCALE

_OPERATORS: Final[dict[type[Node], Operator]] = {
    exp.EQ: "=",
    exp.NEQ: "!=",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_STRING: Final = r"'(?:[^']|'')*'"
_LITERAL: Final = rf"(?:{_STRING}|-?[0-9.]+)"
# A string comes first, so that nothing is expanded within one.
_SHORT: Final = re.compile(
    rf"{_STRING}"
    rf"|(?P<between>\w+) BETWEEN (?P<low>{_LITERAL}) AND (?P<high>{_LITERAL})"
    rf"|(?P<one_of>\w+) IN \((?P<values>{_LITERAL}(?:, {_LITERAL})*)\)"
)
_SEVERITY_OPERATORS: Final[tuple[Operator, ...]] = (":", ">=", "<=")


class _NoQueryError(Exception):
    """The query language has no way to write this part of an expression."""


@lru_cache(maxsize=1024)
def find_query(condition: str) -> str | None:
    """Return the query that finds the records for which a condition is true; None if there is none.

    Args:
        condition: the canonical text of a filter.

    >>> find_query("status_code BETWEEN 500 AND 599 AND REGEXP_LIKE(host, '(?is)^web.*$')")
    'status_code>=500 status_code<=599 host:web*'
    >>> find_query("length(host) > 3") is None
    True
    """
    try:
        plain = parse_filter(_SHORT.sub(_expand, condition))
        text = write_query(_query(_parse(plain)))
        is_same = parse_filter(translate(parse_query(text), Reading(text=text))) == plain
    except (_NoQueryError, SearchError, ExpressionError, SqlglotError, RecursionError):
        return None
    return text if is_same else None


@lru_cache(maxsize=1024)
def find_field_name(segment: str) -> str | None:
    """Return the field of the query language whose value a metric's segment is; None if the segment is computed.

    >>> find_field_name("request_method"), find_field_name("attributes ->> 'shop'"), find_field_name("lower(host)")
    ('request_method', 'attributes.shop', None)
    """
    try:
        return _name(_parse(segment)).text
    except (_NoQueryError, SqlglotError, RecursionError):
        return None


def _parse(text: str) -> Node:
    tree = parse_tree(tokenize(text), text)
    if tree is None:
        raise _NoQueryError
    return tree


def _expand(found: re.Match[str]) -> str:
    """Return BETWEEN and IN as comparisons, which the query language has."""
    if name := found["between"]:
        return f"({name} >= {found['low']} AND {name} <= {found['high']})"
    if name := found["one_of"]:
        return "(" + " OR ".join(f"{name} = {value}" for value in re.findall(_LITERAL, found["values"])) + ")"
    return found[0]


def _query(node: Node) -> Query:
    """Return the query of a condition's tree."""
    match node:
        case exp.Paren():
            return _query(node.this)
        case exp.And():
            return And((*_members(node.this, And), *_members(node.expression, And)))
        case exp.Or():
            return Or((*_members(node.this, Or), *_members(node.expression, Or)))
        case exp.Not(this=exp.Anonymous(this="COALESCE", expressions=[inner, exp.Boolean(this=False)])):
            return Not(_query(inner))
    return _test(node)


def _test(node: Node) -> Query:
    """Return the query of a condition without and, or, not."""
    match node:
        case exp.Is(expression=exp.Null()) if node.args.get("negate"):
            return Has(_name(node.this))
        case exp.Anonymous(this="ANY_REGEXP_LIKE", expressions=[exp.Literal() as pattern]):
            return AnyText(_text_of(str(pattern.this), "(?is)", "") or Regex(str(pattern.this)))
        case exp.Anonymous(this="REGEXP_LIKE", expressions=[field, exp.Literal() as pattern]):
            return _matching(field, str(pattern.this))
    if type(node) in _OPERATORS:
        return FieldTest(_name(node.this), _OPERATORS[type(node)], _literal(node.expression))
    raise _NoQueryError


def _members(node: Node, kind: type[And] | type[Or]) -> tuple[Query, ...]:
    query = _query(node)
    return query.parts if isinstance(query, And | Or) and isinstance(query, kind) else (query,)


def _matching(field: Node, pattern: str) -> Query:
    if isinstance(field, exp.Cast):  # a number is matched as text
        field = field.this
    name = _name(field)
    if name.text == "severity" and pattern in (known := _severities()):
        operator, word = known[pattern]
        return FieldTest(name, operator, Text((word,)))
    value = _text_of(pattern, "(?is)^", "$")
    return FieldRegex(name, Regex(pattern)) if value is None else FieldTest(name, ":", value)


@lru_cache(maxsize=1)
def _severities() -> dict[str, tuple[Operator, str]]:
    """Return the comparison of severities that each pattern represents."""
    tests = [(operator, word) for operator in _SEVERITY_OPERATORS for word in SCALE]
    patterns: dict[str, tuple[Operator, str]] = {}
    for operator, word in tests:
        expression = translate(FieldTest(Name("severity"), operator, Text((word,))), Reading())
        if found := re.fullmatch(r"REGEXP_LIKE\(severity, '(.*)'\)", expression):
            patterns.setdefault(found[1], (operator, word))
    return patterns


def _text_of(pattern: str, start: str, end: str) -> Text | None:
    """Return the text, perhaps with stars, that the translation of queries made this pattern of."""
    if not pattern.startswith(start) or not pattern.endswith(end):
        return None
    inner = pattern[len(start) : len(pattern) - len(end)]
    parts = tuple(re.sub(r"\\(\W)", r"\1", part) for part in re.split(r"(?<!\\)\.\*", inner))
    # Without quotes, a text that begins like a path or a number would be a regular expression or a number.
    is_plain = re.fullmatch(r"(?=.*[A-Za-z_])[\w./-]+" if end else r"\w+", parts[0])
    return Text(parts, is_quoted=len(parts) == 1 and is_plain is None)


def _literal(node: Node) -> Text:
    match node:
        case exp.Neg(this=exp.Literal() as number):
            return Text((f"-{number.this}",))
        case exp.Literal():
            return Text((str(node.this),), is_quoted=bool(node.is_string))
        case exp.Cast(this=exp.Literal() as instant) if node.is_type(exp.DataType.Type.TIMESTAMPTZ):
            return Text((str(instant.this),), is_quoted=True)
    raise _NoQueryError


def _name(node: Node) -> Name:
    """Return the name of the field whose value a node is."""
    match node:
        case exp.Column(this=exp.Identifier(this=str() as column)) if column in COLUMNS - {"attributes"}:
            return Name(column)
        case exp.Cast() if node.is_type(exp.DataType.Type.DOUBLE) and not isinstance(node.this, exp.Column):
            return _name(node.this)
        case exp.Anonymous(this="COALESCE", expressions=[exp.JSONExtractScalar() as flat, exp.JSONExtractScalar()]):
            return _name(flat)
        case exp.JSONExtractScalar(
            this=exp.Column(this=exp.Identifier(this="attributes")),
            expression=exp.JSONPath(expressions=[exp.JSONPathRoot(), exp.JSONPathKey(this=str() as key)]),
        ):
            return Name(f"attributes.{key}")
    raise _NoQueryError
