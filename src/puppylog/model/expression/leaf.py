"""The leaves of an expression: literals, columns and attributes."""

import math
import re

from sqlglot import exp

from puppylog.model.expression.attribute import KEY, attribute_term, column_term
from puppylog.model.expression.function import nearest
from puppylog.model.expression.term import Term, Type, compose, text_term
from puppylog.model.expression.tree import Node, NodeError
from puppylog.model.record import ALIASES, COLUMNS

_MAX_INTEGER = 2**63 - 1
_UNITS_S = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86400, "WEEK": 604800}
_AMOUNT = re.compile(r"[0-9]{1,12}")
# A hundred years. A longer interval could move an instant out of the range of a store, which is an error there.
_MAX_INTERVAL_S = 36525 * 86400


def literal(node: Node) -> Term:
    if node.args.get("is_string"):
        return text_term(node.name)
    try:
        return _integer(node) if node.name.isdigit() else _number(node)
    except ValueError:
        raise NodeError(node, "it is not a number") from None


def _integer(node: Node) -> Term:
    value = int(node.name)
    if value > _MAX_INTEGER:
        raise NodeError(node, "the number is beyond 64 bits")
    return Term(Type.INTEGER, str(value), str(value), str(value), literal=value)


def _number(node: Node) -> Term:
    value = float(node.name)
    if not math.isfinite(value):
        raise NodeError(node, "the number is beyond double precision")
    return compose(Type.NUMBER, repr(value), sql=f"CAST({value!r} AS DOUBLE PRECISION)")


def null(_: Node) -> Term:
    return compose(Type.NULL, "NULL")


def boolean(node: Node) -> Term:
    return compose(Type.BOOLEAN, "TRUE" if node.this else "FALSE")


def interval(node: Node) -> Term:
    """Return a literal interval, in one unit of fixed length. Months and years have no fixed length."""
    amount, unit = node.this, node.args.get("unit")
    name = unit.name.upper().removesuffix("S") if unit else ""
    if not isinstance(amount, exp.Literal) or not _AMOUNT.fullmatch(amount.name) or name not in _UNITS_S:
        raise NodeError(node, "an interval is a whole number of seconds, minutes, hours, days or weeks")
    seconds = int(amount.name) * _UNITS_S[name]
    if seconds > _MAX_INTERVAL_S:
        raise NodeError(node, "the interval is longer than a hundred years")
    return compose(Type.INTERVAL, f"INTERVAL '{int(amount.name)} {name}'", sql=f"INTERVAL '{seconds} seconds'")


def name(node: Node) -> Term:
    """Return the term of a column or of ``attributes.key``."""
    parts = _parts(node)
    first = parts[0].name if parts[0].args.get("quoted") else parts[0].name.lower()
    if len(parts) > 1:
        if first != "attributes":
            raise NodeError(node, "a qualified name is not allowed; write the column alone")
        return _attribute(node, [part.name for part in parts[1:]])
    if first == "attributes":
        raise NodeError(node, "attributes has no value of its own; name one attribute, such as attributes.key")
    return _column(node, ALIASES.get(first, first))


def _column(node: Node, column: str) -> Term:
    term = column_term(column)
    if term is None:
        known = nearest(column, [*COLUMNS, *ALIASES])
        raise NodeError(node, f"there is no such column; the nearest known one is {known}")
    return term


def _parts(node: Node) -> list[exp.Identifier]:
    """Return the names of a dotted name, from left to right."""
    after: list[Node] = []
    while type(node) is exp.Dot:
        after.insert(0, node.expression)
        node = node.this
    if type(node) is not exp.Column:
        raise NodeError(node, "only a name is allowed before a dot")
    before = [node.args[part] for part in ("catalog", "db", "table", "this") if node.args.get(part)]
    parts = []
    for part in (*before, *after):
        if not isinstance(part, exp.Identifier):
            raise NodeError(part, "only a name is allowed after a dot")
        parts.append(part)
    return parts


def path(node: Node) -> Term:
    """Return the term of ``attributes ->> 'key'``, with any number of ``-> 'key'`` before the last arrow."""
    keys: list[str] = []
    inner = node
    while type(inner) in {exp.JSONExtractScalar, exp.JSONExtract}:
        if (type(inner) is exp.JSONExtractScalar) != (inner is node):
            raise NodeError(node, "a path must end in '->>', which gives text")
        keys.insert(0, _key(inner))
        inner = inner.this
    if type(inner) is not exp.Column or len(_parts(inner)) > 1 or inner.name.lower() != "attributes":
        raise NodeError(inner, "only the attributes have keys: attributes ->> 'key'")
    return _attribute(node, keys)


def _key(node: Node) -> str:
    """Return the key after an arrow. sqlglot parses the key as a path of one step."""
    steps = node.expression.args.get("expressions", [])
    key = steps[-1].this if len(steps) == 2 and type(steps[-1]) is exp.JSONPathKey else None
    if not isinstance(key, str):
        raise NodeError(node, "a key must be a literal text")
    return key


def _attribute(node: Node, keys: list[str]) -> Term:
    for key in keys:
        if not KEY.fullmatch(key):
            raise NodeError(node, 'a key has at least one character, and none of * " \\ nor control characters')
    return attribute_term(keys)
