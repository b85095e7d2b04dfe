"""The promise above all others: every complete line is stored exactly once, whatever is killed, however files rotate.

A writer appends numbered lines to a log, rotates it by rename, and truncates it when the collector has caught up.
Meanwhile the collector and the engine are killed at random moments. In the end every number is there once.
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support.embedded import EmbeddedStore, wait_until

LINES = int(os.environ.get("PUPPYLOG_TEST_EXACTLY_ONCE_LINES", "200000"))
KILLS = 26  # of each, the collector and the engine
LINE = (
    '10.0.0.{host} - - [01/Mar/2026:12:00:{second:02d} +0000] "GET /item/{number} HTTP/1.1" 200 {number} "-" "test"\n'
)


class Writer:
    """An application that logs, and its logrotate."""

    def __init__(self, path: Path, chance: random.Random) -> None:
        self.path = path
        self.written = 0
        self.rotations = self.truncations = 0
        self._chance = chance
        self._file = path.open("ab", buffering=0)

    def write(self, count: int) -> None:
        """Write lines in one or two pieces: a reader may meet half a line."""
        numbers = range(self.written, self.written + count)
        data = "".join(LINE.format(host=n % 250, second=n % 60, number=n) for n in numbers).encode()
        cut = self._chance.randrange(len(data))
        self._file.write(data[:cut])
        self._file.write(data[cut:])
        self.written += count

    def rotate(self) -> None:
        """Rename it as logrotate does, and begin a new one."""
        self._file.close()
        for number in range(self.rotations, 0, -1):
            self.path.with_suffix(f".log.{number}").rename(self.path.with_suffix(f".log.{number + 1}"))
        self.path.rename(self.path.with_suffix(".log.1"))
        self.rotations += 1
        self._file = self.path.open("ab", buffering=0)

    def truncate(self) -> None:
        """Empty it, as copytruncate does."""
        self._file.truncate(0)
        self.truncations += 1

    def close(self) -> None:
        self._file.close()


class Collecting:
    """The collector as a process that can be killed."""

    def __init__(self, path: Path, url: str, log: Path) -> None:
        self._command = [sys.executable, "-m", "puppylog", "collector", "-s", str(path), "--watch", "--store", url]
        self._log = log.open("ab")
        self.process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, start_new_session=True
        )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process = self._start()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=10)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self._log.close()


def stored(server: EmbeddedStore) -> int:
    """Return how many records are durable: a write of our own is done after those before it, down to the disk."""
    with server.connect() as store:
        store.create_group("barrier")
        return int(store.query("SELECT count(*) AS n FROM puppylog.log_records")["n"][0].as_py())


@pytest.mark.timeout(600)
def test_every_line_is_stored_once_through_kills_rotation_and_truncation(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 - shown when the test fails
    chance = random.Random(seed)
    path = tmp_path / "access.log"
    writer = Writer(path, chance)
    with EmbeddedStore(tmp_path / "store") as server:
        collecting = Collecting(path, server.url, tmp_path / "collector.err")
        try:
            act(writer, collecting, server, chance)
            wait_until(lambda: stored(server) >= writer.written, within_s=120, what="catching up")
            assert collecting.stop() == 0, (tmp_path / "collector.err").read_text()
        finally:
            collecting.end()
            writer.close()
        assert writer.rotations > 5
        assert writer.truncations > 0
        check(server, writer.written)


def act(writer: Writer, collecting: Collecting, server: EmbeddedStore, chance: random.Random) -> None:
    """Write everything, with all that can happen in between."""
    writer.write(100)
    wait_until(lambda: stored(server) == writer.written, what="the first lines")  # what was before is not promised
    kills = {"collector": KILLS, "engine": KILLS}
    steps = 4 * KILLS
    for step in range(steps):
        writer.write((LINES - writer.written) // (steps - step))
        time.sleep(chance.random() * 0.4)  # not a wait for anything: the moment of a kill is left to chance
        left = [what for what, count in kills.items() for _ in range(count)]
        if left and chance.random() < len(left) / (steps - step):
            what = chance.choice(left)
            kills[what] -= 1
            collecting.kill() if what == "collector" else server.kill_engine()
        match chance.randrange(6):
            case 0:
                writer.rotate()
            case 1 if step % 4 == 0:
                wait_until(lambda: stored(server) == writer.written, within_s=60, what="catching up")
                writer.truncate()


def check(server: EmbeddedStore, written: int) -> None:
    """Compare what is there with what was written."""
    with server.connect() as store:
        (found,) = store.query(
            """
            SELECT count(*) AS records, count(DISTINCT (file_id, line_offset)) AS places,
                   count(DISTINCT response_bytes) AS numbers, min(response_bytes) AS first, max(response_bytes) AS last,
                   (SELECT count(*) FROM puppylog.rejected_lines) AS rejects
            FROM puppylog.log_records
            """
        ).to_pylist()
    expected = {
        "records": written,
        "places": written,
        "numbers": written,
        "first": 0,
        "last": written - 1,
        "rejects": 0,
    }
    assert found == expected
