"""Writes that share the transaction of another write."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from puppylog.errors import QueryError
from puppylog.stores.duckdb.engine import deferred_writes
from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.duckdb.engine.database import Engine
from support.embedded import wait_until

TABLES = "CREATE SCHEMA puppylog; CREATE TABLE puppylog.notes (note INT)"


@pytest.fixture
def commits() -> list[int]:
    return []


@pytest.fixture
def engine(tmp_path: Path, commits: list[int]) -> Iterator[Engine]:
    with Engine(tmp_path / "records.duckdb") as engine:
        engine.write(lambda connection: connection.run(TABLES))
        engine.number_commits(lambda _: len(commits), commits.append)
        yield engine


def note(number: int) -> deferred_writes.Work:
    return lambda connection: connection.run("INSERT INTO puppylog.notes VALUES ($number)", {"number": number})


def fail(connection: Connection) -> None:
    connection.run("SELECT error('not now')")


def notes(engine: Engine) -> set[int]:
    with engine.read() as connection:
        return {row["note"] for row in connection.rows("SELECT note FROM puppylog.notes")}


def test_deferred_writes_share_the_transaction_of_the_next_write(engine: Engine, commits: list[int]) -> None:
    engine.write_later(note(1))
    engine.write_later(note(2))
    assert notes(engine) == set()
    engine.write(note(3))
    assert notes(engine) == {1, 2, 3}
    assert len(commits) == 1


def test_a_deferred_write_that_fails_changes_nothing_for_the_others(
    engine: Engine, commits: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    for work in (note(1), fail, note(2)):
        engine.write_later(work)
    engine.write(note(3))
    assert notes(engine) == {1, 2, 3}
    assert len(commits) == 3
    assert "not now" in caplog.text


def test_if_the_other_write_fails_the_deferred_writes_wait_for_the_next_one(engine: Engine, commits: list[int]) -> None:
    engine.write_later(note(1))
    with pytest.raises(QueryError, match="not now"):
        engine.write(fail)
    assert notes(engine) == set()
    engine.write(note(2))
    assert notes(engine) == {1, 2}
    assert len(commits) == 1


def test_a_deferred_write_that_has_waited_gets_a_transaction_of_its_own(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.write_later(note(1))
    engine.write_deferred()
    engine.checkpoint_alone(0.0)  # a write: whatever was queued before it is done
    assert notes(engine) == {1}
    monkeypatch.setattr(deferred_writes, "WAIT_S", 0.0)
    engine.write_later(note(2))
    engine.write_deferred()
    wait_until(lambda: notes(engine) == {1, 2}, what="the deferred write")


def test_a_job_shares_the_transaction_of_the_next_write_and_gets_its_result(engine: Engine) -> None:
    with ThreadPoolExecutor(1) as thread:
        job = thread.submit(engine.write_joined, lambda connection: connection.value("SELECT 7 AS number"), 60.0)
        while not job.done():
            engine.write(lambda _: None)
        assert job.result() == 7


def test_a_job_that_fails_gets_its_error_and_the_other_write_is_stored(engine: Engine) -> None:
    with ThreadPoolExecutor(1) as thread:
        job = thread.submit(engine.write_joined, fail, 60.0)
        while not job.done():
            engine.write(lambda _: None)
        with pytest.raises(QueryError, match="not now"):
            job.result()
    engine.write(note(1))
    assert notes(engine) == {1}


def test_a_job_without_another_write_has_a_transaction_of_its_own(engine: Engine, commits: list[int]) -> None:
    assert engine.write_joined(lambda connection: connection.value("SELECT 7 AS number"), 0.01) == 7
    assert len(commits) == 1


def test_deferred_writes_are_stored_when_the_database_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "closed.duckdb"
    with Engine(path) as engine:
        engine.write(lambda connection: connection.run(TABLES))
        engine.write_later(note(1))
    with Engine(path) as engine:
        assert notes(engine) == {1}
