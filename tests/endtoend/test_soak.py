"""Every line is stored once: several logs in a directory are rotated at random, by all methods.

Collector and engine are killed meanwhile. This runs for PUPPYLOG_TEST_SOAK_S seconds, by default for a few seconds.
"""

import os
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from support.embedded import EmbeddedStore, wait_until
from support.logrotate import RotatedLog
from support.rotating_log import Collecting

pytestmark = pytest.mark.sampled

SOAK_S = float(os.environ.get("PUPPYLOG_TEST_SOAK_S", "4"))
LOGS = 6
MAX_LINES = 4000  # written to one log at once
_EVERY = {"rotation": 1.5, "death of the collector": 4.0, "death of the engine": 9.0}  # seconds, on average


def stored(server: EmbeddedStore) -> int:
    with server.connect() as store:
        store.create_group("barrier")  # when this returns, all earlier commits are durable
        return int(store.query("SELECT count(*) AS n FROM puppylog.log_records")["n"][0].as_py())


@pytest.mark.long
@pytest.mark.timeout(SOAK_S + 300)
def test_every_line_of_several_logs_is_stored_once(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 - shown when the test fails
    chance = random.Random(seed)
    directory = tmp_path / "logs"
    directory.mkdir()
    logs = [RotatedLog(directory, number, chance) for number in range(LOGS)]
    with EmbeddedStore(tmp_path / "store") as server:
        collecting = Collecting(directory, server.url, tmp_path / "collector.err")
        try:
            for log in logs:
                log.write(10)
            wait_until(lambda: stored(server) == 10 * LOGS, what="the first lines")
            happened = act(logs, collecting, server, chance)
            wait_until(lambda: stored(server) >= written(logs), within_s=120, what="catching up")
            logs[0].write(1)  # when this line is stored, the collector runs and can be asked to end
            wait_until(lambda: stored(server) >= written(logs), within_s=60, what="the last line")
            assert collecting.stop() == 0, collecting.said
        finally:
            collecting.end()
            for log in logs:
                log.close()
        print(dict(happened), f"{written(logs):,} lines, peak {collecting.peak_bytes >> 20} MiB")  # noqa: T201 - for who runs it long
        check(server, logs)


def written(logs: list[RotatedLog]) -> int:
    return sum(log.written for log in logs)


def act(logs: list[RotatedLog], collecting: Collecting, server: EmbeddedStore, chance: random.Random) -> Counter[str]:
    """Write, rotate and kill until the time is over; return the number of rotations and kills by kind."""
    happened: Counter[str] = Counter()
    until = time.monotonic() + SOAK_S
    pause_s = 0.1
    while time.monotonic() < until:
        for log in chance.sample(logs, chance.randint(1, LOGS)):
            log.write(chance.randint(1, MAX_LINES))
        if chance.random() < pause_s / _EVERY["rotation"]:
            happened[rotate(chance.choice(logs), logs, server)] += 1
        if chance.random() < pause_s / _EVERY["death of the collector"]:
            collecting.kill()
            happened["death of the collector"] += 1
        if chance.random() < pause_s / _EVERY["death of the engine"]:
            server.kill_engine()
            happened["death of the engine"] += 1
        time.sleep(pause_s * 2 * chance.random())  # not a wait for anything: the moment of a death is left to chance
    return happened


def rotate(log: RotatedLog, logs: list[RotatedLog], server: EmbeddedStore) -> str:
    """Rotate a log, but not before its oldest file is read: any collector loses a file that is deleted unread."""
    if log.is_about_to_forget:
        wait_until(lambda: stored(server) >= written(logs), within_s=120, what="catching up before a file is deleted")
    return log.rotate()


def check(server: EmbeddedStore, logs: list[RotatedLog]) -> None:
    """Compare the stored lines with the written lines."""
    with server.connect() as store:
        found = store.query(
            """
            SELECT host, count(*) AS records, count(DISTINCT response_bytes) AS numbers, min(response_bytes) AS first,
                   max(response_bytes) AS last, (SELECT count(*) FROM puppylog.rejected_lines) AS rejects
            FROM puppylog.log_records
            GROUP BY host
            ORDER BY host
            """
        ).to_pylist()
    assert found == [
        {
            "host": f"10.0.0.{log.number}",
            "records": log.written,
            "numbers": log.written,
            "first": 0,
            "last": log.written - 1,
            "rejects": 0,
        }
        for log in logs
    ]
