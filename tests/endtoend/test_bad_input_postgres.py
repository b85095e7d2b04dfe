"""If a command cannot use a PostgreSQL store, it prints one line with the thing, the cause and the advice."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest
from psycopg import sql

from support.commands import Puppylog
from support.inprocess import InProcessPuppylog
from support.postgres import PostgresServer
from support.refusals import assert_refused

PuppylogAt: TypeAlias = Callable[[str], InProcessPuppylog]

LINE = b'10.0.0.1 - - [01/Mar/2026:12:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "-"\n'
METRICS = ("monitor", "metrics", "list")
NOWHERE = {"PGPASSFILE": "/nonexistent/pgpass"}
PASSWORD = "sesame/opens@it:all"  # noqa: S105 - of a server of the tests' own; every sign in it means something in a URL


@pytest.fixture(scope="module")
def guarded() -> Iterator[PostgresServer]:
    """A server that asks for a password, on a port."""
    with PostgresServer(over_tcp=True, password=PASSWORD) as server:
        yield server


@pytest.fixture
def puppylog_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> PuppylogAt:
    """Return a function that runs commands against the store at a URL."""
    return lambda url: InProcessPuppylog(Puppylog(url, tmp_path), capsys)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "access.log"
    path.write_bytes(LINE)
    return path


@pytest.fixture(params=["collector", "bootstrap", "monitor"])
def command(request: pytest.FixtureRequest, log: Path) -> tuple[str, ...]:
    """A command that writes, one that installs, and one that reads."""
    return {"collector": ("collector", "-s", str(log)), "bootstrap": ("bootstrap",), "monitor": METRICS}[request.param]


def without_password(server: PostgresServer) -> str:
    before, _, after = server.url().partition("@")
    return f"{before.rpartition(':')[0]}@{after}"


def test_the_right_password(guarded: PostgresServer, puppylog_at: PuppylogAt) -> None:
    """From the URL, and from libpq's environment."""
    assert_refused(puppylog_at(guarded.url())(*METRICS), 78, "not installed", "run 'puppylog bootstrap' first")
    ran = puppylog_at(without_password(guarded))(*METRICS, environment={"PGPASSWORD": PASSWORD})
    assert_refused(ran, 78, "not installed")


def test_a_wrong_password(guarded: PostgresServer, puppylog_at: PuppylogAt, command: tuple[str, ...]) -> None:
    ran = puppylog_at(without_password(guarded))(*command, environment={"PGPASSWORD": "guess"})
    assert_refused(ran, 78, "cannot connect to postgresql://127.0.0.1:", "password authentication failed", "PGPASSWORD")
    assert "guess" not in ran.err


def test_no_password(guarded: PostgresServer, puppylog_at: PuppylogAt, command: tuple[str, ...]) -> None:
    ran = puppylog_at(without_password(guarded))(*command, environment=NOWHERE)
    assert_refused(ran, 78, "no password supplied", "set PGPASSWORD, or write the password into ~/.pgpass")


def test_an_unknown_user(guarded: PostgresServer, puppylog_at: PuppylogAt) -> None:
    url = guarded.url().replace("//postgres:", "//stranger:")
    assert_refused(puppylog_at(url)(*METRICS), 78, 'authentication failed for user "stranger"')


def test_a_server_without_tls(guarded: PostgresServer, puppylog_at: PuppylogAt) -> None:
    assert_refused(puppylog_at(guarded.url(sslmode="require"))(*METRICS), 78, "does not support SSL", "sslmode")


