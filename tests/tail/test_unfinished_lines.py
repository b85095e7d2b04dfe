"""A run that does not watch stores an unfinished last line once its file has been idle for some time."""

import gzip
import os
import time
from pathlib import Path

import pytest

from puppylog.tail.chunk import Chunk
from puppylog.tail.line_end import quiet_s
from puppylog.tail.reader import LINE_WAIT_S
from support.tail_world import World


def run_once(world: World) -> list[bytes]:
    """Collect without watching. Unfinished lines of files that have just changed are not stored."""
    world.start(rotate_wait_s=0, record_wait_s=0, line_wait_s=LINE_WAIT_S)
    lines = world.poll()
    world.stop()
    return lines


def let_rest(path: Path, seconds: float = 60) -> None:
    """Set the time of change of the file so many seconds back."""
    changed_at = time.time() - seconds
    os.utime(path, (changed_at, changed_at))


def last_chunk(world: World) -> Chunk:
    return world.ledger.chunks[-1]


def test_the_unfinished_line_of_an_idle_file_is_stored_once(world: World) -> None:
    world.append("one\ntwo")
    let_rest(world.log)
    assert run_once(world) == [b"one", b"two"]
    assert (last_chunk(world).is_unfinished, last_chunk(world).end, last_chunk(world).finished) == (True, 7, False)
    assert run_once(world) == []


def test_the_unfinished_line_of_a_file_that_has_just_changed_waits_for_the_next_run(world: World) -> None:
    world.append("one\ntwo")
    assert run_once(world) == [b"one"]
    let_rest(world.log)
    assert run_once(world) == [b"two"]


def test_a_tailer_that_watches_waits_for_the_newline(world: World) -> None:
    world.append("one\ntwo")
    let_rest(world.log)
    world.start()
    assert world.poll() == [b"one"]
    assert world.tailer.unfinished_bytes == 3


@pytest.mark.parametrize(
    ("rest", "lines", "continues_line"),
    [
        ("fold\nthree\n", [b"fold", b"three"], True),
        ("\nthree\n", [b"three"], False),
        ("\r\nthree\n", [b"three"], False),
        ("\n", [], False),
    ],
)
def test_bytes_behind_an_unfinished_line_that_was_stored(
    world: World, rest: str, lines: list[bytes], continues_line: bool
) -> None:
    world.append("one\ntwo")
    let_rest(world.log)
    run_once(world)
    world.append(rest)
    assert run_once(world) == lines
    assert [chunk.continues_line for chunk in world.ledger.chunks if chunk.start == 7] == [continues_line]
    assert last_chunk(world).end == 7 + len(rest), "the position is exact"
    assert run_once(world) == []


def test_the_rest_of_an_unfinished_line_may_be_unfinished(world: World) -> None:
    world.append("one\ntw")
    let_rest(world.log)
    run_once(world)
    world.append("o")
    assert run_once(world) == []
    let_rest(world.log)
    assert run_once(world) == [b"o"]
    assert (last_chunk(world).continues_line, last_chunk(world).is_unfinished) == (True, True)


def test_a_later_run_that_watches_reads_the_rest_of_an_unfinished_line(world: World) -> None:
    world.append("one\ntwo")
    let_rest(world.log)
    run_once(world)
    world.start()
    assert world.poll() == []
    world.append("fold\nthree\n")
    assert world.poll() == [b"fold", b"three"]


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_a_file_whose_unfinished_line_was_stored_is_recognized_when_it_is_rotated(world: World, ending: str) -> None:
    world.append("one\ntwo")
    let_rest(world.log)
    run_once(world)
    world.rotate()
    if ending:
        rotated = world.log.with_name("a.log.1")
        rotated.with_name("a.log.1.gz").write_bytes(gzip.compress(rotated.read_bytes()))
        rotated.unlink()
    world.append("three\n")
    assert run_once(world) == [b"three"]
    assert run_once(world) == []
    assert world.ledger.finished == [True, False]


def test_a_file_whose_unfinished_line_was_stored_may_be_copied_and_emptied(world: World) -> None:
    world.append("one\ntwo")
    let_rest(world.log)
    run_once(world)
    world.log.with_name("a.log.1").write_bytes(world.log.read_bytes())
    os.truncate(world.log, 0)
    world.append("three\n")
    assert run_once(world) == [b"three"]
    assert run_once(world) == []


def test_the_unfinished_line_of_a_complete_compressed_file_is_stored_at_once(world: World) -> None:
    world.log.write_bytes(gzip.compress(b"one\ntwo"))
    assert run_once(world) == [b"one", b"two"]
    assert run_once(world) == []


def test_the_unfinished_line_of_an_incomplete_compressed_file_waits(world: World) -> None:
    packed = gzip.compress(b"one\ntwo")
    world.log.write_bytes(packed[:-8])
    let_rest(world.log)
    assert run_once(world) == [b"one"]
    world.log.write_bytes(packed)
    assert run_once(world) == [b"two"]


def test_nuls_at_the_end_of_a_file_are_allocated_space_and_not_a_line(world: World) -> None:
    world.log.write_bytes(b"one\ntwo\0\0\0\0\0")
    let_rest(world.log)
    assert run_once(world) == [b"one"]
    world.log.write_bytes(b"one\ntwo and a half\n")
    assert run_once(world) == [b"two and a half"]


def test_if_the_time_of_change_is_in_the_future_the_time_of_status_change_counts(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.touch()
    changed_at = path.stat().st_ctime
    os.utime(path, (changed_at + 9e8, changed_at + 9e8))
    status = path.stat()
    assert quiet_s(status, status.st_ctime + 60) == pytest.approx(60)
    assert quiet_s(status, status.st_ctime - 3600) == 0, (
        "the clock was set back by an hour: it may have changed just now"
    )
    os.utime(path, (changed_at - 100, changed_at - 100))
    assert quiet_s(path.stat(), changed_at) == pytest.approx(100)
