"""A backup is one snapshot of a store that is in use, and it appears complete or not at all."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Self

import pytest

from puppylog.collect.collector import Collector
from puppylog.collect.options import CollectOptions, SourceOptions
from puppylog.errors import AlreadyExists, NotFound, StoreError, StoreRefused
from puppylog.formats.registry import find_format
from puppylog.model.metric import Metric
from puppylog.stores.backup import back_up, restore
from puppylog.stores.base import Store
from puppylog.stores.duckdb.copies import name_copy
from puppylog.stores.duckdb.directory import StoreDirectory
from support.embedded import EmbeddedStore, wait_until
from support.lines import Source, records

LINES_AT_ONCE = 500
BACKUPS = 2
BACKED_UP = 100_000  # so many that their copy takes longer than a kill
BACK_UP = """
import sys
from pathlib import Path
from puppylog.stores.backup import back_up
back_up(sys.argv[1], Path(sys.argv[2]))
"""


def count(store: Store) -> int:
    return int(store.query("SELECT count(*) AS n FROM puppylog.log_records")["n"][0].as_py())


def collect(url: str, log: Path, stop: threading.Event | None = None) -> None:
    """Collect a log; with ``stop``, until it is set."""
    options = CollectOptions(
        sources=[SourceOptions(paths=[str(log)], format=find_format("plain"))], watch=stop is not None
    )
    with EmbeddedStore(Path(url.removeprefix("duckdb://"))).connect() as store:
        Collector(store, options, stop=stop or threading.Event(), on_event=lambda _: None).run()


class Writer:
    """Writes numbered lines to a log, all the time, until the ``with`` block ends."""

    def __init__(self, log: Path) -> None:
        self.written = 0
        self._log = log
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._stop.wait(0.01):
            with self._log.open("a", encoding="ascii") as file:
                file.writelines(f"line {self.written + number}\n" for number in range(LINES_AT_ONCE))
            self.written += LINES_AT_ONCE

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def test_a_store_restored_from_a_backup_during_ingestion_goes_on_without_loss_or_doubling(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    held: list[int] = []
    stop = threading.Event()
    with EmbeddedStore(tmp_path / "store") as server:
        store = server.connect()
        store.create_metric(Metric("lines", "count", "*", period_s=60))
        with Writer(log) as writer:
            collector = threading.Thread(target=collect, args=(server.url, log, stop))
            collector.start()
            try:
                for number in range(BACKUPS):
                    wait_until(lambda: count(store) > max([0, *held]), what="more lines")
                    held.append(back_up(server.url, tmp_path / f"backup-{number}").records)
                    assert held[-1] < writer.written, "the log was written during the backup"
            finally:
                stop.set()
                collector.join()
    written = {f"line {number}" for number in range(writer.written)}
    for number, records_held in enumerate(held):
        with EmbeddedStore(tmp_path / f"restored-{number}") as restored:
            restore(tmp_path / f"backup-{number}", restored.url)
            with restored.connect() as copy:
                assert count(copy) == records_held
                offset = copy.query("SELECT byte_offset FROM puppylog.log_files")["byte_offset"][0].as_py()
                assert log.read_bytes()[:offset].count(b"\n") == records_held
            collect(restored.url, log)
            with restored.connect() as copy:
                stored = Counter(copy.query("SELECT message FROM puppylog.log_records")["message"].to_pylist())
                assert set(stored) == written
                assert set(stored.values()) == {1}
                total = copy.query("SELECT sum(value) AS total FROM metrics.lines")["total"][0].as_py()
                assert total == len(written)


def test_a_backup_can_be_read_where_it_is(server: EmbeddedStore, tmp_path: Path) -> None:
    Source(server.connect()).append(records(7))
    assert back_up(server.url, tmp_path / "backup").records == 7
    with EmbeddedStore(tmp_path / "backup") as backup, backup.connect() as store:
        assert count(store) == 7
        Source(store).append(records(3))
    assert count(server.connect()) == 7


def test_a_directory_that_is_not_empty_is_not_written_over(server: EmbeddedStore, tmp_path: Path) -> None:
    Source(server.connect()).append(records(1))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear")
    (tmp_path / "empty").mkdir()
    with pytest.raises(AlreadyExists, match=r"cannot make backup .*full: it already exists; name another directory"):
        back_up(server.url, tmp_path / "full")
    back_up(server.url, tmp_path / "empty")
    with pytest.raises(AlreadyExists, match=r"cannot make store .*: it already exists"):
        restore(tmp_path / "empty", server.url)
    restore(tmp_path / "empty", f"duckdb://{tmp_path}/new")


def test_what_is_no_backup_is_refused(server: EmbeddedStore, tmp_path: Path) -> None:
    place = f"duckdb://{tmp_path}/new"
    with pytest.raises(NotFound, match="there is no such directory"):
        restore(tmp_path / "missing", place)
    with pytest.raises(StoreRefused, match="the directory holds no store"):
        restore(tmp_path, place)
    server.connect()
    with pytest.raises(StoreRefused, match="an engine uses it as a store; stop the engine with puppylog down"):
        restore(server.directory.path, place)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["../../elsewhere", "/elsewhere", "1-abcdef", ""])
def test_the_engine_makes_copies_in_its_own_directory_only(server: EmbeddedStore, name: str) -> None:
    store = server.connect()
    with pytest.raises(StoreError, match="this is not a valid name of a copy"):
        store._ask("back_up", name=name)


def kill_client(client: "subprocess.Popen[bytes]", server: EmbeddedStore) -> None:
    del server
    client.send_signal(signal.SIGKILL)


def kill_engine(client: "subprocess.Popen[bytes]", server: EmbeddedStore) -> None:
    for pid in server.engine_pids():
        os.kill(pid, signal.SIGKILL)
    client.send_signal(signal.SIGKILL)


@pytest.mark.sampled
@pytest.mark.parametrize("kill", [kill_client, kill_engine])
def test_a_backup_that_is_killed_leaves_nothing_and_the_next_one_succeeds(
    server: EmbeddedStore, tmp_path: Path, kill: Callable[["subprocess.Popen[bytes]", EmbeddedStore], None]
) -> None:
    Source(server.connect()).append(records(BACKED_UP))
    place = tmp_path / "backup"
    client = subprocess.Popen([sys.executable, "-c", BACK_UP, server.url, str(place)])
    copies = server.directory.outgoing
    wait_until(lambda: any(copies.glob("*/records.duckdb")) or place.exists(), what="the copy's beginning")
    kill(client, server)
    client.wait()
    if not place.exists():  # a fast machine may have moved the copy already
        assert back_up(server.url, place).records == BACKED_UP
    assert list(copies.iterdir()) == []
    assert {path.name for path in place.iterdir()} == {"records.duckdb", "last_commit", "puppylog.json"}


def test_copies_of_dead_clients_are_removed_when_the_engine_starts(server: EmbeddedStore) -> None:
    server.directory.prepare()
    dead = subprocess.Popen(["/bin/true"])
    dead.wait()
    left = StoreDirectory(server.directory.outgoing / f"{dead.pid}-0123abcd").path
    running = server.directory.outgoing / name_copy()
    left.mkdir()
    running.mkdir()
    server.connect()
    assert not left.exists()
    assert running.exists()