def test_an_unknown_database(
    shared_postgres: PostgresServer, puppylog_at: PuppylogAt, command: tuple[str, ...]
) -> None:
    ran = puppylog_at(shared_postgres.url("nope"))(*command)
    assert_refused(ran, 78, 'database "nope" does not exist', "create it, or name another one")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://someone@127.0.0.1:1/logs", ["//127.0.0.1:1/logs", "Connection refused"]),
        ("postgresql://someone@nowhere.invalid/logs", ["nowhere.invalid"]),
        ("postgresql://someone@/logs?host=/nonexistent", ["/nonexistent", "No such file or directory"]),
    ],
    ids=["port", "host", "socket"],
)
def test_a_server_that_does_not_run(
    puppylog_at: PuppylogAt, url: str, words: list[str], command: tuple[str, ...]
) -> None:
    assert_refused(puppylog_at(url)(*command), 69, "cannot connect to ", *words)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://u:pa/secret@127.0.0.1/logs", ["host and port", "%2F for /"]),
        ("postgresql://u:pa@secret@127.0.0.1/logs", ["host and port", "%40 for @"]),
        ("postgresql://u:secret@127.0.0.1:1:2/logs", ["host and port"]),
        ("postgresql://u:secret%zz@127.0.0.1/logs", ["percent-encoded"]),
        ("postgresql://u:secret@[::1/logs", ["IPv6"]),
        ("postgresql://u:secret@127.0.0.1/logs?nope=1", ["nope"]),
        ("postgresql://u@127.0.0.1/logs?password=secret%zz", ["percent-encoded"]),
        ("postgresql://u@127.0.0.1/logs?sslpassword=secret%00", ["percent-encoded"]),
        ("postgresql://u@127.0.0.1/logs?sslpassword%3Dsecret", ["separator"]),
        ("postgresql://u:1/secret@127.0.0.1/logs", ["host and port", "%2F for /"]),
    ],
)
def test_a_url_that_libpq_refuses_and_its_secret_is_not_repeated(
    puppylog_at: PuppylogAt, url: str, words: list[str]
) -> None:
    ran = puppylog_at(url)(*METRICS)
    assert_refused(ran, 78, "cannot read the store's URL", "write postgresql://user@host:port/database", *words)
    assert "secret" not in ran.err


def test_an_invalid_port_in_the_environment(puppylog_at: PuppylogAt) -> None:
    ran = puppylog_at("postgresql://someone@127.0.0.1/logs")(*METRICS, environment={"PGPORT": "abc"})
    assert_refused(ran, 78, '"abc"', "see PGPORT")


@pytest.mark.parametrize("url", ["postgresql://u:secret@127.0.0.1/logs", "postgresql://u@127.0.0.1/?password=secret"])
def test_a_password_among_the_arguments(puppylog_at: PuppylogAt, url: str) -> None:
    """Other users of the machine would see it."""
    ran = puppylog_at("duckdb:///nonexistent")(*METRICS, "--store", url)
    assert_refused(ran, 2, "--store", "a password does not belong on the command line", "PGPASSWORD")
    assert "secret" not in ran.err


@pytest.mark.parametrize("schema", ["puppylog", "metrics"])
def test_a_database_of_something_else_is_left_as_it_is(
    shared_postgres: PostgresServer, puppylog_at: PuppylogAt, command: tuple[str, ...], schema: str
) -> None:
    with shared_postgres.database() as name:
        with shared_postgres.connect(name) as theirs:
            theirs.execute(
                sql.SQL("CREATE SCHEMA {0} CREATE TABLE {0}.thesis (page text)").format(sql.Identifier(schema))
            )
        ran = puppylog_at(shared_postgres.url(name))(*command)
        assert_refused(ran, 78, name, f"its schema {schema!r} is not Puppylog's", "name another database")
        with shared_postgres.connect(name) as theirs:
            found = theirs.execute(
                "SELECT nspname, relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace "
                "WHERE nspname IN ('puppylog', 'metrics')"
            ).fetchall()
        assert found == [(schema, "thesis")]


def test_a_database_without_puppylog(postgres_url: str, puppylog_at: PuppylogAt, log: Path) -> None:
    for arguments in (("collector", "-s", str(log)), METRICS, ("sql", "SELECT 1"), ("doctor",), ("up", str(log))):
        assert_refused(
            puppylog_at(postgres_url)(*arguments), 78, "not installed there", "run 'puppylog bootstrap' first"
        )


