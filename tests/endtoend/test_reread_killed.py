"""Rereads that are killed at any moment leave each file as it was or as it is to be, with every line stored once."""

import json
import os
import random
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from puppylog.collect.collector import Collector
from puppylog.collect.format_choice import make_source
from puppylog.collect.options import CollectOptions
from puppylog.formats.registry import find_format
from puppylog.stores.base import Store
from support.commands import Puppylog
from support.embedded import EmbeddedStore
from support.server import StoreServer
from support.warm_commands import start_program

FILES = 4
LINES = 1_000  # of each file
KILLS = int(os.environ.get("PUPPYLOG_TEST_REREAD_KILLS", "2"))

# Each file prints a line when it begins, and each of its pieces is small, so that a kill hits many different moments.
REREAD = """
import sys
from puppylog.cli.main import run
from puppylog.collect import reread

reread.CHUNK_BYTES = 8192
read = reread.Rereader.reread

def tell_and_read(*arguments):
    print("file", flush=True)
    return read(*arguments)

reread.Rereader.reread = tell_and_read
run(["collector", "reread", sys.argv[1], "--format", sys.argv[2], "--host", "web1"])
"""


def line(number: int) -> str:
    return json.dumps({"time": f"2026-11-24T10:00:{number % 60:02d}Z", "level": "info", "msg": f"{number}"}) + "\n"


def fill(store: Store, log: Path) -> None:
    """Collect the lines of a log and of its rotated files as plain text."""
    for file in range(FILES):
        if log.exists():
            log.rename(log.with_name(f"{log.name}.{FILES - file}"))
        log.write_text("".join(line(number) for number in range(file * LINES, (file + 1) * LINES)))
        source = make_source([str(log)], find_format("plain"))
        options = CollectOptions(sources=[source], host="web1" if store.is_shared else "")
        Collector(store, options, stop=threading.Event(), on_event=lambda _: None).run()


def start(url: str, home: Path, log: Path, format_: str) -> "subprocess.Popen[bytes]":
    return start_program(
        REREAD,
        str(log),
        format_,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=Puppylog(url, home).environment,
    )


def read_states(store: Store) -> list[str]:
    """Check that every line is stored once; return the state of each file, which must have one state."""
    rows = store.query("SELECT file_id, line_offset, message, severity FROM puppylog.log_records").to_pylist()
    places = Counter((row["file_id"], row["line_offset"]) for row in rows)
    assert len(rows) == len(places) == FILES * LINES
    texts = [row["message"] if row["severity"] else json.loads(row["message"])["msg"] for row in rows]
    assert sorted(map(int, texts)) == list(range(FILES * LINES))
    states: dict[int, set[str]] = {}
    for row in rows:
        states.setdefault(row["file_id"], set()).add("plain" if row["severity"] is None else "json")
    assert all(len(found) == 1 for found in states.values()), states
    return [next(iter(states[file_id])) for file_id in sorted(states)]


@pytest.mark.sampled
@pytest.mark.long
@pytest.mark.timeout(900)
def test_each_file_is_old_or_new_whenever_rereads_are_killed(
    each_server: StoreServer, tmp_path: Path, puppylog_at: Callable[[str], Puppylog]
) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 - shown when the test fails
    chance = random.Random(seed)
    store = each_server.connect()
    log = tmp_path / "var" / "log" / "app.log"
    log.parent.mkdir(parents=True)
    fill(store, log)
    assert read_states(store) == ["plain"] * FILES
    begun = 0
    for kill in range(KILLS):
        process = start(each_server.url, tmp_path, log, "json" if kill % 2 == 0 else "plain")
        assert process.stdout is not None
        for _ in range(chance.randrange(1, FILES + 1)):
            begun += bool(process.stdout.readline())
        time.sleep(chance.random() * 0.2)  # not a wait for anything: the moment of a kill is left to chance
        if isinstance(each_server, EmbeddedStore) and chance.random() < 0.4:
            each_server.kill_engine()
            time.sleep(chance.random() * 0.1)  # as above
        process.kill()
        process.communicate(timeout=60)
        read_states(store)
    assert begun >= KILLS
    got = puppylog_at(each_server.url)("collector", "reread", str(log), "--format", "json", "--host", "web1")
    assert got.code == 0, got.err
    assert read_states(store) == ["json"] * FILES
