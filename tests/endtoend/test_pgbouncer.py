"""Through PgBouncer, every line is stored once, although the collector is killed and PgBouncer restarted."""

from collections.abc import Callable
from pathlib import Path

import psycopg

from support.commands import Puppylog
from support.embedded import wait_until
from support.pgbouncer import PgBouncer, needs_pgbouncer

LINE = '10.0.0.1 - - [01/Mar/2026:12:00:00 +0000] "GET /{number} HTTP/1.1" 200 {number} "-" "-"\n'
COUNTS = b"SELECT count(*), count(DISTINCT line_offset) FROM puppylog.log_records"


@needs_pgbouncer
def test_every_line_is_stored_once_if_the_collector_is_killed_and_pgbouncer_restarted(
    postgres_store_url: str, puppylog_at: Callable[[str], Puppylog], tmp_path: Path
) -> None:
    path = tmp_path / "access.log"

    def write(start: int, end: int) -> None:
        with path.open("a") as log:
            log.write("".join(LINE.format(number=n) for n in range(start, end)))

    with (
        psycopg.connect(postgres_store_url, autocommit=True) as admin,
        PgBouncer(postgres_store_url, pool_mode="session") as pooler,
    ):

        def wait_for(lines: int) -> None:
            wait_until(lambda: admin.execute(COUNTS).fetchall() == [(lines, lines)], what=f"{lines} lines")

        puppylog = puppylog_at(pooler.url)
        write(0, 100)
        with puppylog.start("collector", "-s", str(path), "--watch") as killed:
            try:
                wait_for(100)
                write(100, 200)
            finally:
                killed.kill()
        with puppylog.start("collector", "-s", str(path), "--watch") as collector:
            try:
                wait_for(200)
                pooler.stop()
                write(200, 300)
                pooler.start()
                write(300, 400)
                wait_for(400)
            finally:
                collector.terminate()
                assert collector.wait(60) == 0
