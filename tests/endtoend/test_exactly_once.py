"""The most important promise: every complete line is stored exactly once, through kills and rotations.

A writer appends numbered lines to a log, rotates it by rename, and truncates it when the collector has caught up.
Meanwhile the collector and the engine are killed at random moments. In the end every number must be stored once.
"""

import os
import random
import time
from pathlib import Path

import pytest

from support.embedded import EmbeddedStore, wait_until
from support.rotating_log import Collecting, Writer

LINES = int(os.environ.get("PUPPYLOG_TEST_EXACTLY_ONCE_LINES", "30000"))
KILLS = int(os.environ.get("PUPPYLOG_TEST_EXACTLY_ONCE_KILLS", "3"))  # of the collector, and as many of the engine
ROTATIONS = 2 * KILLS // 3
TRUNCATIONS = max(2, KILLS // 6)


def stored(server: EmbeddedStore) -> int:
    """Return the number of durable records, after a write of its own, which ends when earlier ones are durable."""
    with server.connect() as store:
        store.create_group("barrier")
        return int(store.query("SELECT count(*) AS n FROM puppylog.log_records")["n"][0].as_py())


@pytest.mark.long
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
            writer.write(1)  # when this line is stored, the collector runs and can be asked to end
            wait_until(lambda: stored(server) >= writer.written, within_s=60, what="the last line")
            assert collecting.stop() == 0, collecting.said
        finally:
            collecting.end()
            writer.close()
        check(server, writer.written)


def act(writer: Writer, collecting: Collecting, server: EmbeddedStore, chance: random.Random) -> None:
    """Write all lines, with rotations, truncations and kills in between."""
    writer.write(100)
    wait_until(lambda: stored(server) == writer.written, what="the first lines")  # earlier rotations may lose lines
    kills = {"collector": KILLS, "engine": KILLS}
    steps = 4 * KILLS
    rotated_at, truncated_at = chance.sample(range(steps), ROTATIONS), chance.sample(range(steps), TRUNCATIONS)
    for step in range(steps):
        writer.write((LINES - writer.written) // (steps - step))
        time.sleep(chance.random() * 0.4)  # not a wait for anything: the moment of a kill is left to chance
        left = [what for what, count in kills.items() for _ in range(count)]
        if left and chance.random() < len(left) / (steps - step):
            what = chance.choice(left)
            kills[what] -= 1
            collecting.kill() if what == "collector" else server.kill_engine()
        if step in rotated_at:
            writer.rotate()
        if step in truncated_at:
            wait_until(lambda: stored(server) == writer.written, within_s=60, what="catching up")
            writer.truncate()


def check(server: EmbeddedStore, written: int) -> None:
    """Compare the stored lines with the written lines."""
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
