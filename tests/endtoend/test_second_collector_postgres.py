"""Two collectors on one file: the second is refused with the name of the first, until the first has ended."""

import signal
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from support.commands import Puppylog
from support.embedded import wait_until
from support.refusals import assert_refused

pytestmark = pytest.mark.sampled

LINE = '10.0.0.1 - - [01/Mar/2026:12:00:00 +0000] "GET /{number} HTTP/1.1" 200 {number} "-" "-"\n'
COUNTS = "SELECT count(*), count(DISTINCT line_offset) FROM puppylog.log_records"
HOLDER = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = 1885697641 AND granted"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_the_second_collector_is_refused_and_takes_over_when_the_first_has_ended(
    postgres_store_url: str, puppylog_at: Callable[[str], Puppylog], tmp_path: Path, how: signal.Signals
) -> None:
    path = tmp_path / "access.log"
    path.write_text("".join(LINE.format(number=n) for n in range(100)))
    puppylog = puppylog_at(postgres_store_url)
    with (
        psycopg.connect(postgres_store_url, autocommit=True) as admin,
        puppylog.start("collector", "-s", str(path), "--watch") as first,
    ):
        try:
            wait_until(lambda: admin.execute(COUNTS.encode()).fetchall() == [(100, 100)], what="the first lines")
            ((pid,),) = admin.execute(HOLDER.encode()).fetchall()
            for watch in ((), ("--watch",)):
                ran = puppylog("collector", "-s", str(path), *watch)
                assert_refused(ran, 69, f"{path}: puppylog", f"(server process {pid}) follows it already")
            with path.open("a") as log:
                log.write("".join(LINE.format(number=n) for n in range(100, 200)))
            first.send_signal(how)
            first.wait(60)
        finally:
            first.kill()
        ran = puppylog("collector", "-s", str(path))
        assert ran.code == 0, ran
        assert admin.execute(COUNTS.encode()).fetchall() == [(200, 200)]
