"""The most important promise, over a network: every complete line is stored exactly once, through cuts and kills.

A writer appends numbered lines to a log, rotates it, and truncates it when the collector has caught up. At random
moments the collector is killed, the server is restarted, and the wire between them is cut: at once, in the middle of a
COPY, or around a COMMIT, which the server has received or not. In the end every number must be stored once.
"""

import os
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from puppylog.stores.postgres.schema.bootstrap import bootstrap
from support.cut_wire import CutWire
from support.embedded import wait_until
from support.postgres import PostgresServer
from support.rotating_log import Collecting, Writer
from support.timescaledb import timescaledb_server

LINES = int(os.environ.get("PUPPYLOG_TEST_EXACTLY_ONCE_LINES", "15000"))
SEED = os.environ.get("PUPPYLOG_TEST_EXACTLY_ONCE_SEED")
BREAKS = int(os.environ.get("PUPPYLOG_TEST_EXACTLY_ONCE_KILLS", "2"))  # of the collector; as many restarts and cuts
STEPS = 4 * BREAKS
ROTATIONS = 2 * BREAKS // 3
TRUNCATIONS = max(2, BREAKS // 6)
LONG_BYTES = 400_000  # more than most batches have: such a trap springs in one of the next
MEMORY_BYTES = 300_000_000
GONE = "and was not found again: it was deleted or replaced"  # the last rotation, say
TALK = ("reading /", "nothing is lost", "the store is back", "finished /", "waiting for it", " records, ")


@dataclass(frozen=True, slots=True)
class Scene:
    """The parts that the test can break, and the database."""

    server: PostgresServer
    database: str
    wire: CutWire
    writer: Writer
    collecting: Collecting
    chance: random.Random

    def stored(self) -> int:
        """Return how many records are durable, asked past the wire."""
        with self.server.connect(self.database) as connection:
            ((count,),) = connection.execute("SELECT count(*) FROM puppylog.log_records").fetchall()
        assert isinstance(count, int)
        return count

    def catch_up(self) -> None:
        def has_all() -> bool:
            self.collecting.check()
            return self.stored() >= self.writer.written

        wait_until(has_all, within_s=120, what="catching up")
        assert self.stored() == self.writer.written

    def kill_collector(self) -> None:
        self.collecting.kill()

    def restart_server(self) -> None:
        self.server.restart(self.chance.choice(["fast", "immediate"]))

    def cut_wire(self) -> None:
        """Cut the wire now, or set a trap and wait for it to spring: lines are on their way, or will be."""
        before = self.wire.cuts
        match self.chance.randrange(4):
            case 0:
                self.wire.cut()
            case 1:
                self.wire.cut_after(self.chance.randrange(1, LONG_BYTES))
            case 2:
                self.wire.cut_at(b"COMMIT", delivered=True)
            case _:
                self.wire.cut_at(b"COMMIT", delivered=False)
        deadline = time.monotonic() + 60
        while self.wire.cuts == before:
            assert time.monotonic() < deadline, f"no cut; the collector said {self.collecting.said[-2000:]}"
            self.writer.write(50)
            time.sleep(0.02)
        self.wire.restore()


@pytest.fixture(params=["postgresql", "timescaledb"])
def server(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    with PostgresServer() if request.param == "postgresql" else timescaledb_server() as server:
        yield server


@pytest.mark.sampled
@pytest.mark.long
@pytest.mark.timeout(900)
def test_every_line_is_stored_once_through_kills_restarts_and_cuts(server: PostgresServer, tmp_path: Path) -> None:
    seed = int(SEED) if SEED else random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 - shown when the test fails
    chance = random.Random(seed)
    database = server.create_database()
    bootstrap(server.url(database))
    with ExitStack() as stack:
        wire = stack.enter_context(CutWire(server.socket))
        writer = Writer(tmp_path / "access.log", chance)
        stack.callback(writer.close)
        url = server.url(database, port=wire.port)
        collecting = Collecting(writer.path, url, tmp_path / "collector.err")
        stack.callback(collecting.end)
        scene = Scene(server, database, wire, writer, collecting, chance)
        act(scene)
        stay_away(scene)
        assert collecting.stop() == 0, collecting.said
    check(server, database, writer.written)
    check_talk(collecting.said)
    assert collecting.peak_bytes < MEMORY_BYTES


def act(scene: Scene) -> None:
    """Write all lines, with rotations, truncations and breaks in between."""
    writer, chance = scene.writer, scene.chance
    writer.write(100)
    scene.catch_up()  # a file that is rotated before the collector follows it may be lost
    breaks = [scene.kill_collector, scene.restart_server, scene.cut_wire] * BREAKS
    chance.shuffle(breaks)
    rotated_at, truncated_at = chance.sample(range(STEPS), ROTATIONS), chance.sample(range(STEPS), TRUNCATIONS)
    for step in range(STEPS):
        writer.write(max(0, LINES - writer.written) // (STEPS - step) + 1)
        time.sleep(chance.random() * 0.3)  # not a wait for anything: the moment of a break is left to chance
        scene.collecting.check()
        if chance.random() < len(breaks) / (STEPS - step):
            breaks.pop()()
        if step in rotated_at:
            writer.rotate()
        if step in truncated_at:
            scene.catch_up()
            writer.truncate()
    assert not breaks
    scene.catch_up()


def stay_away(scene: Scene) -> None:
    """Stop the server for a longer time: the collector says so, continues by itself, and needs no more memory."""
    collecting, pid = scene.collecting, scene.collecting.process.pid
    said_before = len(collecting.said)
    scene.server.stop("fast")
    for _ in range(4):
        scene.writer.write(LINES // 4)
    wait_until(lambda: collecting.said[said_before:].count("retrying in") > 2, what="messages about retries")
    collecting.check()
    scene.server.start()
    scene.catch_up()
    assert collecting.process.pid == pid
    wait_until(lambda: "the store is back" in collecting.said[said_before:], what="the message that the store is back")


def check(server: PostgresServer, database: str, written: int) -> None:
    """Compare the stored lines with the written lines."""
    with psycopg.connect(server.url(database), row_factory=psycopg.rows.dict_row) as connection:
        (found,) = connection.execute(
            """
            SELECT count(*) AS records, count(DISTINCT (file_id, line_offset)) AS places,
                   count(DISTINCT response_bytes) AS numbers, min(response_bytes) AS first, max(response_bytes) AS last,
                   (SELECT count(*) FROM puppylog.rejected_lines) AS rejects
            FROM puppylog.log_records
            """
        ).fetchall()
    expected = {
        "records": written,
        "places": written,
        "numbers": written,
        "first": 0,
        "last": written - 1,
        "rejects": 0,
    }
    assert found == expected


def check_talk(said: str) -> None:
    """Check that the collector printed only messages for users, and only about a store or a file that is gone."""
    strange = [
        line
        for line in said.splitlines()
        if not line.startswith("puppylog: ") or not any(word in line for word in (*TALK, GONE))
    ]
    assert not strange
