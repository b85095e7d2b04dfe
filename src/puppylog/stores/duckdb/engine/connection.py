"""A connection to the database, within one transaction."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, Self

import duckdb
import pyarrow as pa

from puppylog.errors import QueryError
from puppylog.stores.duckdb.engine import reading_sql
from puppylog.stores.duckdb.engine.failures import translate_streamed, translated
from puppylog.stores.explained import iter_explained
from puppylog.stores.sql_connection import Values

_BATCH_ROWS: Final = 65_536


class Connection:
    """A connection within one transaction. Implements `puppylog.stores.sql_connection.SqlConnection`."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, noted_days: dict[int, float] | None = None) -> None:
        """Wrap a cursor of DuckDB. ``noted_days`` are those of the writer."""
        self._cursor = cursor
        # Kept from one write to the next, and emptied when one fails; for `tallies`.
        self.noted_days: dict[int, float] = {} if noted_days is None else noted_days

    def run(self, sql: str, values: Values | None = None) -> None:
        """Execute one statement, or several without parameters."""
        with translated():
            self._cursor.execute(sql, dict(values) if values else None)

    def fetch(self, sql: str, values: Values | None = None) -> pa.Table:
        """Return the whole answer of a query."""
        with translated():
            table: pa.Table = self._relation(sql, values).to_arrow_table()
            return table

    def rows(self, sql: str, values: Values | None = None) -> list[dict[str, Any]]:
        """Return a short answer as a list of rows, each a dict by column name. Not for records, which are too many."""
        return self.fetch(sql, values).to_pylist()

    def value(self, sql: str, values: Values | None = None) -> Any:  # noqa: ANN401 - whatever the query gives
        """Return the value of a query whose answer is one row with one column."""
        (row,) = self.rows(sql, values)
        (value,) = row.values()
        return value

    def batches(self, sql: str, values: Values | None = None) -> pa.RecordBatchReader:
        """Return a reader of a query's answer. DuckDB computes each batch when it is read. Enumerations become text."""
        with translated():
            reader: pa.RecordBatchReader = self._relation(sql, values).to_arrow_reader(_BATCH_ROWS)
        plain = [field.with_type(_plain_type(field.type)) for field in reader.schema]
        return reader.cast(pa.schema(plain))

    @contextmanager
    def table(self, name: str, rows: object) -> Iterator[None]:
        """Make ``rows`` a table called ``name`` for the statements in the ``with`` block, without a copy.

        Args:
            name: of the table.
            rows: a table or a data set of Arrow.
        """
        with translated():
            self._cursor.register(name, rows)
        try:
            yield
        except BaseException:
            with suppress(duckdb.Error):  # the transaction is aborted; the error that aborted it is raised below
                self._cursor.unregister(name)
            raise
        with translated():
            self._cursor.unregister(name)

    @contextmanager
    def reading(self) -> Iterator[Self]:
        """Yield another connection, with a read-only transaction. Its errors do not affect this transaction."""
        with translated():
            cursor = self._cursor.cursor()
        try:
            with translated():
                cursor.execute("BEGIN TRANSACTION READ ONLY")
            yield type(self)(cursor)
        finally:
            cursor.close()

    def reads_only(self, sql: str) -> None:
        """Check that ``sql`` is one statement that only reads.

        Raises:
            QueryError: it is not; the cause says why.
        """
        reading_sql.refuse_size(sql)
        statement = self._only_statement(sql)
        if statement.type == duckdb.StatementType.EXPLAIN:
            statement = self._explained(sql)
        if statement.type != duckdb.StatementType.SELECT:
            raise QueryError("run", "this SQL", f"only reading is allowed, not {statement.type.name}")
        reading_sql.check_tree(self.value("SELECT json_serialize_sql($sql)", {"sql": statement.query}))

    def _only_statement(self, sql: str) -> duckdb.Statement:
        with translated():
            statements = self._cursor.extract_statements(sql)
        if len(statements) != 1:
            raise QueryError("run", "this SQL", f"it has {len(statements)} statements, but only one is allowed")
        return statements[0]

    def _explained(self, sql: str) -> duckdb.Statement:
        """Return the statement within an EXPLAIN, which EXPLAIN ANALYZE runs."""
        for text in iter_explained(sql):
            with suppress(QueryError):
                return self._only_statement(text)
        raise QueryError("run", "this SQL", "only reading is allowed, and this EXPLAIN has no statement to check")

    def limit_memory(self, size_bytes: int) -> None:
        """Limit the memory in which this connection's queries sort and hash. Beyond the limit they spill to disk."""
        with translated():
            self._cursor.execute(f"SET operator_memory_limit = '{size_bytes}B'")

    def interrupt(self) -> None:
        """Interrupt the query that another thread runs on this connection. It is OK if no query runs."""
        self._cursor.interrupt()

    def _relation(self, sql: str, values: Values | None) -> duckdb.DuckDBPyRelation:
        relation = self._cursor.sql(sql, params=dict(values) if values else None)
        if relation is None:
            raise QueryError("run", "this SQL", "it gives no rows")
        return relation


def _plain_type(type_: pa.DataType) -> pa.DataType:
    """Return the type of the values instead of a dictionary type: Flight would send the values before the batches."""
    return type_.value_type if pa.types.is_dictionary(type_) else type_


def iter_batches(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """Yield an answer's batches as DuckDB computes them. Errors of DuckDB come through Arrow, without their class."""
    while True:
        try:
            batch = reader.read_next_batch()
        except StopIteration:
            return
        except (pa.ArrowException, OSError) as error:
            raise translate_streamed(error) from error
        yield batch
