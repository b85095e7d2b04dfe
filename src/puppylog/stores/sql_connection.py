"""The interface of a connection to a database, written as obligations.

DuckDB's `Connection` and PostgreSQL's `Session` implement it. Code whose SQL works on both databases is written once,
for this interface.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeAlias

import pyarrow as pa

from puppylog.stores.base import Value

Values: TypeAlias = Mapping[str, Value | Sequence[Value]]
"""Values for the ``$names`` in a statement. A list is bound as an array."""


class SqlConnection(Protocol):
    """A connection within a transaction that its owner began.

    Every method must bind values and must never insert them into the SQL. Every method must raise only errors of
    `puppylog.errors`. After an error the transaction may be aborted, and the caller must not run more statements in it.
    """

    def run(self, sql: str, values: Values | None = None, /) -> object:
        """Execute one statement, or several without values. The caller ignores what this returns."""

    def rows(self, sql: str, values: Values | None = None, /) -> list[dict[str, Any]]:
        """Return a short answer as a list of rows, each a dict by column name, in the order of the answer.

        Must also return the rows of an INSERT, UPDATE or DELETE with RETURNING. Not for records: Python objects are
        slow for many rows.
        """

    def value(self, sql: str, values: Values | None = None, /) -> Any:  # noqa: ANN401 - whatever the query gives
        """Return the value of a query whose answer is one row with one column."""

    def fetch(self, sql: str, values: Values | None = None, /) -> pa.Table:
        """Return the whole answer as an Arrow table. Must have the query's column names, even without rows."""
