"""LogQL, the query language of Loki: the text of a query becomes a tree, and parts of the tree become expressions.

``docs/loki.md`` says which part of the language is read, and what its parts mean here.
"""

from puppylog.model.logql.parsing import parse_logql, parse_selector
from puppylog.model.logql.text import write_logql

__all__ = ["parse_logql", "parse_selector", "write_logql"]
