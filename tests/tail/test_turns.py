"""Many files are read in turns, and a file that cannot be opened does not stop the others."""

import os
import resource
import tracemalloc
from pathlib import Path

import pytest

from puppylog.tail.tailer import Tailer
from support.compressing import COMPRESS
from support.tail_world import World


@pytest.mark.parametrize("suffix", ["", *sorted(COMPRESS)])
def test_a_huge_file_does_not_starve_small_ones(tmp_path: Path, suffix: str) -> None:
    lines = b"".join(b"line %d\n" % number for number in range(100_000))
    huge = World(tmp_path / f"huge.log{suffix}")
    huge.log.write_bytes(COMPRESS[suffix](lines) if suffix else lines)
    huge.start(chunk_bytes=50_000)
    small = [World(tmp_path / f"{number}.log") for number in range(50)]
    for world in small:
        world.append("one\n")
        world.start()
    rounds = 0
    while rounds == 0 or huge.tailer.has_more:
        rounds += 1
        before = len(huge.ledger.lines)
        for chunk in huge.tailer.read(limit_bytes=100_000):
            huge.ledger.commit(chunk)
        assert len(huge.ledger.lines) - before <= 200_000 / 7
        if rounds == 1:
            assert [world.poll() for world in small] == [[b"one"]] * 50
    assert rounds > 10
    assert b"".join(line + b"\n" for line in huge.ledger.lines) == lines
    for world in [huge, *small]:
        world.stop()


def test_an_endless_line_takes_no_longer_turn_than_other_lines(world: World) -> None:
    world.start(chunk_bytes=1000)
    world.append("x" * 100_000)
    turns = 1
    while list(world.tailer.read(limit_bytes=10_000)) or world.tailer.has_more:
        turns += 1
    assert turns > 10
    assert world.tailer.unfinished_bytes == 100_000


def test_older_files_have_the_first_turn_and_are_finished_only_when_read(following: World) -> None:
    following.append("".join(f"old {number}\n" for number in range(1000)))
    following.rotate()
    following.append("new\n")
    following.start(chunk_bytes=100, rotate_wait_s=0)
    chunks = list(following.tailer.read(limit_bytes=300))
    assert following.tailer.has_more
    assert all(chunk.file.serial == 1 and not chunk.finished for chunk in chunks)
    while following.tailer.has_more:
        chunks += following.tailer.read(limit_bytes=300)
    for chunk in chunks:
        following.ledger.commit(chunk)
    assert [*following.ledger.lines[2:4], *following.ledger.lines[-2:]] == [b"old 0", b"old 1", b"old 999", b"new"]
    assert following.ledger.finished == [True, False]


def test_stopping_after_each_chunk_reads_no_block_ahead(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.append("a\n" + "x" * 300 + "\nb\n" * 200)
    world.start(chunk_bytes=1000, max_line_bytes=100)
    real, read = os.pread, list[int]()

    def counting(descriptor: int, size: int, offset: int) -> bytes:
        if size == 1000:
            read.append(offset)
        return real(descriptor, size, offset)

    monkeypatch.setattr(os, "pread", counting)
    for _ in range(3):
        world.ledger.commit(next(iter(world.tailer.read())))
    assert read == [0], "three chunks are in the first block"


def test_a_line_of_any_length_takes_little_memory(world: World) -> None:
    os.truncate(world.log, 0)
    with world.log.open("wb") as file:
        file.write(b"y")
        file.truncate(1 << 28)  # a hole costs no disk; the NULs in it are within a line
        file.seek(0, os.SEEK_END)
        file.write(b"\nnext\n")
    world.start(max_line_bytes=1000)
    tracemalloc.start()
    chunks = list(world.tailer.read())
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [(chunk.start, chunk.is_cut) for chunk in chunks] == [(0, True), ((1 << 28) + 1, False)]
    assert chunks[1].data == b"next\n"
    assert peak_bytes < 32 << 20


def test_too_many_open_files_are_a_problem_with_advice_until_the_limit_is_raised(tmp_path: Path) -> None:
    worlds = [World(tmp_path / f"{number}.log") for number in range(30)]
    for world in worlds:
        world.append("one\n")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    in_use = {int(path.name) for path in Path("/dev/fd").iterdir()}
    limit = [number for number in range(100) if number not in in_use][10]  # ten more descriptors
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    try:
        for world in worlds:
            world.start()
            world.poll()
        short = [world for world in worlds if world.tailer.problem is not None]
        assert len(short) >= 15
        assert f"too many files are open, the limit is {limit} (raise it with" in str(short[0].tailer.problem)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    for world in worlds:
        world.poll()
        assert (world.ledger.lines, world.tailer.problem) == ([b"one"], None)
        world.stop()


def test_a_file_has_the_context_of_its_position_and_its_time_of_change(following: World) -> None:
    os.utime(following.log, (1_700_000_000, 1_700_000_000))
    position = following.ledger.known[0]
    object.__setattr__(position, "context", "what its parser knows")
    following.rotate()
    following.append("new\n")
    os.utime(following.log.with_name("a.log.1"), (1_700_000_000, 1_700_000_000))
    tailer = Tailer(str(following.log), [position], rotate_wait_s=0)
    old, new = [chunk.file for chunk in tailer.read()]
    tailer.close()
    assert (old.context, old.modified_at_us) == ("what its parser knows", 1_700_000_000_000_000)
    assert (new.context, new.modified_at_us) == ("", following.log.stat().st_mtime_ns // 1000)
