"""The language in which people search: words, phrases, fields and regular expressions, joined by and, or and not.

A query is read into a tree (`parse_query`), and the tree becomes the text of an expression (`translate`), which is
checked and rendered like one that a user wrote. ``docs/search.md`` has the grammar.

>>> from puppylog.model.query import Reading, parse_query, translate
>>> translate(parse_query("status_code>=500 -host:a*"), Reading())
"status_code >= 500 AND NOT COALESCE(REGEXP_LIKE(host, '(?is)^a.*$'), FALSE)"
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a reader of times alone needs none of these modules, and they take 20 ms of CPU
    from puppylog.model.query.fields import RECORDS, REJECTS, find_attribute_names
    from puppylog.model.query.parsing import parse_query
    from puppylog.model.query.text import write_query
    from puppylog.model.query.translation import Reading, translate
    from puppylog.model.query.tree import has_bare_word

__all__ = [
    "RECORDS",
    "REJECTS",
    "Reading",
    "find_attribute_names",
    "has_bare_word",
    "parse_query",
    "translate",
    "write_query",
]

_MODULES = {
    "RECORDS": "fields",
    "REJECTS": "fields",
    "find_attribute_names": "fields",
    "parse_query": "parsing",
    "write_query": "text",
    "Reading": "translation",
    "translate": "translation",
    "has_bare_word": "tree",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
