"""A node is added to Citus, shards move to it, and it is lost, while a collector writes: every line is stored once."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from puppylog.stores.postgres.store import PostgresStore
from support.asking import ask
from support.commands import Puppylog
from support.database_elsewhere import citus_database, server_of
from support.embedded import wait_until

SERVER = "PUPPYLOG_TEST_CITUS"
LINE = '192.0.2.1 - - [{at:%d/%b/%Y:%H:%M:%S} +0000] "GET /{number} HTTP/1.1" 200 {number} "-" "-"\n'
LOGS = 4
STORED = "SELECT count(*), count(DISTINCT (file_id, line_offset)) FROM puppylog.log_records"
LAST_WORKER = "SELECT nodename, nodeport FROM pg_dist_node WHERE groupid > 0 ORDER BY nodeport DESC LIMIT 1"


@pytest.fixture
def url() -> Iterator[str]:
    with citus_database(server_of(SERVER, "nodes of Citus", "a database with workers")) as url:
        yield url


class Writer:
    """Appends a line to each log, twenty times a second."""

    def __init__(self, folder: Path) -> None:
        self.logs = [folder / f"{number}.log" for number in range(LOGS)]
        self.lines = 0

    @contextmanager
    def writing(self) -> Iterator[None]:
        is_over = Event()
        thread = Thread(target=self._write, args=(is_over,))
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()

    def _write(self, is_over: Event) -> None:
        while not is_over.wait(0.05):
            for log in self.logs:
                with log.open("a") as file:
                    file.write(LINE.format(at=datetime.now(UTC), number=self.lines))
                self.lines += 1


@contextmanager
def lost(url: str, host: str, port: int) -> Iterator[None]:
    """Let nobody connect to the database on one worker, and end its sessions: to all others the worker is lost."""
    parts = urlsplit(url)
    user, at, _ = parts.netloc.rpartition("@")
    database = parts.path[1:]
    worker = parts._replace(netloc=f"{user}{at}{host}:{port}", path="/postgres").geturl()
    allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    with psycopg.connect(worker, autocommit=True) as admin:
        admin.execute(allow.format(sql.Identifier(database), sql.SQL("false")))
        try:
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (database,))
            yield
        finally:
            admin.execute(allow.format(sql.Identifier(database), sql.SQL("true")))


def stored(url: str) -> int:
    """Return the number of records, each of which is there once."""
    ((records, places),) = ask(url, STORED)
    assert records == places
    return int(records)


def start_rebalance(url: str, statement: str) -> bool:
    try:
        ask(url, statement)
    except psycopg.errors.InternalError as error:
        assert "re-run the command" in str(error)  # noqa: PT017 - a partition is being made; anything else is a failure
        return False
    return True


def test_every_line_is_stored_once_while_a_node_is_added_filled_and_lost(
    url: str, puppylog_at: Callable[[str], Puppylog], tmp_path: Path
) -> None:
    puppylog = puppylog_at(url)
    ((host, port),) = ask(url, LAST_WORKER)
    ask(url, f"SELECT citus_remove_node('{host}', {port})")
    assert puppylog("bootstrap", "--distributed").code == 0
    writer = Writer(tmp_path)
    sources = [word for log in writer.logs for word in ("-s", str(log))]

    def catches_up(what: str) -> None:
        so_far = writer.lines
        wait_until(lambda: stored(url) >= so_far, within_s=60, what=f"the lines before {what}")

    with puppylog.start("collector", "-q", "--watch", *sources) as collector, writer.writing():
        try:
            catches_up("a node is added")
            ask(url, f"SELECT citus_add_node('{host}', {port})")
            with PostgresStore(url) as store:
                (advice,) = (
                    finding.advice
                    for finding in store.list_findings().findings
                    if finding.subject == f"worker {host}:{port}"
                )
            wait_until(lambda: start_rebalance(url, advice), within_s=60, what="a moment without a new partition")
            wait_until(
                lambda: ask(url, "SELECT DISTINCT state FROM citus_rebalance_status()") == [("finished",)],
                within_s=120,
                what="the end of the rebalance",
            )
            catches_up("the node is lost")
            with lost(url, host, port):
                assert collector.stderr is not None
                line = collector.stderr.readline().decode()
                assert line.startswith("puppylog: cannot "), line
                assert line.endswith("; nothing is lost, retrying in 0.1 s\n"), line
            catches_up("the collector is killed")
        finally:
            collector.kill()
    with puppylog.start("collector", "-q", "--watch", *sources) as collector:
        try:
            wait_until(lambda: stored(url) == writer.lines, within_s=60, what="every line")
            collector.send_signal(signal.SIGTERM)
            assert collector.wait(60) == 0
        finally:
            collector.kill()
    assert stored(url) == writer.lines
