"""The one owner of the database. Only this module and the translator of DuckDB's exceptions, `failures`, import DuckDB.

DuckDB lets one process write a file, and one transaction at a time is all it does well. So there is one queue with one
thread behind it for everything that writes, and a cursor of its own for everyone who reads.
"""

import logging
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self, TypeVar

import duckdb
import pyarrow as pa

from puppylog.errors import PuppylogError, QueryError, StoreDamaged, StoreFull, StoreRefused
from puppylog.stores.duckdb.engine import reading_sql
from puppylog.stores.duckdb.engine.damage import DamageNote
from puppylog.stores.duckdb.engine.failures import BrokenByDamage, BrokenError, translate_streamed, translated
from puppylog.stores.explained import iter_explained
from puppylog.stores.sql_connection import Values

T = TypeVar("T")

MEMORY_LIMIT_BYTES = 2_000_000_000
"""What a log collector may take of a machine that has other work to do; larger queries spill to disk."""

SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "threads": max(2, os.cpu_count() or 2),
    "memory_limit": f"{MEMORY_LIMIT_BYTES}B",
    # A thread turns to another query after a part of its work, so that a long query does not hold up the writer.
    "scheduler_process_partial": "true",
    # Rows of a batch may be written by several threads at once. Every query that needs an order names it.
    "preserve_insertion_order": "false",
    # A user's SQL reads the store and nothing else: no files, no network, no extensions.
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    # A name in a user's SQL is a table's, never that of a variable of ours.
    "python_enable_replacements": "false",
}
"""How the database is opened. The bench opens the database that it compares with in the same way."""

# From here on nothing can change a setting, whatever SQL gets through: only those of one connection that are named.
_LOCK = """
SET GLOBAL TimeZone = 'UTC';
SET GLOBAL allowed_configs = ['search_path', 'operator_memory_limit'];
SET GLOBAL lock_configuration = true;
"""

_log = logging.getLogger("puppylog.engine")

_BATCH_ROWS = 65_536


class Connection:
    """A connection within one transaction. Implements `puppylog.stores.sql_connection.SqlConnection`."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self._cursor = cursor

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
        """Return a short answer as rows by column name: definitions, never records."""
        return self.fetch(sql, values).to_pylist()

    def value(self, sql: str, values: Values | None = None) -> Any:  # noqa: ANN401 - whatever the query gives
        """Return the one value of a query of one row and one column."""
        (row,) = self.rows(sql, values)
        (value,) = row.values()
        return value

    def batches(self, sql: str, values: Values | None = None) -> pa.RecordBatchReader:
        """Return the answer of a query in batches, made while they are read. Enumerations come as text."""
        with translated():
            reader: pa.RecordBatchReader = self._relation(sql, values).to_arrow_reader(_BATCH_ROWS)
        plain = [field.with_type(_plain_type(field.type)) for field in reader.schema]
        return reader.cast(pa.schema(plain))

    @contextmanager
    def table(self, name: str, rows: pa.Table) -> Iterator[None]:
        """Let statements read ``rows`` under ``name``, without a copy."""
        with translated():
            self._cursor.register(name, rows)
        try:
            yield
        except BaseException:
            with suppress(duckdb.Error):  # the transaction is aborted, and what aborted it is the error to tell
                self._cursor.unregister(name)
            raise
        with translated():
            self._cursor.unregister(name)

    def reads_only(self, sql: str) -> None:
        """Refuse what is not one statement that reads.

        Raises:
            QueryError: with the reason.
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
            raise QueryError("run", "this SQL", f"it has {len(statements)} statements, and one is allowed")
        return statements[0]

    def _explained(self, sql: str) -> duckdb.Statement:
        """Return the statement that an EXPLAIN explains, and with ANALYZE runs."""
        for text in iter_explained(sql):
            with suppress(QueryError):
                return self._only_statement(text)
        raise QueryError("run", "this SQL", "what it explains cannot be told to read only")

    def limit_memory(self, size_bytes: int) -> None:
        """Bound what this connection's queries may sort and hash; beyond it they spill to disk."""
        with translated():
            self._cursor.execute(f"SET operator_memory_limit = '{size_bytes}B'")

    def interrupt(self) -> None:
        """Make the query that runs in another thread fail. It is OK if none does."""
        self._cursor.interrupt()

    def _relation(self, sql: str, values: Values | None) -> duckdb.DuckDBPyRelation:
        relation = self._cursor.sql(sql, params=dict(values) if values else None)
        if relation is None:
            raise QueryError("run", "this SQL", "it gives no rows")
        return relation


