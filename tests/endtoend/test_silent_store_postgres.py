"""A frozen store, which neither answers nor disconnects: a collector ends within ten seconds when asked."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from puppylog.stores.postgres.schema.bootstrap import bootstrap
from support.commands import Puppylog
from support.embedded import wait_until
from support.postgres import PostgresServer, _list_children

pytestmark = pytest.mark.sampled

LINE = '10.0.0.1 - - [01/Mar/2026:12:00:00 +0000] "GET /{number} HTTP/1.1" 200 {number} "-" "-"\n'
COUNTS = "SELECT count(*), count(DISTINCT line_offset) FROM puppylog.log_records"


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.mark.long
def test_a_collector_of_a_frozen_store_ends_when_asked_and_the_next_one_completes(
    server: PostgresServer, puppylog_at: Callable[[str], Puppylog], tmp_path: Path
) -> None:
    path = tmp_path / "access.log"
    path.write_text("".join(LINE.format(number=n) for n in range(100)))
    url = server.url(server.create_database())
    bootstrap(url)
    with (
        psycopg.connect(url, autocommit=True) as admin,
        puppylog_at(url).start("collector", "-s", str(path), "--watch") as collector,
    ):
        wait_until(lambda: admin.execute(COUNTS.encode()).fetchall() == [(100, 100)], what="the first lines")
        frozen = [*_list_children(server.pid), server.pid]
        try:
            for pid in frozen:
                os.kill(pid, signal.SIGSTOP)
            with path.open("a") as log:
                log.write("".join(LINE.format(number=n) for n in range(100, 200)))
            collector.send_signal(signal.SIGTERM)
            assert collector.wait(10) == 69
            assert collector.stderr is not None
            assert b"the store does not answer; nothing is lost" in collector.stderr.read()
        finally:
            collector.kill()
            for pid in frozen:
                os.kill(pid, signal.SIGCONT)
        ran = puppylog_at(url)("collector", "-s", str(path))
        assert ran.code == 0, ran
        assert admin.execute(COUNTS.encode()).fetchall() == [(200, 200)]
