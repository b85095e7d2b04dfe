"""If connections are scarce, a collector has both of its connections or none, and names the limit."""

import secrets
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from puppylog.collect.retry import call_with_retry
from puppylog.errors import ConfigurationError, StoreUnavailable
from puppylog.stores.postgres.sessions.failures import ConnectionsExhausted, translate_connect
from puppylog.stores.postgres.store import PostgresStore
from support.embedded import wait_until
from support.lines import Source, records
from support.postgres import SUPERUSER

LIMIT = 5


@pytest.fixture
def role(postgres_store_url: str) -> Iterator[str]:
    """A role that owns the store, and may have LIMIT connections."""
    name = f"scarce_{secrets.token_hex(4)}"
    with psycopg.connect(postgres_store_url, autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {name} LOGIN CONNECTION LIMIT {LIMIT} IN ROLE {SUPERUSER}".encode())
        yield name
        admin.execute(f"DROP ROLE {name}".encode())


@pytest.fixture
def scarce_url(postgres_store_url: str, role: str) -> str:
    return make_conninfo(postgres_store_url, user=role)


def count_sessions(url: str, role: str) -> int:
    with psycopg.connect(url) as admin:
        row = admin.execute("SELECT count(*) FROM pg_stat_activity WHERE usename = %s", [role]).fetchone()
        assert row
        return int(row[0])


def test_a_collector_with_one_connection_of_two_releases_it_and_names_the_limit(
    postgres_store_url: str, scarce_url: str, role: str
) -> None:
    with PostgresStore(scarce_url) as first, PostgresStore(scarce_url) as second, PostgresStore(scarce_url) as third:
        first.open_streams(["file:///first"])
        source = Source(second, "file:///second")
        with pytest.raises(StoreUnavailable, match=f'too many connections for role "{role}"') as refusal:
            third.open_streams(["file:///third"])
        assert (
            f"a collector needs two connections (max_connections is 100, of which 3 are reserved, role '{role}' "
            in (refusal.value.message)
        )
        assert "ALTER ROLE … CONNECTION LIMIT" in refusal.value.message
        wait_until(lambda: count_sessions(postgres_store_url, role) == 4, what="the end of the third's connection")
        source.append(records(1))
        first.close()
        wait_until(lambda: count_sessions(postgres_store_url, role) <= 3, what="the end of the first's connections")
        Source(third, "file:///third").append(records(1))
    with PostgresStore(postgres_store_url) as store:
        assert store.query("SELECT count(*) AS n FROM puppylog.log_records").to_pylist() == [{"n": 2}]


def test_collectors_that_share_too_few_connections_store_everything_one_after_another(
    postgres_store_url: str, scarce_url: str
) -> None:
    stores = [PostgresStore(scarce_url) for _ in range(LIMIT)]

    def collect(number: int) -> None:
        with stores[number] as store:
            Source(store, f"file:///{number}").append(records(10))

    over = threading.Event()
    timer = threading.Timer(20, over.set)
    timer.start()
    with ThreadPoolExecutor(LIMIT) as pool:
        calls = [pool.submit(call_with_retry, lambda n=n: collect(n), over, lambda _: None) for n in range(LIMIT)]
        for call in calls:
            call.result()
    timer.cancel()
    timer.join()
    with PostgresStore(postgres_store_url) as store:
        assert store.query("SELECT count(*) AS n FROM puppylog.log_records").to_pylist() == [{"n": 10 * LIMIT}]


def test_a_refusal_after_the_store_was_open_may_pass(postgres_store_url: str, scarce_url: str, role: str) -> None:
    with PostgresStore(scarce_url) as store, psycopg.connect(postgres_store_url, autocommit=True) as admin:
        admin.execute(f"ALTER ROLE {role} NOLOGIN".encode())
        admin.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = %s", [role])
        with pytest.raises(ConfigurationError, match="is not permitted to log in"):
            PostgresStore(scarce_url)
        with pytest.raises(StoreUnavailable, match=r"is not permitted to log in; name a role"):
            store.keep_alive()
        admin.execute(f"ALTER ROLE {role} LOGIN".encode())
        Source(store).append(records(1))


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ('too many connections for database "logs"', "ALTER DATABASE … CONNECTION LIMIT"),
        ("sorry, too many clients already", "max_connections of the server"),
        ("remaining connection slots are reserved for roles with the SUPERUSER attribute", "superuser_reserved"),
        ("no more connections allowed (max_client_conn)", "max_client_conn of PgBouncer"),
    ],
)
def test_the_advice_names_the_setting_of_the_exhausted_limit(said: str, advice: str) -> None:
    told = translate_connect(psycopg.OperationalError(f"connection failed: FATAL:  {said}"), "s")
    assert isinstance(told, ConnectionsExhausted)
    assert told.message.startswith(f"cannot connect to s: {said}; ")
    assert advice in told.message
