"""A server that has not loaded TimescaleDB's library accepts rows, but stores them where no query finds them later.

So no collector stores lines in it: neither a new collector, nor a collector that connects again.
"""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from psycopg import sql

from support.commands import Puppylog
from support.embedded import wait_until
from support.postgres import PostgresServer
from support.refusals import assert_refused
from support.timescaledb import timescaledb_server

LINE = '10.0.0.1 - - [01/Mar/2026:12:00:00 +0000] "GET /{number} HTTP/1.1" 200 {number} "-" "-"\n'
COUNTS = "SELECT count(*), count(DISTINCT line_offset) FROM puppylog.log_records"
REFUSAL = "the server has not loaded timescaledb; name it in shared_preload_libraries, and restart the server"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with timescaledb_server() as server:
        yield server


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "access.log"
    write(path, 0, 100)
    return path


def write(path: Path, since: int, until: int) -> None:
    with path.open("a") as log:
        log.write("".join(LINE.format(number=n) for n in range(since, until)))


@pytest.fixture
def database(server: PostgresServer, puppylog_at: Callable[[str], Puppylog], log: Path) -> Iterator[str]:
    """A store with a hundred lines in it."""
    with server.database() as name:
        puppylog = puppylog_at(server.url(name))
        assert puppylog("bootstrap").code == 0
        assert puppylog("collector", "-s", str(log)).code == 0
        yield name


def count(server: PostgresServer, database: str) -> tuple[object, ...]:
    with server.connect(database) as admin:
        (counts,) = admin.execute(COUNTS.encode()).fetchall()
    return counts


def restart(server: PostgresServer, *, libraries: str) -> None:
    server._settings["shared_preload_libraries"] = libraries
    server.restart()


def test_nothing_is_collected_while_the_library_is_not_loaded(
    server: PostgresServer, database: str, puppylog_at: Callable[[str], Puppylog], log: Path
) -> None:
    puppylog = puppylog_at(server.url(database))
    write(log, 100, 200)
    restart(server, libraries="")
    try:
        assert_refused(puppylog("collector", "-s", str(log)), 78, database, REFUSAL)
    finally:
        restart(server, libraries="timescaledb")
    assert count(server, database) == (100, 100)
    assert puppylog("collector", "-s", str(log)).code == 0
    assert count(server, database) == (200, 200)


def test_a_collector_ends_when_the_server_comes_back_without_the_library(
    server: PostgresServer, database: str, puppylog_at: Callable[[str], Puppylog], log: Path
) -> None:
    puppylog = puppylog_at(server.url(database))
    with puppylog.start("collector", "-s", str(log), "--watch") as collector:
        try:
            write(log, 100, 200)
            wait_until(lambda: count(server, database) == (200, 200), what="collecting")
            restart(server, libraries="")
            write(log, 200, 300)
            assert collector.wait(30) == 78
            assert collector.stderr is not None
            assert REFUSAL in collector.stderr.read().decode()
        finally:
            collector.kill()
            restart(server, libraries="timescaledb")
    assert count(server, database) == (200, 200)
    assert puppylog("collector", "-s", str(log)).code == 0
    assert count(server, database) == (300, 300)


def test_a_collector_waits_while_the_database_is_being_restored(
    server: PostgresServer, database: str, puppylog_at: Callable[[str], Puppylog], log: Path
) -> None:
    write(log, 100, 200)
    name = sql.Identifier(database)
    with server.connect() as admin:
        admin.execute(sql.SQL("ALTER DATABASE {} SET timescaledb.restoring = on").format(name))
        with puppylog_at(server.url(database)).start("collector", "-s", str(log), "--watch") as collector:
            try:
                assert collector.stderr is not None
                said = collector.stderr.readline().decode()
                assert "it is being restored, until timescaledb_post_restore() is called; nothing is lost" in said
                admin.execute(sql.SQL("ALTER DATABASE {} RESET timescaledb.restoring").format(name))
                wait_until(lambda: count(server, database) == (200, 200), what="collecting")
                collector.send_signal(signal.SIGTERM)
                assert collector.wait(60) == 0
            finally:
                collector.kill()
