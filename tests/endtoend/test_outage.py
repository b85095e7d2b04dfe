"""A disk that is full for a while: a collector with --watch waits, and no line is lost."""

import resource
import signal
from pathlib import Path

from support.commands import Puppylog
from support.embedded import EmbeddedStore, wait_until

LINE = '10.0.0.1 - - [01/Mar/2026:12:00:00 +0000] "GET /{number}/{padding} HTTP/1.1" 200 {number} "-" "-"\n'


def test_a_collector_waits_for_disk_space_and_loses_nothing(
    puppylog: Puppylog, server: EmbeddedStore, tmp_path: Path
) -> None:
    path = tmp_path / "access.log"
    path.write_text("".join(LINE.format(number=n, padding="p" * 300) for n in range(5000)))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    store = server.connect()
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, before[1]))
    try:
        collector = puppylog.start("collector", "-s", str(path), "--watch", "-q")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    with collector:
        try:
            assert collector.stderr is not None
            line = collector.stderr.readline().decode()
            assert line.startswith("puppylog: cannot write to store ")
            assert "file too large; nothing is lost" in line
            resource.prlimit(collector.pid, resource.RLIMIT_FSIZE, before)
            sql = "SELECT count(*) AS n, count(DISTINCT line_offset) AS places FROM puppylog.log_records"
            wait_until(lambda: store.query(sql).to_pylist() == [{"n": 5000, "places": 5000}], what="catching up")
            collector.send_signal(signal.SIGTERM)
            assert collector.wait(60) == 0
        finally:
            collector.kill()
