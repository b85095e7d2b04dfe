"""Expressions over the columns of a record: the segments, filters and properties of metrics.

sqlglot parses the text as PostgreSQL's SQL. `grammar` checks every node of the tree against an allow-list and gives it
a type, so that an expression is refused here, with its position, if a store would refuse it or if two stores would give
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

The functions of this package load sqlglot when they are first called: that takes a tenth of a second of CPU, and a
command that parses no expression does not need it. Common expressions, which `fast_parsing` reads, do not need it
either.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from puppylog.model.expression.term import Dialect


def parse_segment(text: str) -> str:
    """See `parsing.parse_segment`."""
    from puppylog.model.expression import parsing  # noqa: PLC0415 - loads sqlglot

    return parsing.parse_segment(text)


def parse_filter(text: str, name: str = "filter") -> str:
    """See `parsing.parse_filter`."""
    from puppylog.model.expression import parsing  # noqa: PLC0415 - loads sqlglot

    return parsing.parse_filter(text, name)


def parse_search(text: str) -> str:
    """See `parsing.parse_search`. What a query becomes is read by `fast_parsing`."""
    from puppylog.model.expression.fast_parsing import parse_fast  # noqa: PLC0415 - only a query needs it
    from puppylog.model.expression.term import Type  # noqa: PLC0415 - as above

    term = parse_fast(text)
    if term is not None and term.type is Type.BOOLEAN:
        return term.canonical
    from puppylog.model.expression import parsing  # noqa: PLC0415 - loads sqlglot

    return parsing.parse_search(text)


def parse_value(text: str, *, is_number: bool, attributes: Mapping[str, str] | None = None) -> str:
    """See `parsing.parse_value`."""
    from puppylog.model.expression import parsing  # noqa: PLC0415 - loads sqlglot

    return parsing.parse_value(text, is_number=is_number, attributes=attributes)


def find_names(text: str) -> list[str]:
    """See `parsing.find_names`."""
    from puppylog.model.expression import parsing  # noqa: PLC0415 - loads sqlglot

    return parsing.find_names(text)


def render(canonical: str, dialect: "Dialect") -> str:
    """See `parsing.render`. Common expressions are read by `fast_parsing`."""
    from puppylog.model.expression.fast_parsing import parse_fast  # noqa: PLC0415 - only a query needs it

    if (term := parse_fast(canonical)) is not None:
        return term.duckdb if dialect == "duckdb" else term.postgres
    from puppylog.model.expression import parsing  # noqa: PLC0415 - loads sqlglot

    return parsing.render(canonical, dialect)


def render_segment(canonical: str, dialect: "Dialect") -> str:
    """See `parsing.render_segment`. Common segments are read by `fast_parsing`."""
    from puppylog.model.expression.fast_parsing import parse_segment_fast  # noqa: PLC0415 - only a segment needs it

    if (term := parse_segment_fast(canonical)) is not None:
        return term.duckdb if dialect == "duckdb" else term.postgres
    from puppylog.model.expression import parsing  # noqa: PLC0415 - loads sqlglot

    return parsing.render_segment(canonical, dialect)
