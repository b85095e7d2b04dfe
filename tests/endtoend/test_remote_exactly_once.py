"""Ten collectors write to one server over bad lines, and each line is stored once, whatever is killed.

A proxy between them cuts, delays, repeats and swaps what they send. Server, engine and collectors are killed.
"""

import os
import random
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final, Self

import psycopg
import pytest

from puppylog.errors import PuppylogError
from puppylog.stores.connect import connect
from support.embedded import EmbeddedStore, wait_until
from support.free_port import find_free_port
from support.postgres_store import PostgresStoreServer
from support.rotating_log import Collecting
from support.server import StoreServer
from support.unreliable_proxy import UnreliableProxy
from support.warm_commands import start_command

pytestmark = pytest.mark.sampled

COLLECTORS: Final = int(os.environ.get("PUPPYLOG_TEST_REMOTE_COLLECTORS", "2"))
KILLS: Final = int(os.environ.get("PUPPYLOG_TEST_REMOTE_KILLS", "3"))
LINES: Final = int(os.environ.get("PUPPYLOG_TEST_REMOTE_LINES", "2000"))
STORES: Final = ("duckdb", "postgresql") if KILLS > 3 else ("duckdb",)  # both in `make soak`


class ServerProcess:
    """``puppylog up`` with a listener, which a test kills. Usable with ``with``: afterwards no process is left."""

    def __init__(self, own: StoreServer, folder: Path) -> None:
        self.port = find_free_port()
        self._words = ["up", "--listen", f"127.0.0.1:{self.port}"]
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PUPPYLOG_", "XDG_", "PG"))}
        self._environment = {**kept, "PUPPYLOG_STORE": own.url, "HOME": str(folder)}
        self._log = (folder / "server.err").open("ab")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = start_command(
            self._words, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, env=self._environment
        )

    def kill(self) -> None:
        assert self._process is not None
        assert self._process.poll() is None, "the server has ended by itself"
        self._process.kill()
        self._process.wait()

    def is_answering(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def __enter__(self) -> Self:
        self.start()
        wait_until(self.is_answering, what="the server's start")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()


class NumberedLog:
    """The log of one machine: its lines have the machine's name and a number. It is rotated as logrotate does."""

    def __init__(self, folder: Path, host: str) -> None:
        folder.mkdir()
        self.path = folder / "app.log"
        self.host = host
        self.written = 0
        self._rotations = 0
        self.path.touch()

    def write(self, count: int) -> None:
        with self.path.open("a") as file:
            file.writelines(f"{self.host} {number}\n" for number in range(self.written, self.written + count))
        self.written += count

    def rotate(self) -> None:
        for number in range(self._rotations, 0, -1):
            self.path.with_suffix(f".log.{number}").rename(self.path.with_suffix(f".log.{number + 1}"))
        self.path.rename(self.path.with_suffix(".log.1"))
        self._rotations += 1
        self.path.touch()


def count_messages(own: StoreServer) -> Counter[str]:
    with connect(own.url) as store:
        found = store.query("SELECT message FROM puppylog.log_records")["message"].to_pylist()
    return Counter(map(str, found))


def count_records(own: StoreServer) -> int:
    try:
        with connect(own.url) as store:
            return int(store.query("SELECT count(*) AS n FROM puppylog.log_records")["n"][0].as_py())
    except PuppylogError:  # the engine was killed just before
        return 0


@pytest.fixture(params=STORES)
def own(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreServer]:
    if request.param == "duckdb":
        with EmbeddedStore(tmp_path / "store") as store:
            yield store
    else:
        url = request.getfixturevalue("postgres_store_url")
        with PostgresStoreServer("postgresql", url, runs_jobs=False) as store:
            yield store


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_every_line_of_remote_collectors_is_stored_once_over_bad_lines_and_through_kills(
    own: StoreServer, tmp_path: Path
) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 - shown when the test fails
    chance = random.Random(seed)
    logs = [NumberedLog(tmp_path / f"web{number}", f"web{number}") for number in range(COLLECTORS)]
    with ExitStack() as stack:
        server = stack.enter_context(ServerProcess(own, tmp_path))
        proxy = stack.enter_context(UnreliableProxy(server.port, random=chance, share=0.3))
        collectors = []
        for log in logs:
            said = tmp_path / f"{log.host}.err"
            collecting = Collecting(log.path, proxy.url, said, "--format", "plain", "--host", log.host)
            stack.callback(collecting.end)
            collectors.append(collecting)
        for log in logs:
            log.write(10)
        wait_for_lines(own, logs, collectors)  # a file that is rotated before a collector has found it is not read
        kill_at_random(chance, own, server, collectors, logs)
        written = wait_for_lines(own, logs, collectors)
        assert proxy.counts.total() > KILLS
        print(f"{written} lines, {KILLS} kills, {proxy.counts.total()} requests, {dict(proxy.counts)}")  # noqa: T201 - as above
        proxy.share = 0  # a collector that ends tells the store about it
        for log in logs:
            log.write(1)  # when these lines are stored, the collectors run and can be asked to end
        wait_for_lines(own, logs, collectors)
        for collecting in collectors:
            assert collecting.stop() == 0, collecting.said
        found = count_messages(own)
    expected = Counter(f"{log.host} {number}" for log in logs for number in range(log.written))
    assert ((expected - found).most_common(5), (found - expected).most_common(5)) == ([], [])


def wait_for_lines(own: StoreServer, logs: list[NumberedLog], collectors: list[Collecting]) -> int:
    """Wait until the store has as many records as lines were written; return how many that are."""
    written = sum(log.written for log in logs)

    def are_stored() -> bool:
        restart_busy(collectors)
        return count_records(own) >= written

    wait_until(are_stored, within_s=300, what="the last lines' arrival")
    return written


def restart_busy(collectors: list[Collecting]) -> None:
    """Start collectors again that the server has refused.

    A proxy that repeats the requests of a killed collector makes the server believe, for up to half a minute, that this
    collector lives.
    """
    for collecting in collectors:
        if collecting.restart_if_busy():
            print("a collector was refused and started again")  # noqa: T201 - shown when the test fails


def kill_at_random(
    chance: random.Random,
    own: StoreServer,
    server: ServerProcess,
    collectors: list[Collecting],
    logs: list[NumberedLog],
) -> None:
    """Write all lines, and kill the server, its engine or a collector in between."""
    for step in range(KILLS):
        for log in logs:
            log.write((LINES - log.written) // (KILLS - step))
        if chance.random() < 0.3:  # three of ten kills come with a rotation
            chance.choice(logs).rotate()
        restart_busy(collectors)
        time.sleep(chance.random() * 1.5)  # not a wait for anything: the moment of a kill is left to chance
        match chance.choice(["server", "server", "engine", "collector", "collector"]):
            case "server":
                server.kill()
                time.sleep(chance.random() * 0.5)
                server.start()
            case "engine":
                end_engine(own)
            case "collector":
                restart_busy(collectors)
                chance.choice(collectors).kill()


def end_engine(own: StoreServer) -> None:
    """Kill the engine of an embedded store, or end all sessions of a database."""
    if isinstance(own, EmbeddedStore):
        for pid in own.engine_pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return
    with psycopg.connect(own.database_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
