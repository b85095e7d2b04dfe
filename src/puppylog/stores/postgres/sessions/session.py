"""A session with the server: it runs SQL, returns Arrow tables and rows, and raises only Puppylog's errors.

Named values (``$name``) become numbered parameters of PostgreSQL. They are sent separately from the statement and never
inserted into it. Quoted texts and comments are not changed.
"""

import logging
import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import lru_cache
from typing import Any, Final, Self

import psycopg
import pyarrow as pa
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus

from puppylog.errors import ConfigurationError, PuppylogError, StoreUnavailable
from puppylog.stores.explained import iter_explained
from puppylog.stores.postgres.sessions.answers import batch_of, read_rest_as_text, schema_of
from puppylog.stores.postgres.sessions.connecting import DEFAULTS, connect, get_server_process
from puppylog.stores.postgres.sessions.failures import (
    Attempt,
    Right,
    is_session_exchanged,
    translate,
    translate_copy,
    translate_query,
    translate_url,
    translated,
)
from puppylog.stores.postgres.sessions.pooler import (
    ASK,
    keeps_lock,
    new_mark,
    refuse_shared,
    refuse_unreset,
    shares_sessions,
)
from puppylog.stores.queries import load_queries

_QUERIES: Final = load_queries("puppylog.stores.postgres", "server.sql")

Values = Mapping[str, Any]

# psycopg warns when it gives up a lost connection; the error has reported that already.
logging.getLogger("psycopg").addHandler(logging.NullHandler())

_WORD: Final = re.compile(r"--[^\n]*|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$([a-z_]+)")
_PORTS: Final = re.compile(r"[0-9]{0,5}(,[0-9]{0,5})*")  # one for each host
_BATCH_ROWS: Final = 65_536
_CANCEL_S: Final = 5.0

# The meaning of Puppylog's SQL depends on these settings, and a server, a database, a role or a URL may change them.
# Records are sent as UTF-8. A transaction that waits for a lock must see what was committed before the lock was free.
# With standard_conforming_strings off, a backslash escapes the quote after it: an expression that was checked would be
# read as another one, and could end in the middle of the query.
_SET_UP: Final = """
SET client_encoding = 'UTF8';
SET default_transaction_isolation = 'read committed';
SET array_nulls = on;
SET standard_conforming_strings = on;
SET transform_null_equals = off;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET IntervalStyle = 'postgres';
SET extra_float_digits = 1;
SET search_path = puppylog, public;
SET tcp_keepalives_idle = 30;
SET tcp_keepalives_interval = 10;
SET tcp_keepalives_count = 3;
SET tcp_user_timeout = 60000;
"""


def parse_url(url: str) -> dict[str, str]:
    """Return the parameters of libpq that ``url`` gives.

    Raises:
        ConfigurationError: libpq does not understand ``url``. The message does not repeat a password.
    """
    try:
        given = {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None}
    except UnicodeError:
        raise ConfigurationError("read", "the store's URL", "the bytes after a % in it are not UTF-8") from None
    except psycopg.ProgrammingError as error:
        raise translate_url(error) from None
    # A slash in a password ends the host. The rest of the password would then be shown as the name of the database.
    is_host_cut = "@" in url.partition("://")[2].partition("?")[0].partition("/")[2]
    if is_host_cut or "@" in given.get("host", "") or not _PORTS.fullmatch(given.get("port", "")):
        raise ConfigurationError(
            "read",
            "the store's URL",
            "its host and port are not valid",
            advice=("write postgresql://user@host:port/database, and in a password %40 for @, %3A for :, %2F for /"),
        )
    return given


def name_store(url: str) -> str:
    """Return the URL without secrets, for messages: the server's address and the database."""
    given = parse_url(url)
    host = given.get("host") or given.get("hostaddr") or given.get("service", "")
    port = f":{given['port']}" if "port" in given else ""
    return f"postgresql://{host}{port}/{given.get('dbname', '')}"


@lru_cache(maxsize=1024)
def _numbered(sql: str) -> tuple[str, tuple[str, ...]]:
    """Return ``sql`` with ``$1`` for the first of its ``$names`` and so on, and the names in that order."""
    names: list[str] = []

    def number(match: re.Match[str]) -> str:
        name = match[1]
        if name is None:
            return match[0]
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    return _WORD.sub(number, sql), tuple(names)


