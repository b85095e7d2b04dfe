"""The allow-list: which nodes an expression may have, and the term that each node becomes.

A rule applies to one class of nodes, not to its subclasses, and lists the arguments that it reads. A node with any
other argument is refused, so that syntax which a later sqlglot adds is refused until a rule covers it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from sqlglot import exp

from puppylog.model.expression import leaf
from puppylog.model.expression.conversion import as_number, as_text, byte_order, cast, coerce, common_type, of_type
from puppylog.model.expression.function import FIELDS, call, check_name
from puppylog.model.expression.operator import compare, infix, negate, predicate
from puppylog.model.expression.overflow import add_whole, multiply_whole, narrow, negate_whole
from puppylog.model.expression.term import (
    AND,
    OR,
    OTHER,
    PRODUCT,
    SIGN,
    SUM,
    Term,
    Type,
    accept_each,
    compose,
)
from puppylog.model.expression.tree import Node, NodeError, describe, locate_errors

# sqlglot recurses about 20 times per level of nesting, and Python allows 1,000 calls. A canonical text must always
# parse.
MAX_DEPTH = 20
MAX_GROWTH = 100
"""By what factor ``replace`` may lengthen a text. Factors of nested calls multiply: five made gigabytes of one line."""
# Each product is narrowed to 64 bits, which nests the SQL three levels deeper. DuckDB allows a thousand levels.
MAX_FACTORS = 100


def make_term(node: Node, depth: int = 0) -> Term:
    """Return the term that ``node`` becomes. ``depth`` is how deep it is nested.

    Raises:
        NodeError: the node, or a node below it, is not allowed.
    """
    if depth > MAX_DEPTH:
        raise NodeError(node, f"it is nested more than {MAX_DEPTH} deep")
    rule = _RULES.get(type(node))
    if rule is None:
        raise NodeError(node, f"{describe(node)} is not allowed")
    for name, value in node.args.items():
        if value and name not in rule.reads:
            raise NodeError(node, f"{describe(node)} with {name.replace('_', ' ')} is not allowed")
    return rule.make(node, depth + 1)


def _make_typed(node: Node, depth: int, type_: Type) -> Term:
    term = make_term(node, depth)
    with locate_errors(node):
        return coerce(term, type_)


def _make_alike(nodes: Sequence[Node], depth: int) -> list[Term]:
    """Return the terms of ``nodes``, converted to one common type.

    Raises:
        NodeError: at the first node whose type does not go together with those before.
    """
    terms = [make_term(node, depth) for node in nodes]
    for count, node in enumerate(nodes, 1):
        with locate_errors(node):
            type_ = common_type(terms[:count])
    with locate_errors(nodes[0], *nodes):
        return accept_each([of_type(type_)] * len(terms), terms)


def _paren(node: Node, depth: int) -> Term:
    return make_term(node.this, depth)


# A chain of operators of one precedence is read in a loop from the left, so its length does not count as depth.
_CHAINS: tuple[tuple[int, dict[type[Node], str]], ...] = (
    (OR, {exp.Or: "OR"}),
    (AND, {exp.And: "AND"}),
    (OTHER, {exp.DPipe: "||"}),
    (SUM, {exp.Add: "+", exp.Sub: "-"}),
    (PRODUCT, {exp.Mul: "*", exp.Div: "/", exp.Mod: "%"}),
)
_CHAIN_OF = {class_: (binding, operators) for binding, operators in _CHAINS for class_ in operators}


def _chain(node: Node, depth: int) -> Term:
    binding, operators = _CHAIN_OF[type(node)]
    links: list[Node] = []
    while type(node) in operators:
        links.append(node)
        node = _without_parentheses(node.this, operators)
    if binding == PRODUCT and len(links) > MAX_FACTORS:
        raise NodeError(links[0], f"more than {MAX_FACTORS} factors follow one another")
    left, first, is_wide = make_term(node, depth), node, False
    for link in reversed(links):
        right = make_term(link.expression, depth)
        with locate_errors(link, first, link.expression):
            left = _join(operators[type(link)], left, right, binding, is_wide=is_wide)
        first, is_wide = link, binding == SUM and left.type is Type.INTEGER
    return narrow(left) if is_wide else left


def _without_parentheses(node: Node, operators: Mapping[type[Node], str]) -> Node:
    """Return ``node`` without parentheses around an operator of the same chain: the canonical text omits them."""
    inner = node
    while type(inner) is exp.Paren:
        inner = inner.this
    return inner if type(inner) in operators else node


def _join(operator: str, left: Term, right: Term, binding: int, *, is_wide: bool) -> Term:
    """Return the operation on two operands. ``is_wide``: ``left`` is a sum in the wide type of `add_whole`."""
    if binding in {SUM, PRODUCT}:
        left, right = (as_number(term, Type.INTEGER if operator == "%" else Type.NUMBER) for term in (left, right))
    terms = (left.operand(binding), right.operand(binding + 1))
    if binding in {OR, AND}:
        return infix(operator, accept_each([of_type(Type.BOOLEAN)] * 2, terms), Type.BOOLEAN, binding)
    if binding == OTHER:
        return infix(operator, accept_each([as_text] * 2, terms), Type.TEXT, binding)
    if binding == SUM and left.type is Type.TIMESTAMPTZ and right.type is Type.INTERVAL:
        return infix(operator, terms, Type.TIMESTAMPTZ, binding)
    type_ = Type.NUMBER if Type.NUMBER in {left.type, right.type} and operator != "%" else Type.INTEGER
    operands = accept_each([of_type(type_)] * 2, terms)
    if type_ is Type.NUMBER:  # a divisor of zero gives null
        divisor = "NULLIF({1}, 0)" if operator == "/" else "{1}"
        return compose(
            type_, f"{{0}} {operator} {{1}}", *operands, sql=f"({{0}} {operator} {divisor})", binding=binding
        )
    return add_whole(operator, operands, is_wide=is_wide) if binding == SUM else multiply_whole(operator, operands)


def _not(node: Node, depth: int) -> Term:
    return negate(_make_typed(node.this, depth, Type.BOOLEAN))


def _negative(node: Node, depth: int) -> Term:
    term = as_number(make_term(node.this, depth))
    type_ = Type.NUMBER if term.type is Type.NUMBER else Type.INTEGER
    with locate_errors(node.this):
        term = coerce(term, type_)
    operand = term.operand(SIGN + 1)
    if type_ is Type.INTEGER and term.literal is None:
        return negate_whole(operand)
    return compose(type_, "-{0}", operand, sql="(-{0})", binding=SIGN)


_COMPARISONS: dict[type[Node], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}


def _comparison(node: Node, depth: int) -> Term:
    return compare(_COMPARISONS[type(node)], *_make_alike([node.this, node.expression], depth))


def _between(node: Node, depth: int) -> Term:
    value, low, high = _make_alike([node.this, node.args["low"], node.args["high"]], depth)
    return predicate("{0} BETWEEN {1} AND {2}", [byte_order(value), low, high])


def _in(node: Node, depth: int) -> Term:
    if not node.expressions:
        raise NodeError(node, "IN needs a list of values")
    value, values, *more = _make_alike([node.this, *node.expressions], depth)
    for term in more:
        values = compose(Type.NULL, "{0}, {1}", values, term)
    return predicate("{0} IN ({1})", [value, values])


def _like(node: Node, depth: int) -> Term:
    word = ("NOT " if node.args.get("negate") else "") + ("ILIKE" if type(node) is exp.ILike else "LIKE")
    pattern = _make_typed(node.expression, depth, Type.TEXT)
    if not isinstance(pattern.literal, str):
        raise NodeError(node.expression, f"the pattern of {word} must be a literal text")
    if (len(pattern.literal) - len(pattern.literal.rstrip("\\"))) % 2:
        raise NodeError(node.expression, "the pattern ends in a backslash that escapes nothing")
    # In PostgreSQL the backslash escapes by default. DuckDB needs ESCAPE, and is faster without it.
    duckdb = f"({{0}} {word} {{1}} ESCAPE '\\')" if "\\" in pattern.literal else None
    return predicate(f"{{0}} {word} {{1}}", [_make_typed(node.this, depth, Type.TEXT), pattern], duckdb)


def _is(node: Node, depth: int) -> Term:
    if type(node.expression) is not exp.Null:
        raise NodeError(node, "IS must be followed by NULL or NOT NULL")
    return predicate("{0} IS NOT NULL" if node.args.get("negate") else "{0} IS NULL", [make_term(node.this, depth)])


def _case(node: Node, depth: int) -> Term:
    """Return the term of ``CASE WHEN condition THEN …`` or ``CASE value WHEN value THEN …``."""
    subject, default, branches = node.this, node.args.get("default"), node.args["ifs"]
    conditions = [branch.this for branch in branches]
    if subject:
        value, *whens = _make_alike([subject, *conditions], depth)
        term = compose(Type.NULL, "CASE {0}", value)
    else:
        whens = [_make_typed(condition, depth, Type.BOOLEAN) for condition in conditions]
        term = compose(Type.NULL, "CASE")
    results = [branch.args["true"] for branch in branches]
    thens = _make_alike([*results, default] if default else results, depth)
    for when, then in zip(whens, thens, strict=False):
        term = compose(Type.NULL, "{0} WHEN {1} THEN {2}", term, when, then)
    if default:
        term = compose(Type.NULL, "{0} ELSE {1}", term, thens[-1])
    return compose(thens[0].type, "{0} END", term)


def _cast(node: Node, depth: int) -> Term:
    to = node.args["to"]
    type_ = _TYPES.get(to.this) if type(to) is exp.DataType and not to.expressions else None
    if type_ is None:
        raise NodeError(node, "a cast must be to text, integer, bigint, double precision, boolean, timestamptz or date")
    term = make_term(node.this, depth)
    with locate_errors(node):
        return cast(term, type_)


_TYPES = {
    exp.DType.TEXT: Type.TEXT,
    exp.DType.INT: Type.INTEGER,
    exp.DType.BIGINT: Type.INTEGER,
    exp.DType.DOUBLE: Type.NUMBER,
    exp.DType.BOOLEAN: Type.BOOLEAN,
    exp.DType.TIMESTAMPTZ: Type.TIMESTAMPTZ,
    exp.DType.DATE: Type.DATE,
}


def _extract(node: Node, depth: int) -> Term:
    field = node.name.lower()
    if type(node.this) is not exp.Var or field not in FIELDS:
        raise NodeError(node, f"extract takes {', '.join(FIELDS)}")
    instant = _make_typed(node.expression, depth, Type.TIMESTAMPTZ)
    name = field.upper()
    sql = f"CAST(EXTRACT({name} FROM {{0}} AT TIME ZONE 'UTC') AS DOUBLE PRECISION)"
    return compose(Type.NUMBER, f"EXTRACT({name} FROM {{0}})", instant, sql=sql)


def _call(node: Node, depth: int) -> Term:
    name, arguments = node.name.lower(), node.expressions
    with locate_errors(node):
        check_name(name)
    terms = [make_term(argument, depth) for argument in arguments]
    with locate_errors(node, *arguments):
        term = call(name, terms)
    if _growth(node) > MAX_GROWTH:
        raise NodeError(node, f"its result may be more than {MAX_GROWTH} times as long as what it replaces in")
    return term


def _growth(node: Node) -> int:
    """Return by what factor all calls of ``replace`` in ``node`` together may lengthen a text."""
    growth = 1
    for found in node.find_all(exp.Anonymous):
        arguments = found.expressions
        if found.name.lower() == "replace" and len(arguments) == 3:
            searched, replacement = (len(argument.name) for argument in arguments[1:])
            growth *= max(1, -(-replacement // max(1, searched)))
    return growth


class _Rule(NamedTuple):
    make: Callable[[Node, int], Term]
    reads: frozenset[str]  # arguments of the node that may be set; some only tell how the text was spelt


def _rule(make: Callable[[Node, int], Term], *reads: str) -> _Rule:
    return _Rule(make, frozenset(reads))


def _leaf(make: Callable[[Node], Term], *reads: str) -> _Rule:
    return _Rule(lambda node, _: make(node), frozenset(reads))


_ARROW = _leaf(leaf.path, "this", "expression", "only_json_types")
_RULES: dict[type[Node], _Rule] = {
    exp.Literal: _leaf(leaf.literal, "this", "is_string"),
    exp.Null: _leaf(leaf.null),
    exp.Boolean: _leaf(leaf.boolean, "this"),
    exp.Interval: _leaf(leaf.interval, "this", "unit"),
    exp.Column: _leaf(leaf.name, "this", "table", "db", "catalog"),
    exp.Dot: _leaf(leaf.name, "this", "expression"),
    exp.JSONExtract: _ARROW,
    exp.JSONExtractScalar: _ARROW,
    exp.Paren: _rule(_paren, "this"),
    **{class_: _rule(_chain, "this", "expression", "typed", "safe") for class_ in _CHAIN_OF},
    exp.Not: _rule(_not, "this"),
    exp.Neg: _rule(_negative, "this"),
    **{class_: _rule(_comparison, "this", "expression") for class_ in _COMPARISONS},
    exp.Between: _rule(_between, "this", "low", "high"),
    exp.In: _rule(_in, "this", "expressions"),
    exp.Like: _rule(_like, "this", "expression", "negate"),
    exp.ILike: _rule(_like, "this", "expression", "negate"),
    exp.Is: _rule(_is, "this", "expression", "negate"),
    exp.Case: _rule(_case, "this", "ifs", "default"),
    exp.Cast: _rule(_cast, "this", "to"),
    exp.Extract: _rule(_extract, "this", "expression"),
    exp.Anonymous: _rule(_call, "this", "expressions"),
}
