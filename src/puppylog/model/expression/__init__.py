"""What people may write as the segment or the filter of a metric: an expression over the columns of a record.

A text is parsed by sqlglot as PostgreSQL's, judged node by node against an allow-list (`grammar`), and kept as
canonical text, from which the SQL of each store is made. On the way every part gets a type, so that what a store would
refuse, or read differently from another one, is refused here, with its place. What the lines of a log may bring about
(a text that is no number, a divisor of zero, a whole number beyond 64 bits) is null, never an error; only arithmetic of
double precision beyond its range is left to the store: PostgreSQL refuses it, DuckDB gives infinity.

Columns:    those of ``log_records`` and the original's names for two of them; ``attributes.key``, ``attributes.a.b``,
            ``attributes ->> 'key'`` and ``attributes -> 'a' ->> 'b'`` are text out of the attributes.
Literals:   text, numbers, true, false, null, ``interval '5 minutes'``, ``timestamptz '…'``, ``date '…'``. Times without
            an offset are UTC, and a text beside a time is read as one.
Operators:  ``AND OR NOT``, ``= <> < <= > >=``, ``IN (…)``, ``BETWEEN``, ``LIKE``, ``ILIKE`` (with a pattern that is
            written out; a backslash escapes), ``IS [NOT] NULL``, ``+ - * / %``, ``||``, ``CASE``. Division of whole
            numbers is whole; texts sort by their bytes.
Casts:      ``CAST(… AS type)`` and ``::type`` to text, integer and bigint (both 64 bits), double precision, boolean,
            timestamptz, date.
Functions:  those of `function`, and ``extract(field from ts)``. Times are cut and counted in UTC.
"""

from puppylog.model.expression.reading import parse_filter, parse_segment, render, render_segment

__all__ = ["parse_filter", "parse_segment", "render", "render_segment"]
