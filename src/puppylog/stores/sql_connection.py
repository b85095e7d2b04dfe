"""What both stores' own code needs of a connection to a database: one protocol, written as obligations.

DuckDB's `Connection` and PostgreSQL's `Session` implement it, so code whose SQL means the same on both is written once.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeAlias

import pyarrow as pa

from puppylog.stores.base import Value

Values: TypeAlias = Mapping[str, Value | Sequence[Value]]
"""Values for the ``$names`` in a statement. A list is an array."""


class SqlConnection(Protocol):
    """A connection within a transaction that its owner began.

    Every method must bind values and never put them into the text of the statement. Every method must raise errors
    of `puppylog.errors` only. After an error the transaction may be aborted: the caller must not go on with it.
    """

    def run(self, sql: str, values: Values | None = None, /) -> object:
        """Execute one statement, or several without values. It is OK to return something: the caller ignores it."""

    def rows(self, sql: str, values: Values | None = None, /) -> list[dict[str, Any]]:
        """Return a short answer as rows by column name, in the order of the answer.

        Must give an INSERT, UPDATE or DELETE with RETURNING its rows as well. It is not for records: the rows are
        Python objects.
        """

    def value(self, sql: str, values: Values | None = None, /) -> Any:  # noqa: ANN401 - whatever the query gives
        """Return the one value of a query that gives one row with one column."""

    def fetch(self, sql: str, values: Values | None = None, /) -> pa.Table:
        """Return the whole answer as Arrow columns; must name them as the query does, also when there are no rows."""