class Session:
    """One connection. Implements `puppylog.stores.sql_connection.SqlConnection`. Usable with ``with``.

    A statement of another thread waits until this thread's statement or transaction is over.
    """

    def __init__(self, url: str, *, application: str = "puppylog") -> None:
        """Connect.

        Raises:
            ConfigurationError: the server refuses the connection for a reason that a retry does not cure, or a pooler
                does not keep a session for its client, or does not reset it afterwards.
            StoreUnavailable: the server does not answer.
        """
        self.name = name_store(url)
        given = parse_url(url)
        defaults = {key: value for key, value in DEFAULTS.items() if key not in given}
        self._lock = threading.RLock()
        # Statements and transactions under the lock; `close`, and what a session is asked about itself, without it.
        self._connection = connect(url, application, defaults, self.name)
        self.name = self._name()
        self._role = str(self._connection.info.user)  # a lost connection no longer tells it
        read_rest_as_text(self._connection)
        try:
            # A pooler invents a process number for each client; the server's own number differs from it.
            if get_server_process(self._connection, self.name) != self.backend_pid:
                self._check_pooler(url, application, defaults)
            self.run(_SET_UP)
        except PuppylogError:
            self.close()
            raise

    def _check_pooler(self, url: str, application: str, defaults: Mapping[str, str]) -> None:
        mark = new_mark()
        other = connect(url, application, defaults, self.name)
        with translated(self._attempt()), closing(other):
            get_server_process(other, self.name)
            if shares_sessions(lambda: int(self.value(ASK)), lambda: int(other.execute(ASK).fetchall()[0][0])):
                raise refuse_shared(self.name)
            other.execute(_numbered(_QUERIES["mark_session"])[0], [mark])
        if keeps_lock(lambda: bool(self.value(_QUERIES["is_marked"], {"mark": mark}))):
            raise refuse_unreset(self.name)

    def mark(self) -> int:
        """Mark the session, so that `end_marked` ends it and no other one."""
        mark = new_mark()
        self.run(_QUERIES["mark_session"], {"mark": mark})
        return mark

    def end_marked(self, mark: int) -> None:
        """End the session with this mark. It is OK if that session has ended, or serves another client of a pooler."""
        self.run(_QUERIES["end_marked_session"], {"mark": mark})

    def _name(self) -> str:
        """Return the server and database of the open connection, which the environment or a service file may choose."""
        info = self._connection.info
        where = "" if info.host.startswith("/") else f"{info.host}:{info.port}"
        return f"postgresql://{where}/{info.dbname}"

    @property
    def is_broken(self) -> bool:
        return self._connection.closed or self._connection.broken

    @property
    def backend_pid(self) -> int:
        return int(self._connection.info.backend_pid)

    @property
    def server_version(self) -> int:
        """As in 170004 for 17.4."""
        return int(self._connection.info.server_version)

    @property
    def role(self) -> str:
        return self._role

    @property
    def database(self) -> str:
        return str(self._connection.info.dbname)

    def run(self, sql: str, values: Values | None = None) -> int:
        """Execute one statement, or several without values; return how many rows it has changed or given."""
        with self._lock, self._cursor() as cursor:
            self._execute(cursor, sql, values)
            return int(cursor.rowcount)

    def rows(self, sql: str, values: Values | None = None) -> list[dict[str, Any]]:
        """Return a short answer as a list of rows, each a dict by column name. Not for records, which are too many."""
        with self._lock, self._cursor() as cursor:
            self._execute(cursor, sql, values)
            names = [column.name for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def value(self, sql: str, values: Values | None = None) -> Any:  # noqa: ANN401 - whatever the query gives
        """Return the value of a query whose answer is one row with one column."""
        (row,) = self.rows(sql, values)
        (value,) = row.values()
        return value

    def fetch(self, sql: str, values: Values | None = None) -> pa.Table:
        """Return the whole answer of a query.

        It is planned for its values each time. The server would soon use one plan for all values, which
        cannot leave out the chunks that the values exclude.
        """
        with self._lock, self._cursor(Right.READ) as cursor:
            self._execute(cursor, sql, values, prepare=False)
            rows = cursor.fetchall()
            schema = schema_of(cursor.description or (), rows, is_all=True)
            return pa.Table.from_batches([batch_of(rows, schema)])

    def copy(self, sql: str, pieces: Iterable[Any]) -> None:
        """Run a COPY and send its data in pieces.

        Raises:
            RowRefused: the server refuses one of the rows because of its values.
        """
        with self._lock:
            try:
                with self._connection.cursor() as cursor, cursor.copy(sql) as copy:
                    for piece in pieces:
                        copy.write(piece)
            except psycopg.Error as error:
                raise translate_copy(
                    error, Attempt("write to", f"store {self.name}", self.role, Right.WRITE)
                ) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run the ``with`` block in a transaction. Within another transaction it is a savepoint."""
        with self._lock:
            try:
                with self._connection.transaction():
                    yield
            except psycopg.Error as error:
                raise translate(error, self._attempt()) from error

    @contextmanager
    def reading(self, sql: str, values: Values | None = None) -> Iterator[Iterator[pa.RecordBatch]]:
        """Run a user's statement in a read-only transaction, and yield its answer in batches.

        ``values`` are those of the ``$names`` in the statement.

        A cursor accepts only a statement that returns rows, and a prepared statement is only one statement. So a user
        cannot run anything else, regardless of the rights of the role.
        """
        with self._lock, self._connection.cursor() as cursor:
            try:
                cursor.execute("BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED READ ONLY")
                yield self._read(cursor, sql, values)
            except psycopg.Error as error:
                raise translate_query(error) from error
            finally:
                with suppress(psycopg.Error):
                    self._connection.rollback()

    def _read(self, cursor: "psycopg.Cursor[Any]", sql: str, values: Values | None) -> Iterator[pa.RecordBatch]:
        text = sql.strip().removesuffix(";").strip()
        bound: list[Any] | None = None  # without values, a $ means what it means to the server
        if values:
            text, names = _numbered(text)
            bound = [values[name] for name in names]
        explained = list(iter_explained(text))
        is_explained = bool(explained)
        if is_explained:
            self._check_explained(cursor, explained, bound)
        if is_explained:
            cursor.execute(text, bound, prepare=True)
        else:
            self._declare(cursor, text, bound)
            cursor.execute(f"FETCH FORWARD {_BATCH_ROWS} FROM answer")
        rows = cursor.fetchall()
        is_all = is_explained or len(rows) < _BATCH_ROWS
        schema = schema_of(cursor.description or (), rows, is_all=is_all)
        return self._iter_batches(cursor, rows, schema, is_all=is_all)

    def _declare(self, cursor: "psycopg.Cursor[Any]", text: str, bound: Sequence[Any] | None) -> None:
        """Declare the cursor ``answer``, which sees every row that was committed before its locks were free.

        DECLARE takes its snapshot first and then waits for the locks of its tables. A job that makes a chunk columnar
        empties a table and writes its rows elsewhere: the cursor of a snapshot from before sees neither. So a first
        cursor waits, the transaction keeps its locks, and the second cursor has a snapshot from after them.
        """
        declared = f"DECLARE answer NO SCROLL CURSOR FOR {text}"
        cursor.execute(declared, bound, prepare=True)
        cursor.execute("CLOSE answer")
        cursor.execute(declared, bound, prepare=True)

    def _check_explained(
        self, cursor: "psycopg.Cursor[Any]", texts: Sequence[str], bound: Sequence[Any] | None
    ) -> None:
        """Refuse an EXPLAIN of a statement that no cursor accepts, such as CREATE TABLE AS, which ANALYZE would run."""
        error: psycopg.Error | None = None
        for text in texts:
            try:
                with self._connection.transaction(force_rollback=True):
                    cursor.execute(f"DECLARE explained NO SCROLL CURSOR FOR {text}", bound, prepare=True)
            except psycopg.Error as refusal:
                error = error or refusal
            else:
                return
        assert error is not None  # noqa: S101 - `texts` is not empty
        raise error

    def _iter_batches(
        self, cursor: "psycopg.Cursor[Any]", rows: Sequence[Any], schema: pa.Schema, *, is_all: bool
    ) -> Iterator[pa.RecordBatch]:
        yield batch_of(rows, schema)
        while not is_all:
            try:
                rows = cursor.execute(f"FETCH FORWARD {_BATCH_ROWS} FROM answer").fetchall()
            except psycopg.Error as error:
                raise translate_query(error) from error
            is_all = len(rows) < _BATCH_ROWS
            if rows:
                yield batch_of(rows, schema)

    def _attempt(self, right: Right = Right.ANY) -> Attempt:
        return Attempt("use", f"store {self.name}", self.role, right)

    @contextmanager
    def _cursor(self, right: Right = Right.ANY) -> Iterator["psycopg.Cursor[Any]"]:
        try:
            with self._connection.cursor() as cursor:
                yield cursor
        except psycopg.Error as error:
            translation = translate(error, self._attempt(right))
            if is_session_exchanged(error):
                self.close()  # the next session finds out whether the pooler's settings are fit
            if self.is_broken and not isinstance(translation, StoreUnavailable):
                translation = StoreUnavailable(*translation.parts)
            raise translation from error
        except BaseException:
            if self._connection.info.transaction_status is TransactionStatus.ACTIVE:
                self.close()  # interrupted in a statement: its answer would be read as the answer to the next one
            raise

    def _execute(
        self, cursor: "psycopg.Cursor[Any]", sql: str, values: Values | None, *, prepare: bool | None = None
    ) -> None:
        if not values:
            cursor.execute(sql, prepare=prepare)
            return
        text, names = _numbered(sql)
        cursor.execute(text, [values[name] for name in names], prepare=prepare)

    def cancel(self) -> None:
        """Make the server end the statement that another thread runs. Does not wait for that thread."""
        with suppress(psycopg.Error):  # the session is lost, and the statement with it
            self._connection.cancel_safe(timeout=_CANCEL_S)

    def close(self) -> None:
        with suppress(psycopg.Error):
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
