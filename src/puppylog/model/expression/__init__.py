"""Expressions over the columns of a record: the segments, filters and properties of metrics.

sqlglot parses the text as PostgreSQL's SQL. `grammar` checks every node of the tree against an allow-list and gives it
a type, so that an expression is refused here, with its place, if a store would refuse it or if two stores would give
different values. The result is a canonical text, which a store keeps and from which its SQL is made.

No log line makes an expression fail: a text that is not a number, a division by zero and an integer beyond 64 bits give
null. There is one exception: double precision beyond its range fails in PostgreSQL and is infinity in DuckDB.

Columns:    those of ``log_records``, and two names of the original Puppylog. ``attributes.key``, ``attributes.a.b``,
            ``attributes ->> 'key'`` and ``attributes -> 'a' ->> 'b'`` give an attribute as text. In arithmetic, an
            attribute becomes a number without a cast. A property may name an attribute like a column.
Literals:   text, numbers, true, false, null, ``interval '5 minutes'``, ``timestamptz '…'``, ``date '…'``. Times without
            an offset are UTC. A literal text that is compared with a time is read as a time.
Operators:  ``AND OR NOT``, ``= <> < <= > >=``, ``IN (…)``, ``BETWEEN``, ``LIKE``, ``ILIKE`` (with a pattern that is
            a literal; a backslash escapes), ``IS [NOT] NULL``, ``+ - * / %``, ``||``, ``CASE``. The quotient of
            integers is an integer. Texts are compared by their bytes.
Casts:      ``CAST(… AS type)`` and ``::type`` to text, integer and bigint (both 64 bits), double precision, boolean,
            timestamptz, date.
Functions:  those of `function`, those of `matching` (regular expressions), and ``extract(field from ts)``. Times are
            truncated and counted in UTC.
"""

from puppylog.model.expression.reading import (
    find_names,
    parse_filter,
    parse_search,
    parse_segment,
    parse_value,
    render,
    render_number,
    render_segment,
)

__all__ = [
    "find_names",
    "parse_filter",
    "parse_search",
    "parse_segment",
    "parse_value",
    "render",
    "render_number",
    "render_segment",
]
