"""Rotation by copytruncate, with and without kills: every line is stored once.

copytruncate itself loses what an application writes between the copy and the truncation. Here the application waits
meanwhile, so Puppylog has lost each missing line. By default this takes a few seconds. These variables change that:

PUPPYLOG_TEST_SOAK_COPYTRUNCATE_RUNS    runs of the large backlog
PUPPYLOG_TEST_SOAK_COPYTRUNCATE_LINES   lines of that backlog
PUPPYLOG_TEST_SOAK_COPYTRUNCATE_KILLS   SIGKILLs, spread over the sources
PUPPYLOG_TEST_SOAK_COPYTRUNCATE_SEED    repeats a history (its times excepted)
"""

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from support.commands import Puppylog
from support.embedded import EmbeddedStore
from support.rotating_log import Collecting

RUNS: Final = int(os.environ.get("PUPPYLOG_TEST_SOAK_COPYTRUNCATE_RUNS", "1"))
LINES: Final = int(os.environ.get("PUPPYLOG_TEST_SOAK_COPYTRUNCATE_LINES", "60000"))
KILLS: Final = int(os.environ.get("PUPPYLOG_TEST_SOAK_COPYTRUNCATE_KILLS", "4"))
SEED: Final = int(os.environ.get("PUPPYLOG_TEST_SOAK_COPYTRUNCATE_SEED", random.SystemRandom().randrange(2**32)))

KILLS_PER_STORE: Final = 10
LOGS: Final = 3
SOURCES: Final = ("", "*.log", "app*")
"""The sources, relative to the directory of the logs: the directory itself, a pattern that does not match the rotated
files, and a pattern that does."""

_READING_S: Final = 2.5 * LINES / 2_000_000  # about how long the collector reads the backlog
_QUIET_S: Final = 10.0  # if no line is stored for so long, the missing lines are lost

LINE: Final = (
    '10.0.0.{log} - - [01/Mar/2026:12:00:{second:02d} +0000] "GET /{log}/{number} HTTP/1.1" 200 {number} "-" "soak"\n'
)


