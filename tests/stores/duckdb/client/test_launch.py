import errno
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from puppylog.errors import PuppylogError, StoreForbidden, StoreFull, StoreRefused
from puppylog.stores.connect import begin_engine
from puppylog.stores.duckdb.client import launch
from puppylog.stores.duckdb.client.launch import stop_engine
from puppylog.stores.duckdb.directory import StoreDirectory
from support.embedded import EmbeddedStore, wait_until


@pytest.fixture
def directory(tmp_path: Path) -> StoreDirectory:
    directory = StoreDirectory(tmp_path / "store")
    directory.prepare()
    return directory


def fail_with(number: int) -> Callable[..., int]:
    def fail(path: Path, *_: object) -> int:
        raise OSError(number, os.strerror(number), str(path))

    return fail


@pytest.mark.parametrize(
    ("number", "kind", "text"),
    [
        (errno.EROFS, StoreRefused, "cannot open store {}: read-only file system"),
        (errno.EACCES, StoreForbidden, "cannot open store {}: permission denied"),
        (errno.ENOSPC, StoreFull, "cannot write to store {}: no space left on device"),
    ],
)
def test_a_directory_whose_locks_cannot_be_opened_gives_an_error(
    directory: StoreDirectory, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[PuppylogError], text: str
) -> None:
    monkeypatch.setattr("puppylog.stores.duckdb.locks.os.open", fail_with(number))
    with pytest.raises(kind) as refusal:
        stop_engine(directory)
    assert refusal.value.message == text.format(directory.path)


def test_a_directory_without_a_store_has_no_engine_to_stop(tmp_path: Path) -> None:
    assert not stop_engine(StoreDirectory(tmp_path / "nothing"))


def begin(server: EmbeddedStore) -> int:
    """Begin an engine of a store that exists; return its process id."""
    server.connect().close()
    server.kill_engine()
    begin_engine(server.url)
    assert launch.has_begun(server.directory)
    wait_until(lambda: len(server.engine_pids()) == 1 and not server.is_unowned(), what="the engine that was begun")
    return server.engine_pids()[0]


def test_an_engine_that_was_begun_is_the_one_that_a_client_finds(server: EmbeddedStore) -> None:
    begun = begin(server)
    assert server.connect().engine_pid == begun
    assert not launch.has_begun(server.directory)
    begin_engine(server.url)  # it runs
    assert not launch.has_begun(server.directory)


def test_another_engine_is_started_if_the_one_that_was_begun_has_ended(server: EmbeddedStore) -> None:
    begun = begin(server)
    server.kill_engine()
    assert server.connect().engine_pid != begun


def test_no_engine_is_begun_for_a_store_that_has_none() -> None:
    before = dict(launch._begun)
    for url in ("postgresql:///", "https://localhost:7380"):
        begin_engine(url)()
    assert launch._begun == before


# Tests start engines by forks of a process that has the modules, so that none has to wait for a store. These tests do.
WAITING = launch.spawn_waiting_engine


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "spawn_waiting_engine", WAITING)


@pytest.mark.usefixtures("waiting")
def test_the_engine_of_a_store_that_does_not_exist_waits_for_it(server: EmbeddedStore) -> None:
    path = server.directory.path
    begin_engine(server.url)
    begun = launch._begun[path].pid
    assert not path.exists()
    store = server.connect()
    assert store.engine_pid == begun
    assert store.query("SELECT 1 AS one").to_pylist() == [{"one": 1}]
    assert Path(f"/proc/{begun}/fd/2").readlink() == server.directory.log
    assert path not in launch._begun


@pytest.mark.usefixtures("waiting")
def test_an_engine_that_waits_ends_with_the_command(server: EmbeddedStore) -> None:
    end = begin_engine(server.url)
    begun = launch._begun[server.directory.path]
    end()
    assert begun.returncode == -signal.SIGKILL
    assert not launch.has_begun(server.directory)
    assert not server.directory.path.exists()


@pytest.mark.usefixtures("waiting")
def test_an_engine_that_waits_ends_if_its_client_is_killed(server: EmbeddedStore) -> None:
    begin_engine(server.url)
    with launch._begun.pop(server.directory.path) as begun:
        assert begun.stdin is not None
        begun.stdin.close()  # what the system does when the client's process ends
    assert begun.returncode == 0
    assert not server.directory.path.exists()


@pytest.mark.usefixtures("waiting")
def test_an_engine_that_waits_gives_way_to_that_of_another_client(server: EmbeddedStore) -> None:
    end = begin_engine(server.url)
    begun = launch._begun.pop(server.directory.path)
    other = server.connect().engine_pid
    launch._begun[server.directory.path] = begun
    assert server.connect().engine_pid == other != begun.pid
    assert begun.returncode == -signal.SIGKILL
    end()


@pytest.mark.usefixtures("waiting")
def test_another_engine_is_started_if_the_one_that_waits_has_died(server: EmbeddedStore) -> None:
    begin_engine(server.url)
    begun = launch._begun[server.directory.path]
    begun.kill()
    begun.wait()
    assert server.connect().engine_pid != begun.pid
