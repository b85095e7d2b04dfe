"""Every line of a remote collector is stored once, although the server, its engine and the collector are killed."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.commands import Puppylog
from support.embedded import EmbeddedStore, wait_until
from support.free_port import find_free_port
from support.permanent import Permanent

_BURST = 500  # lines


@pytest.fixture
def permanent(tmp_path: Path) -> Iterator[Permanent]:
    with EmbeddedStore(tmp_path / "own") as own, Permanent(own, tmp_path) as permanent:
        yield permanent


class Writer(threading.Thread):
    """Appends numbered lines to a file until `finish`."""

    def __init__(self, log: Path) -> None:
        super().__init__(name="writer", daemon=True)
        self._log = log
        self._may_end = threading.Event()
        self.written = 0

    def run(self) -> None:
        with self._log.open("a", encoding="utf-8") as file:
            while not self._may_end.wait(0.01):
                file.writelines(f"line {self.written + number}\n" for number in range(_BURST))
                file.flush()
                self.written += _BURST

    def finish(self) -> None:
        self._may_end.set()
        self.join(60)


@pytest.mark.skipif(
    not os.environ.get("PUPPYLOG_TEST_REMOTE"),
    reason="NOT TESTED: kills of both ends without a proxy; set PUPPYLOG_TEST_REMOTE=1 (test_remote_exactly_once runs)",
)
@pytest.mark.long
def test_every_line_is_stored_once_although_both_ends_are_killed(permanent: Permanent, tmp_path: Path) -> None:
    port = find_free_port()
    permanent.file.write_text(f'[listen]\naddress = "127.0.0.1:{port}"\n')
    permanent.start()
    log = tmp_path / "app.log"
    log.touch()
    writer = Writer(log)
    writer.start()
    remote = Puppylog(f"http://127.0.0.1:{port}", tmp_path)
    collectors: list[subprocess.Popen[bytes]] = []

    def collect() -> None:
        collectors.append(remote.start("collector", "-s", str(log), "--watch", "--format", "plain", "-q"))

    def stored() -> int:
        with permanent.own.connect() as store:
            return int(store.query("SELECT count(*) AS n FROM puppylog.log_records")["n"][0].as_py())

    def more_is_stored() -> None:
        before = stored()
        wait_until(lambda: stored() > before, what="the next batch")

    try:
        collect()
        more_is_stored()
        permanent.end(signal.SIGKILL)
        permanent.start()
        more_is_stored()
        collectors[-1].kill()
        collect()
        more_is_stored()
        permanent.end(signal.SIGKILL)
        permanent.own.kill_engine()
        collectors[-1].kill()
        collect()
        permanent.start()
        more_is_stored()
        writer.finish()
        wait_until(lambda: stored() >= writer.written, what="the last batch")
        collectors[-1].terminate()
        assert collectors[-1].wait(60) == 0
    finally:
        writer.finish()
        for collector in collectors:
            collector.kill()
            collector.communicate(timeout=60)
    assert permanent.end() == 0
    with permanent.own.connect() as store:
        rows = store.query("SELECT message FROM puppylog.log_records")["message"].to_pylist()
    assert sorted(rows, key=lambda line: int(line.split()[1])) == [f"line {number}" for number in range(writer.written)]
