"""Replays that are killed at any moment leave each line stored once, as a record or as a rejected line."""

import os
import random
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from puppylog.stores.base import Store
from support.commands import Puppylog
from support.embedded import EmbeddedStore
from support.examples import IS_SOAK
from support.lines import Source
from support.rejected import MISFIT, access_line, all_places, places, reject
from support.server import StoreServer
from support.warm_commands import start_program

FILES = 4
LINES = 3_000 if IS_SOAK else 1_000  # of each file
KILLS = int(os.environ.get("PUPPYLOG_TEST_REPLAY_KILLS", "2"))

# Small transactions, so that a kill hits many different moments. Each prints a line when it starts.
REPLAY = """
from puppylog.cli.main import run
from puppylog.monitor import rejects

fetch = rejects.fetch_lines

def tell_and_fetch(*arguments):
    print("batch", flush=True)
    yield from fetch(*arguments)

rejects._BATCH_LINES = 50
rejects.fetch_lines = tell_and_fetch
run(["rejects", "replay", "--format", "combined"])
"""


def misfits(number: int) -> bool:
    return number % 10 == 0


def fill(store: Store) -> list[tuple[int, int]]:
    """Store rejected lines; return the file and offset of each."""
    expected = []
    for file in range(FILES):
        source = Source(store, f"file:///{file}.log")
        lines = [MISFIT if misfits(number) else access_line(number) for number in range(LINES)]
        expected += [(source.file_id, at) for at in reject(source, lines)]
    return sorted(expected)


def start(url: str, home: Path) -> "subprocess.Popen[bytes]":
    return start_program(
        REPLAY,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=Puppylog(url, home).environment,
    )


def end(process: "subprocess.Popen[bytes]", chance: random.Random) -> None:
    """Kill the process during or after one of its next batches."""
    assert process.stdout is not None
    for _ in range(chance.randrange(1, 9)):
        process.stdout.readline()
    time.sleep(chance.random() * 0.03)  # not a wait for anything: the moment of a kill is left to chance
    process.kill()
    process.communicate(timeout=60)


@pytest.mark.sampled
@pytest.mark.long
@pytest.mark.timeout(900)
def test_each_line_is_stored_once_whenever_replays_are_killed(
    each_server: StoreServer, tmp_path: Path, puppylog_at: Callable[[str], Puppylog]
) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 - shown when the test fails
    chance = random.Random(seed)
    store = each_server.connect()
    expected = fill(store)
    left = [FILES * LINES]
    for _ in range(KILLS):
        both = [start(each_server.url, tmp_path) for _ in range(2)]
        for process in both:
            if isinstance(each_server, EmbeddedStore) and chance.random() < 0.2:
                each_server.kill_engine()
            end(process, chance)
        assert all_places(store) == expected
        left.append(len(places(store, "rejected_lines")))
    assert len(set(left)) > KILLS // 2  # most replays were killed while they worked
    got = puppylog_at(each_server.url)("rejects", "replay", "--format", "combined")
    assert got.code == 0, got.err
    assert all_places(store) == expected
    assert len(places(store, "rejected_lines")) == sum(map(misfits, range(LINES))) * FILES