class CopyTruncatedLog:
    """A log of numbered lines whose logrotate copies and truncates. All copies are kept."""

    def __init__(self, directory: Path, number: int) -> None:
        self.path = directory / f"app{number}.log"
        self.number = number
        self.written = 0
        self._copies = 0
        self._file = self.path.open("ab", buffering=0)

    def write(self, count: int) -> None:
        for start in range(self.written, self.written + count, 100_000):
            numbers = range(start, min(start + 100_000, self.written + count))
            text = "".join(LINE.format(log=self.number, second=n % 60, number=n) for n in numbers)
            self._file.write(text.encode())
        self.written += count

    def iter_rotation(self) -> Iterator[str]:
        """Rotate it step by step, so that anything can happen between two steps; give what was done."""
        for age in range(self._copies, 0, -1):
            self._copy(age).rename(self._copy(age + 1))
        self._copies += 1
        yield f"{self.path.name}: copies renamed"
        size = self.path.stat().st_size
        with self.path.open("rb") as original, self._copy(1).open("wb", buffering=0) as copy:
            copy.write(original.read(size // 2))
            yield f"{self.path.name}: half of {size} bytes copied"
            copy.write(original.read())
        yield f"{self.path.name}: copied"
        self._file.truncate(0)
        yield f"{self.path.name}: truncated"

    def rotate(self) -> None:
        for _ in self.iter_rotation():
            pass

    def _copy(self, age: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{age}")

    def close(self) -> None:
        self._file.close()


def counts_of(server: EmbeddedStore) -> dict[str, tuple[int, int]]:
    """Return for each log the number of stored records, and of different stored lines."""
    with server.connect() as store:
        store.create_group("barrier")  # when this returns, all earlier commits are durable
        rows = store.query(
            "SELECT host, count(*) AS records, count(DISTINCT response_bytes) AS lines "
            "FROM puppylog.log_records GROUP BY host"
        ).to_pylist()
        store.close()
    return {row["host"]: (row["records"], row["lines"]) for row in rows}


def wait_for_all(server: EmbeddedStore, logs: list[CopyTruncatedLog]) -> dict[str, tuple[int, int]]:
    """Return `counts_of` once it is complete, or nothing has changed for `_QUIET_S`."""
    goal = {f"10.0.0.{log.number}": (log.written, log.written) for log in logs}
    counts, changed_at = counts_of(server), time.monotonic()
    while counts != goal and time.monotonic() - changed_at < _QUIET_S:
        time.sleep(0.1)
        before, counts = counts, counts_of(server)
        if counts != before:
            changed_at = time.monotonic()
    return counts


def check(server: EmbeddedStore, logs: list[CopyTruncatedLog], history: list[str]) -> None:
    counts = wait_for_all(server, logs)
    wrong = {}
    for log in logs:
        records, lines = counts.get(f"10.0.0.{log.number}", (0, 0))
        if (records, lines) != (log.written, log.written):
            wrong[log.path.name] = f"{log.written - lines} of {log.written} lost, {records - lines} stored again"
    if wrong:
        raise AssertionError("\n".join([f"seed {SEED}: {wrong}", *iter_stored_again(server), *history]))


def iter_stored_again(server: EmbeddedStore) -> Iterator[str]:
    """Yield a sentence for each run of lines that are stored more than once, with the files that they come from."""
    with server.connect() as store:
        found = store.query(
            """
            WITH again AS (
                SELECT host, response_bytes, list(DISTINCT file_id ORDER BY file_id) AS file_ids
                FROM puppylog.log_records GROUP BY ALL HAVING count(*) > 1
            )
            SELECT host, file_ids, count(*) AS lines, min(response_bytes) AS first, max(response_bytes) AS last
            FROM again GROUP BY host, file_ids ORDER BY host, first
            """
        ).to_pylist()
        files = store.query(
            "SELECT id, stream_id, path, inode, byte_offset, finished, head_size FROM puppylog.log_files"
        ).to_pylist()
        store.close()
    for row in found:
        yield f"{row['host']}: {row['lines']} lines, {row['first']} to {row['last']}, from files {row['file_ids']}"
    yield from map(str, files)


@pytest.mark.parametrize("run", range(RUNS))
@pytest.mark.timeout(120 + LINES // 10_000)
def test_a_log_that_is_rotated_while_its_backlog_is_read_loses_nothing(tmp_path: Path, run: int) -> None:
    chance = random.Random(f"{SEED} {run}")
    log = CopyTruncatedLog(tmp_path, 1)
    with EmbeddedStore(tmp_path / "store") as server:
        collect = Puppylog(server.url, tmp_path)
        log.write(100)
        assert collect("collector", "-s", str(log.path)).code == 0
        log.write(LINES)
        log.rotate()
        log.write(1000)
        collecting = Collecting(log.path, server.url, tmp_path / "collector.err")
        started_at, pause_s = time.monotonic(), 0.4 + chance.random() * _READING_S
        try:
            time.sleep(pause_s)  # not a wait for anything: the moment of the rotation is left to chance
            log.rotate()
            log.write(500)
            history = [f"rotated {time.monotonic() - started_at:.2f} s after the collector's start", "then 500 lines"]
            check(server, [log], history)
        finally:
            collecting.end()
            log.close()
            for path in tmp_path.glob("app*"):  # several hundred megabytes each, in a long run
                path.unlink()


@pytest.mark.sampled
@pytest.mark.long
@pytest.mark.parametrize("source", SOURCES, ids=["directory", "logs", "logs and copies"])
@pytest.mark.parametrize("part", range(-(-KILLS // (KILLS_PER_STORE * len(SOURCES)))))
@pytest.mark.timeout(180)
def test_kills_during_copytruncate_lose_nothing(tmp_path: Path, source: str, part: int) -> None:
    chance = random.Random(f"{SEED} {source} {part}")
    kills = min(KILLS_PER_STORE, -(-KILLS // len(SOURCES)))
    directory = tmp_path / "logs"
    directory.mkdir()
    logs = [CopyTruncatedLog(directory, number) for number in range(LOGS)]
    with EmbeddedStore(tmp_path / "store") as server:
        for log in logs:
            log.write(100)
        collecting = Collecting(directory / source, server.url, tmp_path / "collector.err")
        history: list[str] = []
        try:
            check(server, logs, history)  # the collector follows a file through rotations only after it has started it
            for _ in range(kills):
                history += act(logs, collecting, chance)
            check(server, logs, history)
        finally:
            collecting.end()
            for log in logs:
                log.close()


def act(logs: list[CopyTruncatedLog], collecting: Collecting, chance: random.Random) -> Iterator[str]:
    """Write, rotate one or two logs, and kill the collector once at any moment; yield a description of each action."""
    started_at = time.monotonic()
    rotated = chance.sample(logs, chance.randint(1, 2))
    steps: list[Iterator[str]] = [log.iter_rotation() for log in rotated]
    kill_at = chance.randrange(12)
    for moment in range(12):
        if moment == kill_at:
            collecting.kill()
            yield f"{time.monotonic() - started_at:.2f} collector killed and started"
        log = chance.choice(logs)
        is_waiting = log in rotated and steps and rotated.index(log) == len(rotated) - len(steps)
        if chance.random() < 0.5 and not is_waiting:
            log.write(count := chance.randint(1, 5000))
            yield f"{time.monotonic() - started_at:.2f} {log.path.name}: {count} lines written, {log.written} by now"
        elif steps:
            done = next(steps[0], None)
            if done is None:
                steps.pop(0)
            else:
                yield f"{time.monotonic() - started_at:.2f} {done}"
        time.sleep(chance.random() * 0.25)  # not a wait for anything: the moment of a kill is left to chance
    for rest in steps:
        for done in rest:
            yield f"{time.monotonic() - started_at:.2f} {done}"
