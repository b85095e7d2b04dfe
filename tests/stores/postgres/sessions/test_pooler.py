"""A pooler that shares sessions between clients, or does not reset them, is refused; others are not."""

import os
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from itertools import chain, repeat

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from puppylog.errors import ConfigurationError, StoreCrowded, StoreUnavailable, StreamBusy
from puppylog.stores.postgres.sessions.pooler import shares_sessions
from puppylog.stores.postgres.sessions.session import Session
from puppylog.stores.postgres.store import PostgresStore
from support.lines import Source, records
from support.pgbouncer import PgBouncer, needs_pgbouncer


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


@needs_pgbouncer
@pytest.mark.parametrize("mode", ["transaction", "statement"])
def test_pgbouncer_that_shares_sessions_is_refused(postgres_store_url: str, mode: str) -> None:
    with PgBouncer(postgres_store_url, pool_mode=mode) as pooler:
        psycopg.connect(pooler.url, autocommit=True).close()
        with pytest.raises(ConfigurationError, match="pool_mode = session for this database"):
            PostgresStore(pooler.url)


@needs_pgbouncer
def test_pgbouncer_is_accepted_in_session_mode(postgres_store_url: str) -> None:
    with PgBouncer(postgres_store_url, pool_mode="session") as pooler, PostgresStore(pooler.url) as store:
        Source(store).append(records(3))
        assert store.query("SELECT count(*) AS n FROM puppylog.log_records").to_pylist() == [{"n": 3}]


@needs_pgbouncer
def test_pgbouncer_that_does_not_reset_sessions_is_refused(postgres_store_url: str) -> None:
    with (
        PgBouncer(postgres_store_url, pool_mode="session", server_reset_query="") as pooler,
        pytest.raises(ConfigurationError, match="server_reset_query = DISCARD ALL"),
    ):
        PostgresStore(pooler.url)


@needs_pgbouncer
def test_a_collector_that_waits_for_a_session_of_a_pool_is_told_which_limit(
    postgres_store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("puppylog.stores.postgres.sessions.pooler.FIRST_ANSWER_S", 0.2)
    with (
        PgBouncer(postgres_store_url, pool_mode="session", default_pool_size="1") as pooler,
        pytest.raises(StoreCrowded, match=r"first query has no answer.*default_pool_size"),
    ):
        PostgresStore(pooler.url)


@needs_pgbouncer
def test_a_parameter_that_pgbouncer_refuses_is_an_error_of_the_configuration(postgres_store_url: str) -> None:
    with (
        PgBouncer(postgres_store_url, pool_mode="session") as pooler,
        pytest.raises(ConfigurationError, match=r"startup parameter.*leave it out of the URL and of PGOPTIONS"),
    ):
        PostgresStore(make_conninfo(pooler.url, options="-c work_mem=64MB"))


@needs_pgbouncer
def test_a_lost_connection_to_pgbouncer_is_replaced_and_no_other_client_disconnected(postgres_store_url: str) -> None:
    with (
        PgBouncer(postgres_store_url, pool_mode="session", default_pool_size="6") as pooler,
        PostgresStore(pooler.url) as store,
        ExitStack() as others,
    ):
        source = Source(store)
        source.append(records(3))
        disconnect(store)
        clients = [others.enter_context(psycopg.connect(pooler.url, autocommit=True)) for _ in range(2)]
        for client in clients:  # one of them gets the session of the lost connection
            client.execute("SELECT")
        store.keep_alive()
        for client in clients:
            client.execute("SELECT")
        others.close()
        disconnect(store)
        store.keep_alive()  # perhaps in the same session of the server again
        store.find_files([source.file_id])
        source.append(records(3, start=1000))
        with pytest.raises(StreamBusy, match="follows it already"), PostgresStore(pooler.url) as second:
            Source(second)


@needs_pgbouncer
def test_a_pooler_that_begins_to_share_sessions_is_named(postgres_store_url: str) -> None:
    with (
        PgBouncer(postgres_store_url, pool_mode="session") as pooler,
        PostgresStore(pooler.url) as first,
        PostgresStore(pooler.url) as second,
    ):
        sources = [Source(first, "file:///1"), Source(second, "file:///2")]

        def append(starts: range) -> None:
            for start in starts:
                for source in sources:
                    source.append(records(1, start=start))
                second.keep_alive()

        def ask() -> None:
            for store in (first, second):
                store.find_files([1])

        append(range(0, 6000, 1000))  # until the statements are prepared
        pooler.set(pool_mode="transaction")
        with pytest.raises(StoreUnavailable, match="prepared statement"):
            append(range(6000, 100_000, 1000))
        with pytest.raises(StoreUnavailable, match="pool_mode = session for this database"):
            ask()


def disconnect(store: PostgresStore) -> None:
    """Cut the store's connections, as a network does, and wait until the pooler has noticed."""
    for link in (store._control, store._ingest):
        with link.session() as session, socket.socket(fileno=os.dup(session._connection.fileno())) as wire:
            wire.shutdown(socket.SHUT_RDWR)
    time.sleep(0.3)
