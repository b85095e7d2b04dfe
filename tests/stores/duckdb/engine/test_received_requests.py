"""Senders' requests in the engine: recognized for an hour by the engine's clock, and deleted afterwards."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from puppylog.errors import RequestRepeated, StoreUnavailable
from puppylog.model.request import ReceivedRequest
from puppylog.stores.base import Appended
from puppylog.stores.duckdb.client.appender import SpoolAppender
from puppylog.stores.duckdb.engine import jobs
from puppylog.stores.duckdb.engine.database import Engine
from puppylog.stores.duckdb.engine.jobs import Jobs
from puppylog.stores.duckdb.engine.received_requests import add_requests, clear, find_requests
from puppylog.stores.duckdb.spool import Spool
from support.embedded import EmbeddedStore, wait_until
from support.lines import LINE_BYTES, Source
from support.schema_template import copy_schema

REQUEST = ReceivedRequest("a" * 64, "{}")
NOW_US = "epoch_us(now())"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(copy_schema(tmp_path / "database")) as engine:
        yield engine


def add(engine: Engine, request: ReceivedRequest = REQUEST, *, ago_s: float = 0) -> None:
    engine.write(lambda connection: add_requests(connection, [request]))
    sql = f"UPDATE puppylog.received_requests SET received_at = now() - to_seconds({ago_s}) WHERE digest = $digest"
    engine.write(lambda connection: connection.run(sql, {"digest": request.digest}))


def count(engine: Engine, condition: str = "true") -> int:
    with engine.read() as connection:
        return int(connection.value(f"SELECT count(*) FROM puppylog.received_requests WHERE {condition}"))


def test_a_request_is_stored_again_after_an_hour(engine: Engine) -> None:
    add(engine, ago_s=3590)
    with pytest.raises(RequestRepeated, match=r"an identical one was stored 359\d s ago"):
        add(engine)
    add(engine, ReceivedRequest("b" * 64, "{}"), ago_s=3601)
    with engine.read() as connection:
        (found,) = find_requests(connection, ["a" * 64, "b" * 64])
    assert found.digest == "a" * 64
    assert 3590 <= found.age_s < 3600
    add(engine, ReceivedRequest("b" * 64, "{}"))
    assert count(engine) == 2


def test_requests_whose_digests_begin_alike_are_told_apart(engine: Engine) -> None:
    add(engine, ReceivedRequest("a" * 63 + "b", "{}"))
    add(engine, ReceivedRequest("a" * 63 + "c", "{}"))
    with engine.read() as connection:
        found = find_requests(connection, [REQUEST.digest, "a" * 63 + "c", "no digest", "ü", ""])
    assert [request.digest for request in found] == ["a" * 63 + "c"]


def test_requests_are_deleted_after_an_hour(engine: Engine) -> None:
    add(engine, ago_s=3590)
    add(engine, ReceivedRequest("b" * 64, "{}"), ago_s=3601)
    with engine.read() as connection:
        now_us = connection.value(f"SELECT {NOW_US}")
    engine.write(lambda connection: clear(connection, now_us))
    assert count(engine, f"digest = '{'a' * 64}'") == count(engine) == 1


def test_the_jobs_delete_old_requests(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_CLEAR_S", 0)
    add(engine, ago_s=3601)
    with Jobs(engine):
        wait_until(lambda: count(engine) == 0, what="deletion")


@pytest.mark.parametrize("back_s", [3600, 365 * 86400])
def test_a_request_of_the_future_is_recognized_and_moved_to_now(engine: Engine, back_s: int) -> None:
    add(engine, ago_s=-back_s)
    with engine.read() as connection:
        (found,) = find_requests(connection, [REQUEST.digest])
    assert found.age_s == 0
    with Jobs(engine):
        wait_until(lambda: count(engine, "received_at <= now()") == 1, what="re-basing")
    with engine.read() as connection:
        (step,) = connection.rows("SELECT part, round(back_s, -1) AS back_s FROM puppylog.clock_steps")
    assert step == {"part": "requests", "back_s": back_s}


@pytest.mark.parametrize("is_committed", [True, False], ids=["committed", "not committed"])
def test_the_requests_of_a_commit_whose_answer_is_lost_are_stored_once(tmp_path: Path, *, is_committed: bool) -> None:
    """The engine is killed after the commit, or before it."""
    with EmbeddedStore(tmp_path / "store") as server, server.connect() as store:
        source = Source(store)

        answers = iter([False, True])  # whether the client gets the answer

        def append(*batch: Any) -> Appended:
            if next(answers):
                return store.append_spooled(*batch)
            if is_committed:
                store.append_spooled(*batch)
            server.kill_engine()
            raise StoreUnavailable("reach", "the store's engine", "it went away")

        with Spool(tmp_path) as spool:
            appender = SpoolAppender(spool, append, store.find_files)
            moves = [source.move(0, LINE_BYTES)]
            with pytest.raises(StoreUnavailable):
                appender.commit(moves, [REQUEST])
            assert appender.commit(moves, [REQUEST]) == Appended(0, 0)
        assert list(store.find_requests([REQUEST.digest])) == [REQUEST.digest]
        with pytest.raises(RequestRepeated):
            store.appender().commit([source.move(LINE_BYTES, 2 * LINE_BYTES)], [REQUEST])
