"""A server with messages in another language: the translation of its errors depends on no word of them."""

from collections.abc import Callable, Iterator

import pytest

from puppylog.errors import (
    ConfigurationError,
    PuppylogError,
    QueryError,
    StoreCrowded,
    StoreForbidden,
    StoreRefused,
    StoreUnavailable,
)
from puppylog.model.finding import Health
from puppylog.model.metric import Metric
from puppylog.monitor.doctor import list_findings
from puppylog.stores.connect import connect
from puppylog.stores.postgres.schema.bootstrap import bootstrap
from puppylog.stores.postgres.sessions.failures import RowRefused
from puppylog.stores.postgres.sessions.session import Session
from support.foreign_server import WORDS, ForeignServer
from support.postgres import PostgresServer

SECRET = "a secret"  # noqa: S105 - of a server that lives as long as this module

UrlOf = Callable[..., str]


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer(password=SECRET) as server:
        bootstrap(server.url(), with_roles=True)
        with connect(server.url()) as store, server.connect() as admin:
            store.create_metric(Metric("total", "count", "*", 1, refresh_s=1))
            for role in ("writer", "stranger", "locked_out", "crowded"):
                admin.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{SECRET}'".encode())
            admin.execute("GRANT puppylog_writer TO writer")
            admin.execute("ALTER ROLE locked_out NOLOGIN")
            admin.execute("ALTER ROLE crowded CONNECTION LIMIT 0")
            admin.execute("CREATE DATABASE closed")
            admin.execute("REVOKE CONNECT ON DATABASE closed FROM PUBLIC")
        yield server


@pytest.fixture(params=["in English", "in another language"])
def url_of(request: pytest.FixtureRequest, server: PostgresServer) -> Iterator[UrlOf]:
    """The URL of a database for a role, at the server itself or behind a wire that replaces its words."""
    with ForeignServer(server.socket) as wire:
        port = None if request.param == "in English" else wire.port

        def url_of(role: str = "postgres", database: str = "postgres") -> str:
            return server.url(database, port=port, sslmode="disable").replace("//postgres:", f"//{role}:")

        yield url_of


def test_the_wire_replaces_every_word_of_the_server(server: PostgresServer) -> None:
    with ForeignServer(server.socket) as wire, Session(server.url(port=wire.port, sslmode="disable")) as session:
        with pytest.raises(PuppylogError) as refused:
            session.run("SELECT * FROM nothing")
        assert refused.value.cause == WORDS


def test_the_error_names_the_grant_that_a_reading_role_lacks(url_of: UrlOf) -> None:
    with connect(url_of("writer")) as store, pytest.raises(StoreForbidden) as refused:
        store.query("SELECT * FROM puppylog.log_records")
    assert refused.value.exit_code == 78
    assert refused.value.advice == (
        "role 'writer' lacks a right: GRANT puppylog_reader TO writer lets it read (see 'puppylog bootstrap --roles')"
    )


def test_sql_that_names_a_table_which_the_role_may_not_read_is_refused_as_any_command(url_of: UrlOf) -> None:
    with (
        connect(url_of("writer")) as store,
        pytest.raises(StoreForbidden) as refused,
        store.stream_query("SELECT * FROM log_records"),
    ):
        pass
    assert (refused.value.exit_code, refused.value.thing) == (78, "this SQL")
    assert "GRANT puppylog_reader TO writer" in refused.value.advice


def test_sql_on_a_forbidden_table_outside_the_store_is_a_query_error(url_of: UrlOf, server: PostgresServer) -> None:
    with server.connect() as admin:
        admin.execute("GRANT puppylog_reader TO stranger")
    try:
        with (
            connect(url_of("stranger")) as store,
            pytest.raises(QueryError),
            store.stream_query("SELECT * FROM pg_authid"),
        ):
            pass
    finally:
        with server.connect() as admin:
            admin.execute("REVOKE puppylog_reader FROM stranger")


def test_the_error_of_a_definition_names_who_may_define(url_of: UrlOf) -> None:
    with connect(url_of("writer")) as store, pytest.raises(StoreForbidden) as refused:
        store.create_metric(Metric("more", "count", "*", 60))
    assert "only the owner of the store defines metrics and alerts" in refused.value.advice


def test_the_error_names_the_roles_for_a_role_without_any_right(url_of: UrlOf) -> None:
    with pytest.raises(StoreForbidden, match="role 'stranger' may not read it; make it a member of puppylog_reader"):
        connect(url_of("stranger"))


def test_a_part_that_a_role_may_not_read_gives_a_note_of_the_doctor(url_of: UrlOf) -> None:
    with connect(url_of("writer")) as store:
        found = {finding.subject: finding for finding in list_findings(store, recheck_s=0)}
    assert found["metrics"].state is Health.NOTE
    assert found["metrics"].found.startswith("this role may not see it: ")


@pytest.mark.parametrize(
    ("setting", "sql", "kind"),
    [
        ("SET statement_timeout = '1ms'", "SELECT pg_sleep(10)", StoreUnavailable),
        ("SET default_transaction_read_only = on", "CREATE TABLE t (a int)", StoreRefused),
        ("SET lock_timeout = 0", "SELECT pg_terminate_backend(pg_backend_pid())", StoreUnavailable),
    ],
)
def test_a_failed_statement_is_recognized_by_its_sqlstate(
    url_of: UrlOf, setting: str, sql: str, kind: type[PuppylogError]
) -> None:
    with Session(url_of()) as session:
        session.run(setting)
        with pytest.raises(kind) as refused:
            session.run(sql)
    assert type(refused.value) is kind


def test_a_refused_row_is_distinguished_from_a_failed_copy(url_of: UrlOf) -> None:
    with Session(url_of()) as session:
        session.run("CREATE TEMPORARY TABLE t (a int CHECK (a > 0))")
        with pytest.raises(RowRefused):
            session.copy("COPY t FROM STDIN", [b"-1\n"])
        with pytest.raises(StoreForbidden), Session(url_of("stranger")) as other:
            other.copy("COPY pg_authid FROM STDIN", [b""])


def test_a_query_that_takes_too_long_is_recognized_by_its_sqlstate(url_of: UrlOf) -> None:
    with connect(url_of(), timeout_s=1) as store, pytest.raises(QueryError, match="took longer than 1 s"):
        store.query("SELECT pg_sleep(60)")


@pytest.mark.parametrize(
    ("role", "database", "kind", "advice"),
    [
        ("postgres", "missing", ConfigurationError, "create it"),
        ("nobody", "postgres", ConfigurationError, "PGPASSWORD"),
        ("locked_out", "postgres", ConfigurationError, "role"),
        ("writer", "closed", ConfigurationError, "CONNECT"),
        ("crowded", "postgres", StoreCrowded, "CONNECTION LIMIT"),
    ],
)
def test_a_refused_connection_is_recognized_by_its_sqlstate(
    url_of: UrlOf, role: str, database: str, kind: type[PuppylogError], advice: str
) -> None:
    with pytest.raises(kind) as refused:
        connect(url_of(role, database))
    assert advice in refused.value.advice
