"""The translation of a server's errors to Puppylog's errors, which say whether a retry may help."""

from collections.abc import Callable, Iterator

import psycopg
import pytest

from puppylog.errors import (
    ConfigurationError,
    PuppylogError,
    QueryError,
    StoreError,
    StoreForbidden,
    StoreFull,
    StoreRefused,
    StoreUnavailable,
)
from puppylog.stores.postgres.ingest import pgcopy
from puppylog.stores.postgres.sessions.failures import (
    Attempt,
    RowRefused,
    translate,
    translate_connect,
    translate_copy,
    translate_query,
)
from puppylog.stores.postgres.sessions.session import Session
from support.embedded import wait_until
from support.postgres import PostgresServer

USE = Attempt("use", "store s")
WRITE = Attempt("write to", "store s")


def said(state: str, text: str = "it says so") -> psycopg.Error:
    """Return what psycopg raises when a server answers with this SQLSTATE."""
    return psycopg.errors.lookup(state)(text)


@pytest.mark.parametrize(
    ("state", "kind", "advice"),
    [
        ("53100", StoreFull, ""),
        ("53200", StoreUnavailable, ""),
        ("53300", StoreUnavailable, ""),
        ("57P01", StoreUnavailable, ""),
        ("57P02", StoreUnavailable, ""),
        ("57P03", StoreUnavailable, ""),
        ("57014", StoreUnavailable, ""),
        ("25P03", StoreUnavailable, ""),
        ("25P04", StoreUnavailable, ""),
        ("40001", StoreUnavailable, ""),
        ("40P01", StoreUnavailable, ""),
        ("55P03", StoreUnavailable, ""),
        ("58030", StoreUnavailable, ""),
        ("XX000", StoreUnavailable, ""),
        ("08006", StoreUnavailable, ""),
        ("25006", StoreRefused, "; if this is a standby, name its primary (or target_session_attrs=read-write)"),
        ("42501", StoreForbidden, "; see 'puppylog bootstrap --roles' for what each command needs"),
        ("58P01", StoreRefused, "; the server lacks a library that the database needs: install its package"),
        ("42P01", StoreError, ""),
    ],
)
def test_the_error_of_a_session_depends_on_the_sqlstate(state: str, kind: type[PuppylogError], advice: str) -> None:
    told = translate(said(state), USE)
    assert type(told) is kind
    assert told.message == f"cannot use store s: it says so{advice}"


@pytest.mark.parametrize("kind", [psycopg.OperationalError, psycopg.InterfaceError])
def test_an_error_without_sqlstate_means_that_the_store_does_not_answer(kind: Callable[[str], psycopg.Error]) -> None:
    told = translate(
        kind("consuming input failed: server closed it\n\tThis probably means\n\tthe worst."), Attempt("do", "it")
    )
    assert type(told) is StoreUnavailable
    assert told.message == "cannot do it: consuming input failed: server closed it"


@pytest.mark.parametrize("state", ["22021", "22003", "22P05", "23502", "54000"])
def test_a_copy_with_a_row_that_can_never_be_stored_raises_row_refused(state: str) -> None:
    told = translate_copy(said(state), WRITE)
    assert type(told) is RowRefused
    assert told.cause == "it says so"


@pytest.mark.parametrize("state", ["53100", "57P01", "25006", "23514"])
def test_a_copy_that_fails_for_another_reason_does_not_blame_a_row(state: str) -> None:
    assert type(translate_copy(said(state), WRITE)) is type(translate(said(state), WRITE))


@pytest.mark.parametrize("state", ["42601", "42P01", "22012", "0A000", "42501"])
def test_faults_of_a_users_sql_are_query_errors(state: str) -> None:
    told = translate_query(said(state))
    assert type(told) is QueryError
    assert told.message == "cannot run this SQL: it says so"


def test_a_query_that_ran_out_of_time_names_the_option() -> None:
    told = translate_query(said("57014"))
    assert type(told) is QueryError
    assert told.message == "cannot finish this query: it says so (see --timeout)"


def test_a_users_sql_that_writes_is_refused() -> None:
    assert translate_query(said("25006")).message == "cannot run this SQL: only reading is allowed"


def test_a_server_that_ends_during_a_users_sql_does_not_answer() -> None:
    assert type(translate_query(said("57P01"))) is StoreUnavailable


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ('password authentication failed for user "u"', "PGPASSWORD"),
        ("fe_sendauth: no password supplied", "set PGPASSWORD"),
        ('no pg_hba.conf entry for host "h", user "u"', "pg_hba.conf"),
        ('database "d" does not exist', "create it"),
        ('permission denied for database "d"', "CONNECT"),
        ('role "u" is not permitted to log in', "member"),
        ('definition of service "s" not found', "service file"),
        ("server does not support SSL, but SSL was required", "sslmode"),
        ("SSL error: certificate verify failed", "sslrootcert"),
        ('invalid integer value "x" for connection option "port"', "PGPORT"),
    ],
)
def test_a_connection_that_a_retry_does_not_help_is_a_configuration_error(text: str, advice: str) -> None:
    error = psycopg.OperationalError(f'connection failed: connection to server at "h", port 1 failed: FATAL:  {text}')
    told = translate_connect(error, "postgresql://h/d")
    assert type(told) is ConfigurationError
    assert told.message.startswith(f"cannot connect to postgresql://h/d: {text}; ")
    assert advice in told.message


@pytest.mark.parametrize(
    "text",
    [
        "the database system is starting up",
        "the database system is shutting down",
        "Connection refused",
        "connection timeout expired",
        "server closed the connection unexpectedly",
    ],
)
def test_a_connection_that_may_succeed_later_is_a_store_that_does_not_answer(text: str) -> None:
    told = translate_connect(psycopg.OperationalError(f"connection failed: FATAL:  {text}"), "postgresql://h/d")
    assert type(told) is StoreUnavailable
    assert told.message == f"cannot connect to postgresql://h/d: {text}"


# --- sessions that the server ends by a time limit of its own

# The server names the cause and closes the socket. A client that notices the closed socket first never reads the cause.
ENDED = "idle-in-transaction timeout|server closed the connection unexpectedly"


@pytest.fixture
def ended(shared_postgres: PostgresServer) -> Iterator[Session]:
    """A session that the server has ended during a transaction, which the client has not noticed yet."""
    url = shared_postgres.url(options="-c idle_in_transaction_session_timeout=1ms")
    with Session(url) as session:
        session.run("CREATE TEMPORARY TABLE t (a int)")
        pid = session.backend_pid
        session._connection.execute("BEGIN")
        with shared_postgres.connect() as admin:
            count = f"SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}"
            wait_until(lambda: admin.execute(count.encode()).fetchall() == [(0,)], what="the time limit")
        yield session


def test_a_session_that_the_server_has_timed_out_is_lost(ended: Session) -> None:
    with pytest.raises(StoreUnavailable, match=ENDED):
        ended.run("SELECT 1")
    assert ended.is_broken


def test_a_copy_in_a_timed_out_session_does_not_blame_a_row(ended: Session) -> None:
    with pytest.raises(StoreUnavailable, match=ENDED):
        ended.copy("COPY t FROM STDIN (FORMAT binary)", [pgcopy.HEADER, pgcopy.TRAILER])
    assert ended.is_broken
