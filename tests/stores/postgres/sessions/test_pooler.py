"""A pooler that gives each transaction another session is refused; other poolers are not."""

import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, repeat
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from puppylog.errors import ConfigurationError
from puppylog.stores.postgres.sessions.pooler import shares_sessions
from puppylog.stores.postgres.sessions.session import Session
from puppylog.stores.postgres.store import PostgresStore
from support.embedded import wait_until
from support.lines import Source, records
from support.postgres_binaries import PostgresBinaries

PGBOUNCER = shutil.which("pgbouncer", path="/usr/bin:/usr/sbin:/usr/local/bin:/usr/local/sbin")


def pids(*served: int) -> Callable[[], int]:
    """Return a function that returns these process numbers one after another, and then the last one for ever."""
    numbers = chain(served, repeat(served[-1]))
    return lambda: next(numbers)


@pytest.mark.parametrize(
    ("first", "second", "is_handed_around"),
    [
        ([7], [8], False),  # each connection has its session
        ([7], [7], True),  # the other one got ours, which was idle
        ([7], [8, 9, 7], True),  # after a while
        ([7, 9], [8], True),  # another client got our session, and we got a third
        ([7, 7, 7, 9], [8], True),
    ],
)
def test_sessions_are_shared_if_two_connections_use_one_or_a_connection_changes_its_session(
    first: list[int], second: list[int], is_handed_around: bool
) -> None:
    assert shares_sessions(pids(*first), pids(*second)) is is_handed_around


@pytest.mark.parametrize(("is_shared", "said"), [(True, "pool_mode = session"), (False, "")])
def test_a_connection_whose_number_is_not_its_process_is_checked(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, is_shared: bool, said: str
) -> None:
    monkeypatch.setattr(Session, "backend_pid", property(lambda _: -1))
    if is_shared:
        monkeypatch.setattr("puppylog.stores.postgres.sessions.session.shares_sessions", lambda *_: True)
        with pytest.raises(ConfigurationError, match=said) as refusal:
            Session(postgres_url)
        assert "gives each transaction another session, as PgBouncer" in refusal.value.message
    else:
        Session(postgres_url).close()


def accepts(path: Path) -> bool:
    """Return whether a server listens at the socket: the socket is there a moment before."""
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


@contextmanager
def pgbouncer(url: str, mode: str) -> Iterator[str]:
    """Yield the URL of the same database through PgBouncer."""
    given = conninfo_to_dict(url)
    binaries = PostgresBinaries(Path("/usr"))
    place = binaries.directory
    try:
        settings, log = place / "settings", place / "log"
        (place / "users").write_text('"postgres" ""\n', encoding="utf-8")
        settings.write_text(
            f"[databases]\n* = host={given['host']} port={given['port']} user=postgres\n"
            f"[pgbouncer]\nlisten_addr =\nlisten_port = 6432\nunix_socket_dir = {place}\nauth_type = trust\n"
            f"auth_file = {place}/users\npool_mode = {mode}\n",
            encoding="utf-8",
        )
        process = binaries.spawn(PGBOUNCER or "", str(settings), log=log)
        try:
            wait_until(lambda: accepts(place / ".s.PGSQL.6432"), what="PgBouncer's start")
            yield make_conninfo("", host=str(place), port=6432, user="postgres", dbname=given["dbname"])
        finally:
            process.terminate()
            process.wait(timeout=20)
    finally:
        shutil.rmtree(place)


@pytest.mark.skipif(PGBOUNCER is None, reason="NOT TESTED: PgBouncer itself; install it")
@pytest.mark.parametrize("mode", ["transaction", "statement"])
def test_pgbouncer_is_refused_in_transaction_mode(postgres_store_url: str, mode: str) -> None:
    with pgbouncer(postgres_store_url, mode) as pooled:
        psycopg.connect(pooled, autocommit=True).close()
        with pytest.raises(ConfigurationError, match="pool_mode = session for this database"):
            PostgresStore(pooled)


@pytest.mark.skipif(PGBOUNCER is None, reason="NOT TESTED: PgBouncer itself; install it")
def test_pgbouncer_is_accepted_in_session_mode(postgres_store_url: str) -> None:
    with pgbouncer(postgres_store_url, "session") as pooled, PostgresStore(pooled) as store:
        Source(store).append(records(3))
        assert store.query("SELECT count(*) AS n FROM puppylog.log_records").to_pylist() == [{"n": 3}]
