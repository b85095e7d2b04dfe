"""The engine process: the first client starts it, all clients share it, and it is started again after a crash."""

import os
import signal
import threading
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import duckdb
import pytest

from puppylog.errors import StoreDamaged, StoreRefused, StoreUnavailable, UsageError
from puppylog.stores.connect import connect, stop
from puppylog.stores.duckdb.client.store import DuckdbStore
from puppylog.stores.duckdb.engine import server as server_module
from puppylog.stores.duckdb.engine import tokens
from support.embedded import EmbeddedStore, wait_until
from support.lines import Source, records


def count(store: DuckdbStore) -> int:
    return int(store.query("SELECT count(*) AS n FROM puppylog.log_records")["n"][0].as_py())


def test_clients_that_connect_at_once_share_one_engine(server: EmbeddedStore) -> None:
    pids: list[int] = []

    def come() -> None:
        with connect(server.url) as store:
            assert isinstance(store, DuckdbStore)
            pids.append(store.engine_pid)

    threads = [threading.Thread(target=come) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(pids) == 5
    assert len(set(pids)) == 1
    assert server.engine_pids() == pids[:1]


def test_the_engine_loads_no_numpy(server: EmbeddedStore) -> None:
    store = server.connect()
    Source(store).append(records(7))
    assert count(store) == 7
    loaded = Path(f"/proc/{store.engine_pid}/maps").read_text(encoding="utf-8", errors="replace")
    assert "libarrow" in loaded
    assert "numpy" not in loaded


def test_a_directory_of_any_name_holds_a_store(tmp_path: Path) -> None:
    name = "it's #1 of jürgen{100%} & a%20b \udcff"
    with EmbeddedStore(tmp_path / name / "data" / "puppylog") as server:
        store = server.connect()
        Source(store).append(records(7))
        server.kill_engine()
        assert count(store) == 7
        assert {file.name for file in server.directory.path.iterdir()} >= {"engine.sock", "records.duckdb"}
    assert [os.fsencode(found.name) for found in tmp_path.iterdir()] == [os.fsencode(name)]


def test_the_engine_stops_when_asked_but_not_while_it_has_a_client(server: EmbeddedStore) -> None:
    store = server.connect()
    with pytest.raises(UsageError, match="uses it; end that first"):
        stop(server.url)
    store.close()
    assert stop(server.url)
    wait_until(lambda: not server.engine_pids(), what="the engine's end")
    assert not stop(server.url)


def test_a_refused_stop_has_no_effect_later(server: EmbeddedStore) -> None:
    store = server.connect()
    with pytest.raises(UsageError):
        stop(server.url)
    assert count(store) == 0
    assert server.engine_pids() == [store.engine_pid]


def test_the_next_call_starts_a_killed_engine_again(server: EmbeddedStore) -> None:
    store = server.connect()
    Source(store).append(records(7))
    server.kill_engine()
    assert count(store) == 7


def test_keep_alive_starts_a_killed_engine_again(server: EmbeddedStore) -> None:
    store = server.connect()
    server.kill_engine()
    store.keep_alive()
    assert len(server.engine_pids()) == 1


def test_a_terminated_engine_writes_its_log_into_the_database_file(server: EmbeddedStore) -> None:
    store = server.connect()
    Source(store).append(records(7))
    os.kill(store.engine_pid, signal.SIGTERM)
    wait_until(lambda: not server.engine_pids(), what="the end of the engine")
    assert not server.directory.database.with_suffix(".duckdb.wal").exists()


def test_a_commit_whose_answer_was_lost_is_not_repeated(server: EmbeddedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store = server.connect()
    source = Source(store)
    ask = DuckdbStore._act

    def lose_the_answer(self: DuckdbStore, action: str, arguments: dict[str, object], *, is_repeatable: bool) -> object:
        answer = ask(self, action, arguments, is_repeatable=is_repeatable)
        server.kill_engine()
        raise StoreUnavailable("reach", "the store", f"cut after {action}: {answer}")

    appender = store.appender()
    appender.write(source.stream_id, source.file_id, records(3))
    monkeypatch.setattr(DuckdbStore, "_act", lose_the_answer)
    with pytest.raises(StoreUnavailable):
        appender.commit([source.move(0, 300)])
    monkeypatch.undo()
    assert appender.commit([source.move(0, 300)]).records == 3
    assert count(store) == 3


def test_a_commit_that_did_not_reach_the_engine_is_repeated(
    server: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = server.connect()
    source = Source(store)
    appender = store.appender()
    appender.write(source.stream_id, source.file_id, records(3))

    def cut(*_: object, **__: object) -> object:
        raise StoreUnavailable("reach", "the store", "cut")

    monkeypatch.setattr(DuckdbStore, "_act", cut)
    with pytest.raises(StoreUnavailable):
        appender.commit([source.move(0, 300)])
    monkeypatch.undo()
    assert appender.commit([source.move(0, 300)]).records == 3
    assert count(store) == 3


def test_the_files_of_a_dead_client_are_removed_from_the_spool(server: EmbeddedStore) -> None:
    server.connect()
    dead = server.directory.spool / "999999999-abcd"
    dead.mkdir()
    (dead / "0.arrow").write_bytes(b"half a batch")
    server.kill_engine()
    with server.connect() as store:
        assert count(store) == 0
    assert not dead.exists()


def test_a_file_that_is_no_database_is_not_opened(server: EmbeddedStore) -> None:
    server.directory.prepare()
    server.directory.database.write_bytes(b"this is no database" * 1000)
    with pytest.raises(StoreDamaged, match="cannot read the store"):
        server.connect()
    assert server.directory.database.read_bytes().startswith(b"this is no database")


def test_a_newer_schema_is_refused(server: EmbeddedStore) -> None:
    server.connect().close()
    stop(server.url)
    with duckdb.connect(str(server.directory.database)) as database:
        database.execute("INSERT INTO main.puppylog_schema VALUES (99, now())")
    with pytest.raises(StoreRefused, match="its schema is version 99"):
        server.connect()


def test_a_store_with_a_long_path_can_be_used(tmp_path: Path) -> None:
    with EmbeddedStore(tmp_path / ("d" * 100) / ("e" * 60)) as server, server.connect() as store:
        assert count(store) == 0


def test_a_request_comes_when_the_engine_has_all_that_answers_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    socket = tmp_path / "engine.sock"
    could_connect = []

    def list_actions(_engine: object) -> dict[str, Any]:
        could_connect.append(socket.exists())
        return {}

    monkeypatch.setattr(tokens, "list_actions", list_actions)  # among the last that is made
    nothing: Any = MagicMock()
    with server_module.Service(
        f"grpc+unix://{socket}", nothing, nothing, nothing, retainer=nothing, damage=nothing
    ) as service:
        assert socket.exists()
        service.shutdown()
    assert could_connect == [False]