class Engine:
    """The open database. Usable with ``with``; everything in it is durable when `write` returns.

    Any thread may call `write`, `write_soon` and `read`; what they are given runs in the writer's thread, and in the
    caller's own for `read`.
    """

    def __init__(self, path: Path, damage: DamageNote | None = None) -> None:
        """Open the database at ``path``, made if it is missing.

        Args:
            path: of the database file.
            damage: where to note that a part of the database cannot be read.

        Raises:
            StoreDamaged: it is no database, or one that cannot be read.
            StoreRefused: it is one of a newer DuckDB, or another process has it.
            StoreFull: the disk is full.
        """
        # Fields without a comment are not changed after the constructor.
        self.is_broken = threading.Event()  # set in any thread; an engine that is broken stays so
        self._store_path = path.resolve().parent
        self._damage = damage
        # Set once, by `number_commits`, before other threads know the engine; used in the writer's thread.
        self._number_commit: Callable[[Connection], int] | None = None
        self._mark_commit: Callable[[int], None] | None = None
        try:
            with translated():
                self._root = duckdb.connect(str(path), config=SETTINGS)  # in any thread, to make cursors only
                self._root.execute(_LOCK)
        except StoreFull:
            raise
        except StoreDamaged as error:
            raise self._describe_damage(error) from None
        except PuppylogError as error:
            raise StoreRefused("open", f"database {path.resolve()}", error.cause) from None
        self._queue = ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer")
        self._writer = self._root.cursor()  # in the writer's thread, and in `close` after that thread has ended

    @property
    def version(self) -> str:
        return str(duckdb.__version__)

    def number_commits(self, number: Callable[[Connection], int], mark: Callable[[int], None]) -> None:
        """Call ``number`` at the end of each transaction from now on, and ``mark`` with its result after the commit.

        Must be called before other threads know the engine. Both are called in the writer's thread.
        """
        self._number_commit, self._mark_commit = number, mark

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in a transaction of its own, after all that were asked for before; return what it returns."""
        return self._queue.submit(self._transaction, work).result()

    def write_soon(self, work: Callable[[Connection], None]) -> None:
        """Run ``work`` as `write` does, but return at once. An error is logged."""

        def note(done: Future[None]) -> None:
            if (error := done.exception()) is not None:
                _log.error("a transaction whose result no client waits for has failed: %s", error)

        self._queue.submit(self._transaction, work).add_done_callback(note)

    def _transaction(self, work: Callable[[Connection], T]) -> T:
        connection = Connection(self._writer)
        try:
            connection.run("BEGIN")
            result = work(connection)
            number = None if self._number_commit is None else self._number_commit(connection)
            connection.run("COMMIT")
        except StoreDamaged as error:
            self._roll_back(error)
            raise self._note_damage(error) from None
        except BaseException as error:
            self._roll_back(error)
            raise
        # After the commit, so that the mark is never ahead of the database, whenever the process is killed.
        if number is not None and self._mark_commit is not None:
            self._mark_commit(number)
        return result

    def _roll_back(self, cause: BaseException) -> None:
        try:
            self._writer.execute("ROLLBACK")
        except duckdb.TransactionException:
            pass  # a failed commit has rolled back already
        except duckdb.Error:
            self.is_broken.set()
        if isinstance(cause, BrokenError | BrokenByDamage):
            self.is_broken.set()

    def _describe_damage(self, error: StoreDamaged) -> StoreDamaged:
        return type(error)("read", f"the store {self._store_path}", error.cause)

    def _note_damage(self, error: StoreDamaged) -> StoreDamaged:
        if self._damage is not None:
            self._damage.note(error.cause)
        return self._describe_damage(error)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the store and cannot change it."""
        cursor = self._root.cursor()
        try:
            with translated():
                cursor.execute("SET search_path = 'puppylog,main'")  # a user's SQL finds log_records as it stands
                cursor.execute("BEGIN TRANSACTION READ ONLY")
            yield Connection(cursor)
        except StoreDamaged as error:
            if isinstance(error, BrokenByDamage):
                self.is_broken.set()
            raise self._note_damage(error) from None
        except BrokenError:
            self.is_broken.set()
            raise
        finally:
            cursor.close()

    def close(self) -> None:
        """Run the queued transactions, fold the log into the database file, and close it."""
        self._queue.shutdown()
        self._writer.close()
        self._root.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _plain_type(type_: pa.DataType) -> pa.DataType:
    """Return the type without dictionaries, whose values would have to be sent before the batches."""
    return type_.value_type if pa.types.is_dictionary(type_) else type_


def iter_batches(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """Give an answer's batches as they are made. What goes wrong meanwhile comes through Arrow, without its class."""
    while True:
        try:
            batch = reader.read_next_batch()
        except StopIteration:
            return
        except (pa.ArrowException, OSError) as error:
            raise translate_streamed(error) from error
        yield batch
