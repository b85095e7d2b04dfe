"""Names in a metric's property that are not columns: the attributes that the store knows by these names.

A query resolves its names in the same way (`model.query.fields`). A segment and a filter name the columns only.
"""

import difflib
from collections.abc import Iterator, Mapping
from typing import Final

from sqlglot import exp

from puppylog.model.expression.attribute import attribute_text
from puppylog.model.expression.tree import Node, NodeError, parse_tree, span, tokenize
from puppylog.model.record import ALIASES, COLUMNS

_KNOWN: Final = COLUMNS | ALIASES.keys()


def iter_names(tree: Node) -> Iterator[str]:
    """Yield the names in a tree that are not columns, as they are written."""
    for node in tree.find_all(exp.Column):
        if (name := _name_of(node)) is not None:
            yield name


def replace_names(tree: Node, attributes: Mapping[str, str]) -> Node:
    """Return the tree in which each name that is not a column is the attribute of that name.

    Args:
        tree: a tree of the parser. It is changed.
        attributes: the attributes that the store knows, each with an example of its value.

    Raises:
        NodeError: a name is neither a column nor an attribute.
    """

    def replace(node: Node) -> Node:
        name = _name_of(node) if isinstance(node, exp.Column) else None
        if name is None:
            return node
        if name not in attributes:
            raise NodeError(node, _describe_unknown(name, attributes))
        return _parse_attribute(name, node)

    replaced: Node = tree.transform(replace, copy=False)
    return replaced


def _name_of(node: exp.Column) -> str | None:
    """Return the name of a node; None if it is a column of the records, or begins with ``attributes``."""
    parts = [node.args[part] for part in ("catalog", "db", "table", "this") if node.args.get(part)]
    if not all(isinstance(part, exp.Identifier) for part in parts) or isinstance(node.parent, exp.Dot):
        return None
    first = parts[0].name if parts[0].args.get("quoted") else parts[0].name.lower()
    if first == "attributes" or (len(parts) == 1 and first in _KNOWN):
        return None
    return ".".join(part.name for part in parts)


def _parse_attribute(name: str, written: Node) -> Node:
    """Return the tree of an attribute. Errors in it are shown at the name in the user's text."""
    text = attribute_text(name)
    found = parse_tree(tokenize(text), text) or written
    start, end = span(written) or (0, 0)
    for node in found.walk():
        if "start" in node.meta:
            node.meta.update(start=start, end=end - 1)
    return found


def _describe_unknown(name: str, attributes: Mapping[str, str]) -> str:
    known = {candidate.lower(): candidate for candidate in [*sorted(COLUMNS - {"attributes"}), *attributes]}
    nearest = [known[found] for found in difflib.get_close_matches(name.lower(), known, n=2, cutoff=0.5)]
    cause = f"there is no column and no attribute {name!r}"
    if nearest:
        cause += f"; the nearest {'is' if len(nearest) == 1 else 'are'} {' and '.join(nearest)}"
    return cause
