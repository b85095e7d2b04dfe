"""A full disk: the error says so, no line is lost, and the store continues when there is space again.

A limit on the size of files simulates the full disk. The engine inherits the limit, and the same writes fail.
"""

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from puppylog.errors import BatchDropped, StoreFull
from puppylog.stores.duckdb.client.store import DuckdbStore
from support.embedded import EmbeddedStore
from support.lines import Source, records


@contextmanager
def file_size_limit(size_bytes: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def count(store: DuckdbStore) -> int:
    return int(store.query("SELECT count(*) AS n FROM puppylog.log_records")["n"][0].as_py())


def test_a_full_disk_under_the_database_loses_nothing(server: EmbeddedStore) -> None:
    with file_size_limit(1_000_000):
        store = server.connect()  # the engine keeps the limit that it has inherited
    source = Source(store)
    appender = store.appender()
    appender.write(source.stream_id, source.file_id, records(20_000, user_agent="u" * 100))
    with pytest.raises(StoreFull, match="cannot write to the store"):
        appender.commit([source.move(0, 2_000_000)])
    assert count(store) == 0
    server.kill_engine()
    assert appender.commit([source.move(0, 2_000_000)]).records == 20_000
    assert count(store) == 20_000


def test_a_full_disk_under_the_spool_drops_the_batch(server: EmbeddedStore) -> None:
    store = server.connect()
    source = Source(store)
    appender = store.appender()
    appender.write(source.stream_id, source.file_id, records(3000, user_agent="u" * 250))
    with file_size_limit(100_000), pytest.raises(BatchDropped, match=r"cannot write to store .*store: file too large"):
        appender.commit([source.move(0, 300_000)])
    appender.discard()
    assert list(server.directory.spool.rglob("*.arrow")) == []
    assert source.append(records(1)).records == 1


def test_a_collector_can_open_its_streams_on_a_full_disk(server: EmbeddedStore) -> None:
    store = server.connect()
    with file_size_limit(0):
        (stream,) = store.open_streams(["file:///a.log"])
    assert stream.source_uri == "file:///a.log"


def test_a_disk_without_space_for_a_claim_or_an_engine_is_full(
    server: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bool:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "a file")

    store = server.connect()
    with monkeypatch.context() as patch:
        patch.setattr("puppylog.stores.duckdb.client.store.Claims.acquire", fail)
        with pytest.raises(StoreFull, match="no space left on device"):
            store.open_streams(["file:///a.log"])
    server.kill_engine()
    with monkeypatch.context() as patch:
        patch.setattr("puppylog.stores.duckdb.client.channel.start_engine", fail)
        with pytest.raises(StoreFull, match="no space left on device"):
            count(store)
    assert count(store) == 0
