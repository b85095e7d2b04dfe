"""The language in which people search: words, phrases, fields and regular expressions, joined by and, or and not.

A query is read into a tree (`parse_query`), and the tree becomes the text of an expression (`translate`), which is
checked and rendered like one that a user wrote. ``docs/search.md`` has the grammar.

>>> from puppylog.model.query import Reading, parse_query, translate
>>> translate(parse_query("status_code>=500 -host:a*"), Reading())
"status_code >= 500 AND NOT COALESCE(REGEXP_LIKE(host, '(?is)^a.*$'), FALSE)"
"""

from puppylog.model.query.fields import RECORDS, REJECTS, find_attribute_names
from puppylog.model.query.parsing import parse_query
from puppylog.model.query.text import write_query
from puppylog.model.query.translation import Reading, translate

__all__ = ["RECORDS", "REJECTS", "Reading", "find_attribute_names", "parse_query", "translate", "write_query"]
