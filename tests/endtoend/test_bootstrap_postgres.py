"""Bootstrap installs all or nothing: if it runs twice, several times at once, or is killed or cut off at any moment."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

import psycopg
import pytest

from puppylog.stores.postgres.schema.bootstrap import bootstrap
from support.commands import Puppylog
from support.cut_wire import CutWire
from support.database_elsewhere import database_elsewhere, server_of
from support.examples import IS_SOAK
from support.inprocess import InProcessPuppylog
from support.installation import Installation, is_uninstalled, read_installation
from support.postgres import PostgresServer
from support.refusals import assert_refused

PuppylogAt: TypeAlias = Callable[[str], InProcessPuppylog]
Database: TypeAlias = Callable[[], AbstractContextManager[str]]

TIMESCALEDB = "PUPPYLOG_TEST_TIMESCALEDB"
LINE = '10.0.0.1 - - [01/Mar/2026:12:00:00 +0000] "GET /{number} HTTP/1.1" 200 {number} "-" "-"\n'
KILLS = 8 if IS_SOAK else 3
INSTALLERS = 4 if IS_SOAK else 3
COMMIT = b"COMMIT\0"  # a separate statement: the SQL of routines contains the word, too


@pytest.fixture(scope="module", params=["postgresql", "timescaledb"])
def database(request: pytest.FixtureRequest) -> Database:
    """Makes empty databases."""
    if request.param == "timescaledb":
        server = server_of(TIMESCALEDB, "TimescaleDB")
        return lambda: database_elsewhere(server)
    shared: PostgresServer = request.getfixturevalue("shared_postgres")

    @contextmanager
    def make() -> Iterator[str]:
        with shared.database() as name:
            yield shared.url(name)

    return make


@pytest.fixture
def puppylog_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> PuppylogAt:
    """Return a function that runs commands against the store at a URL."""
    return lambda url: InProcessPuppylog(Puppylog(url, tmp_path), capsys)


@pytest.fixture(scope="module")
def fresh(database: Database) -> Installation:
    """The contents of an undisturbed installation."""
    with database() as url:
        bootstrap(url)
        return read_installation(url)


def test_a_second_bootstrap_changes_nothing(
    database: Database, puppylog_at: PuppylogAt, fresh: Installation, tmp_path: Path
) -> None:
    log = tmp_path / "access.log"
    log.write_text("".join(LINE.format(number=n) for n in range(100)))
    with database() as url:
        puppylog = puppylog_at(url)
        first, second = puppylog("bootstrap"), puppylog("bootstrap")
        assert (first.code, second.code) == (0, 0)
        assert read_installation(url) == fresh
        assert puppylog("collector", "-s", str(log)).code == 0
        assert puppylog("monitor", "metrics", "create", "--default").code == 0
        before = read_installation(url)
        assert puppylog("bootstrap").code == 0
        assert read_installation(url) == before
        assert puppylog("sql", "SELECT count(*) FROM log_records", "-o", "csv").out.split() == ["count", "100"]
        assert puppylog("collector", "-s", str(log)).err.startswith("puppylog: 0 bytes, 0 records")


def test_several_bootstraps_at_once_make_one_installation(
    database: Database, puppylog_at: PuppylogAt, fresh: Installation
) -> None:
    with database() as url:
        installers = [puppylog_at(url).start("bootstrap") for _ in range(INSTALLERS)]
        ends = [(installer.communicate(timeout=120)[1].decode(), installer.returncode) for installer in installers]
        assert [code for _, code in ends] == [0] * INSTALLERS, ends
        assert read_installation(url) == fresh


@pytest.mark.long
def test_a_killed_bootstrap_leaves_all_or_nothing_and_the_next_one_completes(
    database: Database, puppylog_at: PuppylogAt, fresh: Installation
) -> None:
    left = set()
    for number in range(KILLS):
        latest_s = 0.3 * number / KILLS  # so that the first kill comes before bootstrap can have committed
        with database() as url:
            with puppylog_at(url).start("bootstrap") as installer:
                wait_for_session(url)
                time.sleep(random.random() * latest_s)  # not a wait: the moment of a kill is left to chance
                installer.kill()
            wait_for_session(url, is_there=False)
            left.add(is_uninstalled(url))
            assert is_uninstalled(url) or read_installation(url) == fresh
            ran = puppylog_at(url)("bootstrap")
            assert ran.code == 0, ran
            assert read_installation(url) == fresh
    assert True in left


def wait_for_session(url: str, *, is_there: bool = True) -> None:
    """Wait until bootstrap is connected, or until the server has noticed that bootstrap has disconnected."""
    sql = "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    busy = f"{sql} AND backend_type = 'client backend'"
    deadline = time.monotonic() + 30
    with psycopg.connect(url, autocommit=True) as admin:
        while admin.execute(busy.encode()).fetchall() != [(is_there,)]:
            assert time.monotonic() < deadline
            time.sleep(0.005)


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("word", "delivered"),
    [
        (b"pg_advisory_lock", True),
        pytest.param(b"CREATE SCHEMA puppylog", True, marks=pytest.mark.thorough),
        (b"CREATE TABLE puppylog.alert_history", True),
        pytest.param(b"CREATE OR REPLACE FUNCTION puppylog.move_position", True, marks=pytest.mark.thorough),
        pytest.param(b"REVOKE EXECUTE", True, marks=pytest.mark.thorough),
        (COMMIT, False),
        (COMMIT, True),
    ],
)
def test_a_bootstrap_that_loses_its_connection_says_so_and_leaves_all_or_nothing(
    database: Database, puppylog_at: PuppylogAt, fresh: Installation, word: bytes, *, delivered: bool
) -> None:
    with database() as url, CutWire(address_of(url)) as wire:
        wire.cut_at(word, delivered=delivered, and_stay_down=True)
        ran = puppylog_at(through(url, wire))("bootstrap")
        assert_refused(ran, 69, "cannot use store ", urlsplit(url).path)
        wait_for_session(url, is_there=False)
        assert is_uninstalled(url) is not (word == COMMIT and delivered)
        wire.restore()
        ran = puppylog_at(through(url, wire))("bootstrap")
        assert ran.code == 0, ran
        assert read_installation(url) == fresh


def address_of(url: str) -> Path | tuple[str, int]:
    """Return the address at which the server of a URL listens."""
    with psycopg.connect(url) as connection:
        info = connection.info
        return Path(info.host, f".s.PGSQL.{info.port}") if info.host.startswith("/") else (info.host, info.port)


def through(url: str, wire: CutWire) -> str:
    """Return the URL with the wire's address instead of the server's."""
    parts = urlsplit(url)
    user, at, _ = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user}{at}127.0.0.1:{wire.port}", query="").geturl()
