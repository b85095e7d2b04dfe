r"""A file whose lines end with CR only is cut at CR. A CR within a line that ends with \n is text."""

import os
import time
from pathlib import Path

import pytest

from puppylog.tail.line_end import HEAD_BYTES
from support.compressing import COMPRESS
from support.tail_world import World

LINES = [b"%d of a classic Mac" % number for number in range(300)]
MAC = b"".join(line + b"\r" for line in LINES)


def make_old(path: Path, seconds: float = 60.0) -> None:
    changed_at = time.time() - seconds
    os.utime(path, (changed_at, changed_at))


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


@pytest.mark.parametrize("chunk_bytes", [64, 4 << 20])
def test_a_file_with_cr_only_is_cut_at_cr_and_goes_on_after_a_restart(world: World, chunk_bytes: int) -> None:
    assert len(MAC) > HEAD_BYTES
    world.log.write_bytes(MAC + b"hal")
    world.start(chunk_bytes=chunk_bytes)
    assert world.poll() == LINES
    assert world.ledger.known[-1].byte_offset == len(MAC)
    assert world.poll() == []
    assert world.tailer.unfinished_bytes == 3
    append(world.log, b"f\rnext\r")
    assert world.poll() == [b"half", b"next"]
    append(world.log, b"one\rtwo\r")
    world.start(chunk_bytes=chunk_bytes)
    assert world.poll() == [b"one", b"two"]
    for _ in range(2):
        append(world.log, b"and a newline\na CR\rand a newline\n")
        world.start(chunk_bytes=chunk_bytes)
        assert world.poll() == [b"and a newline", b"a CR", b"and a newline"]
    assert world.run_once() == []


def test_offsets_are_those_of_the_file(world: World) -> None:
    world.log.write_bytes(MAC + b"and a newline\n")
    world.start(chunk_bytes=5000)
    assert world.poll() == [*LINES, b"and a newline"]
    for chunk in world.ledger.chunks:
        assert chunk.data == (MAC + b"and a newline\n")[chunk.start : chunk.end].replace(b"\r", b"\n")


def test_a_short_file_is_cut_at_cr_when_it_has_not_changed_for_10_seconds(world: World) -> None:
    world.log.write_bytes(b"one\rtwo\rthree\rfour")
    world.start()
    assert world.poll() == world.poll() == []
    assert not world.tailer.is_at_rest
    make_old(world.log)
    assert world.poll() == [b"one", b"two", b"three"]
    assert world.tailer.is_at_rest
    append(world.log, b" is longer\rfive\r")
    assert world.poll() == [b"four is longer", b"five"]
    make_old(world.log)
    assert world.run_once() == []
    append(world.log, b"six\r")
    make_old(world.log)
    assert world.run_once() == [b"six"]


def test_without_watching_the_last_line_is_read_too(world: World) -> None:
    world.log.write_bytes(b"one\rtwo\rthree\rfour")
    make_old(world.log)
    world.start(line_wait_s=10.0)
    assert world.poll() == [b"one", b"two", b"three", b"four"]


def test_a_progress_that_overwrites_itself_stays_one_line(world: World) -> None:
    progress = b"".join(b"%d %%\r" % number for number in range(100))
    world.log.write_bytes(b"start\n" + progress * 100)
    world.start(max_line_bytes=1 << 20)
    assert world.poll() == [b"start"]
    append(world.log, b"done\n")
    assert world.ledger.poll(world.tailer) == [b"start", *(progress * 100 + b"done").split(b"\r")][1:]  # splitlines
    assert world.ledger.chunks[-1].data == progress * 100 + b"done\n"


def test_a_progress_at_the_start_of_a_file_waits_for_its_newline(world: World) -> None:
    world.log.write_bytes(b"1 %\r2 %\r3 %\r")
    world.start()
    assert world.poll() == []
    append(world.log, b"done\nnext\n")
    world.poll()
    assert world.ledger.chunks[-1].data == b"1 %\r2 %\r3 %\rdone\nnext\n"


def test_a_compressed_file_with_cr_only_is_cut_at_cr(tmp_path: Path) -> None:
    world = World(tmp_path / "a.log.gz")
    world.log.write_bytes(COMPRESS[".gz"](b"one\rtwo\rthree\r"))
    assert world.run_once() == [b"one", b"two", b"three"]


def test_a_copy_of_a_file_with_cr_only_gives_no_line_again(world: World) -> None:
    world.log.write_bytes(MAC)
    world.start()
    assert world.poll() == LINES
    append(world.log, b"last\r")
    world.stop()
    world.log.with_name("a.log.1.gz").write_bytes(COMPRESS[".gz"](world.log.read_bytes()))
    world.log.write_bytes(b"new\n")
    assert world.run_once() == [b"last", b"new"]
    assert world.run_once() == []


def test_from_the_end_only_lines_behind_the_last_cr_are_read(world: World) -> None:
    world.log.write_bytes(MAC + b"hal")
    world.start(from_end=True)
    assert world.poll() == []
    append(world.log, b"f\r")
    assert world.poll() == [b"half"]
