"""A transaction that replaces rows is repeated if the server ends it because of a deadlock."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from puppylog.stores.postgres.store import PostgresStore
from puppylog.stores.rewriting import DeletedStream
from support.embedded import wait_until
from support.lines import Source, records, rejects

_WAITING = "SELECT count(*) FROM pg_locks WHERE relation = 'puppylog.rejected_lines'::regclass AND NOT granted"
_TAKE_TURN = "SELECT pg_advisory_xact_lock(hashtext('puppylog.replay'))"


@pytest.fixture
def store(postgres_store_url: str) -> Iterator[PostgresStore]:
    """A store whose sessions look for a deadlock after 5 s, and only once. On a busy machine 1 s is too short."""
    with psycopg.connect(postgres_store_url, autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE \"{admin.info.dbname}\" SET deadlock_timeout = '5s'")
    with PostgresStore(postgres_store_url) as store:
        yield store


def test_a_deletion_that_a_deadlock_has_ended_is_repeated(store: PostgresStore, postgres_store_url: str) -> None:
    source = Source(store)
    source.append(records(3), rejects(b"one", start=300))
    with psycopg.connect(postgres_store_url) as other, ThreadPoolExecutor() as threads:
        other.execute("SET deadlock_timeout = '60s'")  # the server ends the session that first looks for a deadlock
        other.execute("LOCK TABLE puppylog.rejected_lines IN SHARE MODE")
        deletion = threads.submit(store.delete_stream, source.stream_id)
        with psycopg.connect(postgres_store_url, autocommit=True) as watching:
            wait_until(lambda: watching.execute(_WAITING).fetchall() == [(1,)], what="the deletion")
        other.execute(_TAKE_TURN)  # the deletion has had it, and waits for the lock on the table
        assert not deletion.done()
        other.commit()
        assert deletion.result() == DeletedStream(records=3, rejects=1, files=1)