def test_a_newer_schema(
    shared_postgres: PostgresServer, postgres_template: str, puppylog_at: PuppylogAt, command: tuple[str, ...]
) -> None:
    with shared_postgres.database(template=postgres_template) as name:
        with shared_postgres.connect(name) as admin:
            admin.execute("INSERT INTO puppylog.schema_versions (version) VALUES (99)")
        ran = puppylog_at(shared_postgres.url(name))(*command)
        assert_refused(ran, 78, name, "its schema is version 99", "use a newer Puppylog")


@pytest.mark.parametrize("table", ["installation", "schema_versions"])
def test_a_store_without_its_installation_or_version_rows(
    shared_postgres: PostgresServer,
    postgres_template: str,
    puppylog_at: PuppylogAt,
    command: tuple[str, ...],
    table: str,
) -> None:
    with shared_postgres.database(template=postgres_template) as name:
        with shared_postgres.connect(name) as admin:
            admin.execute(sql.SQL("DELETE FROM puppylog.{}").format(sql.Identifier(table)))
        assert_refused(puppylog_at(shared_postgres.url(name))(*command), 78, name, "its schema 'puppylog' is not")


def test_a_library_that_the_server_lacks(
    shared_postgres: PostgresServer, postgres_template: str, puppylog_at: PuppylogAt, log: Path
) -> None:
    """This happens if the package of an extension was removed, and the extension is still in the database."""
    with shared_postgres.database(template=postgres_template) as name:
        with shared_postgres.connect(name) as admin:
            admin.execute("SET allow_system_table_mods = on")
            admin.execute(
                "UPDATE pg_proc SET probin = '$libdir/gone-1.0', prosrc = 'open_streams', "
                "prolang = (SELECT oid FROM pg_language WHERE lanname = 'c') WHERE proname = 'open_streams'"
            )
        ran = puppylog_at(shared_postgres.url(name))("collector", "-s", str(log))
        assert_refused(ran, 78, name, "gone-1.0", "No such file", "lacks a library", "install its package")


def test_a_session_that_may_only_read(
    shared_postgres: PostgresServer, postgres_template: str, puppylog_at: PuppylogAt, log: Path
) -> None:
    with shared_postgres.database(template=postgres_template) as name:
        puppylog = puppylog_at(shared_postgres.url(name, options="-c default_transaction_read_only=on"))
        for arguments in (("collector", "-s", str(log)), ("bootstrap",), ("monitor", "metrics", "create", "--default")):
            assert_refused(puppylog(*arguments), 78, "read-only transaction", "name its primary")
        assert puppylog(*METRICS).code == 0
        with shared_postgres.connect(name) as admin:
            assert admin.execute("SELECT count(*) FROM puppylog.log_streams").fetchall() == [(0,)]


def test_a_standby_answers_queries_and_refuses_lines(
    shared_postgres: PostgresServer, postgres_template: str, puppylog_at: PuppylogAt, log: Path
) -> None:
    with shared_postgres.database(template=postgres_template) as name:
        assert puppylog_at(shared_postgres.url(name))("collector", "-s", str(log)).code == 0
        with PostgresServer(standby_of=shared_postgres) as standby:
            puppylog = puppylog_at(standby.url(name))
            log.write_bytes(LINE * 2)
            assert_refused(puppylog("collector", "-q", "-s", str(log)), 78, "read-only transaction", "name its primary")
            assert_refused(puppylog("bootstrap"), 78, "it is a read-only standby; name its primary")
            assert_refused(puppylog("monitor", "metrics", "create", "--default"), 78, "read-only", "name its primary")
            ran = puppylog("sql", "SELECT count(*) AS n FROM log_records", "-o", "csv")
            assert (ran.code, ran.out.split()) == (0, ["n", "1"]), ran
            assert puppylog("logs", "-o", "jsonl").out.count("\n") == 1
            assert puppylog(*METRICS).code == 0
        assert puppylog_at(shared_postgres.url(name))("collector", "-s", str(log)).code == 0
